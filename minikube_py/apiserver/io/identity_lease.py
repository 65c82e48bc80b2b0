"""The API server's own Lease: who serves this cluster, for `kubectl get leases -n kube-system` and for other servers.

It is renewed while the server lives; it is in memory as all Leases are, so an idle cluster writes nothing to disk.

Upstream: pkg/controlplane/controller/leasecontroller (APIServerIdentity).
"""

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import NotFoundError, StatusError
from minikube_py.api.meta import Obj, copy_object, format_micro_time
from minikube_py.api.resources import LEASES
from minikube_py.apiserver.decisions import Decision, WriteContext
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.options import WriteOptions
from minikube_py.apiserver.routes import Route
from minikube_py.apiserver.verbs import update
from minikube_py.kit.clock import Clock

log = logging.getLogger("apiserver")

DURATION_S = 3600
RENEW_S = 10.0
FIRST_RETRY_S = 0.5
NAMESPACE = "kube-system"
_LABELS = {"apiserver.kubernetes.io/identity": "kube-apiserver"}
_OPTIONS = WriteOptions(field_manager="kube-apiserver")


class IdentityLease:
    """Keeps one server's Lease; `host` tells servers apart, `uid` the lives of one."""

    def __init__(self, storage: Storage, clock: Clock, host: str, uid: str) -> None:
        self._storage = storage
        self._clock = clock
        self._host = host
        self.name = f"apiserver-{hashlib.sha256(host.encode()).hexdigest()[:26]}"
        self._holder = f"{self.name}_{uid}"

    async def run(self) -> None:
        """Renew it until cancelled."""
        while True:
            try:
                await self.renew()
            except NotFoundError:
                # At a cluster's first start: the namespace is about to be made.
                await self._clock.sleep(FIRST_RETRY_S)
                continue
            except StatusError as error:
                log.warning("cannot renew the API server's lease: %s", error.message)
            await self._clock.sleep(RENEW_S)

    async def renew(self) -> None:
        """Write that this server lives.

        Raises:
            StatusError: refused.
        """
        route = Route(LEASES, "update", NAMESPACE, self.name)
        await self._storage.change(route, _OPTIONS, self._decide, make=self._lease)

    def _decide(self, old: Mapping[str, Any], context: WriteContext) -> Decision:
        new = copy_object(old)
        new["spec"] = {**(new.get("spec") or {}), **self._spec()}
        return update(LEASES, old, new, context)

    def _spec(self) -> Obj:
        now = format_micro_time(self._clock.wall_s())
        return {"holderIdentity": self._holder, "leaseDurationSeconds": DURATION_S, "renewTime": now}

    def _lease(self) -> Obj:
        labels = {**_LABELS, "kubernetes.io/hostname": self._host}
        meta = {"name": self.name, "namespace": NAMESPACE, "labels": labels}
        return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": meta, "spec": self._spec()}
