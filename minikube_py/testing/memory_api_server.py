"""A whole API server over stores in memory: for tests and simulations, in process or on loopback HTTPS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from minikube_py.apiserver.authn import Authenticator
from minikube_py.apiserver.canonical import stamp
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.io.audit_log import AuditSettings
from minikube_py.apiserver.io.certificates import Pki, ensure_pki
from minikube_py.apiserver.io.node_metrics import ScrapeNode
from minikube_py.apiserver.io.server import ApiServer, ApiServerPorts
from minikube_py.apiserver.joining import JoinSettings
from minikube_py.apiserver.pki import CertificateSpec
from minikube_py.apiserver.users import AUTHENTICATED, SYSTEM_MASTERS, UserInfo
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.keys import new_key_pem
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.interface import Store
from minikube_py.store.io.memory_store import HISTORY, MemoryStore
from minikube_py.store.mvcc import HistoryLimits
from minikube_py.testing.sequential_ids import sequential_ids

ADMIN_TOKEN = "admin-token"  # noqa: S105  # known to tests only
READER_TOKEN = "reader-token"  # noqa: S105
VOLATILE_FIRST_REVISION = 1000
LOOPBACK_CONFIG = ApiServerConfig(
    bind_address="127.0.0.1",
    secure_port=0,
    advertise_port=6443,
    # No controllers run beside it that would make the accounts.
    disable_admission_plugins=("ServiceAccount",),
)
_TOKENS = {
    ADMIN_TOKEN: UserInfo("admin", (SYSTEM_MASTERS, AUTHENTICATED)),
    READER_TOKEN: UserInfo("alice", (AUTHENTICATED,)),
}


def memory_store(history: HistoryLimits = HISTORY, clock: Clock | None = None) -> MemoryStore:
    """Return a store for such a server's durable objects."""
    return MemoryStore(stamp, clock or SystemClock(), history=history)


def memory_api_server(
    config: ApiServerConfig = LOOPBACK_CONFIG,
    *,
    clock: Clock | None = None,
    durable: Store | None = None,
    pki: Pki | None = None,
    audit: AuditSettings | None = None,
    scrape_node: ScrapeNode | None = None,
    join: JoinSettings | None = None,
) -> ApiServer:
    """Return an API server whose objects are gone with it; ids and random choices repeat."""
    clock = clock or SystemClock()
    return ApiServer(
        config,
        ApiServerPorts(
            durable=durable or memory_store(clock=clock),
            volatile=MemoryStore(stamp, clock, VOLATILE_FIRST_REVISION),
            clock=clock,
            ids=sequential_ids(),
            rng=Random(0),  # noqa: S311
            authenticate=Authenticator(_TOKENS).authenticate,
            token_key_pem=new_key_pem(),
            front_proxy=pki.front_proxy() if pki is not None else None,
            audit=audit,
            kubelet_tls=pki.kubelet_context() if pki is not None else None,
            scrape_node=scrape_node,
            join=join,
        ),
    )


def loopback_pki(folder: Path, wall_s: float) -> Pki:
    """Return certificates for 127.0.0.1 and an admin."""
    serving = CertificateSpec("kube-apiserver", sans=("127.0.0.1", "localhost"))
    return ensure_pki(folder, serving, CertificateSpec("kubernetes-admin", (SYSTEM_MASTERS,)), wall_s)


def client_context(pki: Pki, *, with_certificate: bool) -> ssl.SSLContext:
    """Return a client's TLS settings: trusting the CA, as the admin or as nobody."""
    context = ssl.create_default_context(cadata=pki.ca.certificate_pem.decode())
    if with_certificate:
        context.load_cert_chain(pki.folder / "admin.crt", pki.folder / "admin.key")
    return context


@asynccontextmanager
async def serving(server: ApiServer, tls: ssl.SSLContext | None) -> AsyncIterator[str]:
    """Serve while the context lasts; gives the URL."""
    await server.bootstrap()
    listening = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.serve(tls, listening))
        await listening.wait()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.http.port}"
        finally:
            task.cancel()
