"""Makes and deletes this node's `local-path` volumes.

Level-triggered: each round looks at all claims and volumes that the caches show; what fails is tried again with a
back-off. The directory comes before its volume, and goes before its volume goes, so that a crash leaves nothing that
the next round does not find.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import AlreadyExistsError, NotFoundError, StatusError
from minikube_py.api.meta import Obj, ObjectKey, is_deleting, key_of, name_of, namespace_of, uid_of
from minikube_py.api.persistent_volumes import LOCAL_PATH_PROVISIONER, class_of
from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
from minikube_py.api.table.storage_v1 import STORAGE_CLASSES
from minikube_py.client.interface import DeleteOptions
from minikube_py.kit.backoff import BackoffPolicy, BackoffState, next_backoff
from minikube_py.kit.io.waiting import wait_event_or_sleep
from minikube_py.kubelet.local_path import Provision, is_for_node, path_to_delete, provision
from minikube_py.kubelet.ports import KubeletPorts

log = logging.getLogger("kubelet")

RETRY = BackoffPolicy(initial_s=0.5, maximum_s=60.0, reset_after_s=120.0)
SWEEP_S = 300.0
"""A round at least this often."""


class LocalPathProvisioner:
    """One for the kubelet; make it before the informers run."""

    def __init__(self, ports: KubeletPorts, node_name: str, root: str) -> None:
        self._ports = ports
        self._node_name = node_name
        self._root = root
        self._changed = asyncio.Event()
        self._refused: set[str] = set()
        """Claims of which was said why they get no volume."""
        self._claims = ports.informers.informer(PERSISTENT_VOLUME_CLAIMS)
        self._volumes = ports.informers.informer(PERSISTENT_VOLUMES)
        self._classes = ports.informers.informer(STORAGE_CLASSES)
        for informer in (self._claims, self._volumes, self._classes):
            informer.subscribe(lambda change: self._changed.set())

    async def run(self) -> None:
        """Provision and delete until cancelled."""
        for informer in (self._claims, self._volumes, self._classes):
            await informer.wait_synced()
        failures: BackoffState | None = None
        while True:
            self._changed.clear()
            try:
                await self._round()
            except (StatusError, OSError) as error:
                failures = next_backoff(RETRY, failures, self._ports.clock.now_s())
                log.warning("local-path volumes: %s", error)
                await self._ports.clock.sleep(failures.delay_s)
                continue
            failures = None
            await wait_event_or_sleep(self._changed, self._ports.clock, SWEEP_S)

    async def _round(self) -> None:
        for claim in self._claims.list():
            storage_class = self._classes.get(ObjectKey("", class_of(claim)))
            if storage_class is not None and is_for_node(claim, storage_class, self._node_name):
                await self._provision(claim, storage_class)
        for volume in self._volumes.list():
            path = path_to_delete(volume, self._node_name, self._root)
            if path and not is_deleting(volume):
                await self._delete(volume, path)

    async def _provision(self, claim: Obj, storage_class: Obj) -> None:
        made = provision(claim, storage_class, self._node_name, self._root)
        if not isinstance(made, Provision):
            if uid_of(claim) not in self._refused:
                self._say(claim, "ProvisioningFailed", made)
            self._refused = {uid_of(c) for c in self._claims.list()} & {*self._refused, uid_of(claim)}
            return
        key = ObjectKey("", name_of(made.volume))
        if self._volumes.get(key) is not None:
            return
        what = f'"{namespace_of(claim)}/{name_of(claim)}"'
        self._say(claim, "Provisioning", f"External provisioner is provisioning volume for claim {what}")
        await self._ports.files.make_directory(made.path)
        try:
            await self._ports.client.create(PERSISTENT_VOLUMES, made.volume)
        except AlreadyExistsError:
            return
        self._say(claim, "ProvisioningSucceeded", f"Successfully provisioned volume {key.name}")

    async def _delete(self, volume: Obj, path: str) -> None:
        await self._ports.files.remove_directory(path)
        try:
            await self._ports.client.delete(PERSISTENT_VOLUMES, key_of(volume), DeleteOptions(uid=uid_of(volume)))
        except NotFoundError:
            return
        log.info("volume %s of %s is deleted with its directory %s", name_of(volume), LOCAL_PATH_PROVISIONER, path)

    def _say(self, claim: Mapping[str, Any], reason: str, message: str) -> None:
        involved = {**claim, "apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        self._ports.recorder.record(
            involved, "Warning" if reason == "ProvisioningFailed" else "Normal", reason, message
        )
