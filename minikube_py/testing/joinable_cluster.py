"""A cluster that hosts can join, on loopback HTTPS: a real API server in memory, the controllers of certificates."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from minikube_py.api.join_token_secrets import TokenRecord, secret_of
from minikube_py.api.join_tokens import JoinToken, digest_of, hash_of_ca, server_token
from minikube_py.api.meta import Obj
from minikube_py.api.resources import NODES, SECRETS
from minikube_py.apiserver.io.certificates import Pki
from minikube_py.apiserver.io.server import ApiServer
from minikube_py.apiserver.joining import JoinSettings
from minikube_py.apiserver.users import UserInfo
from minikube_py.client.io.informer import InformerSet
from minikube_py.client.io.rest_client import RestClient
from minikube_py.controllers import certificate_approval, certificate_signing
from minikube_py.controllers.certificate_authority import load_authority
from minikube_py.controllers.io.controller_loop import Controllers
from minikube_py.kit.io.system_clock import SystemClock, system_ids
from minikube_py.testing.memory_api_server import LOOPBACK_CONFIG, loopback_pki, memory_api_server, serving

PASSWORD = "cluster-password"  # noqa: S105  # known to tests only
VERSION = "0.1.0"
CLUSTER = {
    "cluster-cidr": "10.7.0.0/16",
    "service-cidr": "10.8.0.0/16",
    "cluster-dns": "10.8.0.10",
    "cluster-domain": "example.local",
    "service-node-port-range": "31000-31999",
    "disable": ["metrics"],
}
EVERY_ADDRESS = replace(LOOPBACK_CONFIG, bind_address="0.0.0.0")  # 127.0.0.2 too
CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class JoinableCluster:
    """A running one."""

    server: ApiServer
    pki: Pki
    url: str
    client: RestClient
    """As the administrator."""

    def client_of(self, user: UserInfo) -> RestClient:
        """Return the API as somebody else."""
        return RestClient(self.server.local_transport(user), user.name, lambda: 300)

    @property
    def token(self) -> JoinToken:
        """Return the cluster's own token."""
        return server_token(PASSWORD, self.pki.ca.certificate_pem)

    async def add_token(self, token_id: str, *, expires_at_s: float | None = None, uses: int = 0) -> JoinToken:
        """Make a token."""
        credential = f"{token_id}.0123456789abcdef"
        record = TokenRecord(token_id, digest_of(credential), "", expires_at_s, uses)
        await self.client.create(SECRETS, secret_of(record))
        return JoinToken(hash_of_ca(self.pki.ca.certificate_pem), token_id, credential)

    async def add_node(self, name: str, address: str = "192.0.2.7") -> Obj:
        """Make a Node that has an address."""
        await self.client.create(NODES, {"metadata": {"name": name}})
        status = {"addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]}
        return await self.client.update(NODES, {"metadata": {"name": name}, "status": status}, subresource="status")


@asynccontextmanager
async def joinable_cluster(
    folder: Path,
    *,
    version: str = VERSION,
    certificates_from_s: float | None = None,
    lifetime_s: float = 86400.0,
) -> AsyncIterator[JoinableCluster]:
    """Run a cluster while the context lasts.

    `certificates_from_s` is when its certificates were made, by default now; `lifetime_s` how long those of nodes are
    good.
    """
    pki = loopback_pki(folder, CLOCK.wall_s() if certificates_from_s is None else certificates_from_s)
    ca_pem = pki.ca.certificate_pem
    settings = JoinSettings(ca_pem, digest_of(server_token(PASSWORD, ca_pem).credential), version, CLUSTER)
    server = memory_api_server(EVERY_ADDRESS, join=settings)
    async with serving(server, pki.server_context()) as url, asyncio.TaskGroup() as group:
        client = RestClient(server.local_transport(), "test", lambda: 300)
        informers = InformerSet(client, CLOCK, Random(1).random)  # noqa: S311
        signer = certificate_signing.Signer(load_authority(ca_pem, pki.ca.key_pem), lifetime_s)
        specs = (certificate_approval.spec(), certificate_signing.spec(signer))
        parts = (Controllers(client, informers, CLOCK, system_ids(), specs), informers)
        tasks = [group.create_task(part.run()) for part in parts]
        yield JoinableCluster(server, pki, url, client)
        for task in tasks:
            task.cancel()
