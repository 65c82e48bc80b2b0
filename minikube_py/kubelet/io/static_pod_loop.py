"""Runs static pods: follows the folder, hands pods to the workers, keeps their mirror pods in the API.

The folder is looked at every second, which costs one directory listing; what changed is found by the files' times.
A pod whose file changed is another pod of the same name: it starts when the old one has ended. Nothing here needs
the API server; mirror pods are made when it is there. Upstream: kubelet/config/file.go, kubelet.go handleMirrorPod.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from minikube_py.api.errors import NotFoundError, StatusError
from minikube_py.api.meta import Obj, ObjectKey, format_time, key_of, metadata, name_of, uid_of
from minikube_py.api.resources import NODES, PODS
from minikube_py.client.interface import Change, DeleteOptions, Informer
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.io.manifest_folder import ManifestFolder
from minikube_py.kubelet.io.pod_workers import PodWorkers
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.kubelet.static_pods import StaticPodError, make_mirror_pod, make_static_pod, static_uid

log = logging.getLogger("kubelet")

SCAN_S = 1.0


class StaticPods:
    """One for the kubelet."""

    def __init__(
        self,
        config: KubeletConfig,
        ports: KubeletPorts,
        workers: PodWorkers,
        pods: Informer,
        write_again: Callable[[str], Awaitable[None]],
    ) -> None:
        """`write_again(uid)` has a status written once more: a new mirror pod has none."""
        self._config = config
        self._ports = ports
        self._workers = workers
        self._pods = pods
        self._write_again = write_again
        self._folder = ManifestFolder(config.static_pod_path)
        self._seen: dict[str, tuple[Mapping[str, Any], Obj | None]] = {}
        self._wanted: dict[ObjectKey, Obj] = {}
        self._running: dict[ObjectKey, str] = {}
        self._said = ""
        self.api_is_known = False
        """Set when the pods' informer is synced: a mirror pod that is not there then is really not there."""

    async def run(self) -> None:
        """Follow the folder until cancelled."""
        while True:
            await self._ports.clock.sleep(SCAN_S)
            await self.look()

    async def look(self) -> None:
        """Take over what the folder holds now, and bring mirror pods up to date."""
        if not self._config.static_pod_path:
            return
        self._take(await asyncio.to_thread(self._folder.scan))
        if self.api_is_known:
            await self._sync_mirrors()

    def _take(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        self._wanted = {}
        for file_name, document in documents.items():
            pod = self._pod(file_name, document)
            if pod is not None:
                self._wanted[key_of(pod)] = pod
        self._seen = {name: self._seen[name] for name in documents}
        for key, uid in list(self._running.items()):
            wanted = self._wanted.get(key)
            if self._workers.state(uid) is None:
                del self._running[key]
            elif wanted is None or uid_of(wanted) != uid:
                self._workers.remove(uid, None)
        for key, pod in self._wanted.items():
            if key not in self._running:
                self._running[key] = uid_of(pod)
                self._workers.update(parse_pod(self._with_known_status(pod)), runtime_has_some=True)

    def _pod(self, file_name: str, document: Mapping[str, Any]) -> Obj | None:
        known = self._seen.get(file_name)
        if known is not None and known[0] is document:
            return known[1]
        pod: Obj | None = None
        seen = format_time(self._ports.clock.wall_s())
        try:
            pod = make_static_pod(document, node_name=self._config.node_name, file_name=file_name, seen=seen)
        except StaticPodError as error:
            log.warning("static pod file %s/%s: %s", self._config.static_pod_path, file_name, error)
        self._seen[file_name] = (document, pod)
        return pod

    def _with_known_status(self, pod: Obj) -> Obj:
        mirror = self._pods.get(key_of(pod))
        known = mirror is not None and static_uid(mirror) == uid_of(pod)
        return {**pod, "status": (mirror or {}).get("status") or {}} if known else pod

    # Mirror pods.

    def is_mirror(self, change: Change) -> bool:
        """Return whether a change of the API's pods is one of a mirror pod, which no worker runs."""
        return bool(static_uid(change.latest))

    def worker_uid(self, uid: str) -> str:
        """Return the uid that the runtime knows the pod of an API uid by."""
        for key, running in self._running.items():
            mirror = self._pods.get(key)
            if mirror is not None and uid_of(mirror) == uid:
                return running
        return uid

    async def _sync_mirrors(self) -> None:
        try:
            for key, pod in self._wanted.items():
                await self._sync_mirror(key, pod)
            await self._drop_stale()
        except StatusError as error:
            if self._said != error.message:
                self._said = error.message
                log.warning("mirror pods are not up to date: %s", error.message)
            return
        self._said = ""

    async def _sync_mirror(self, key: ObjectKey, pod: Obj) -> None:
        mirror = self._pods.get(key)
        if mirror is not None:
            if static_uid(mirror) == uid_of(pod) and not metadata(mirror).get("deletionTimestamp"):
                return
            if not static_uid(mirror):
                return  # somebody's own pod of that name: theirs to move
            await self._delete(key, mirror)
        node = self._ports.informers.informer(NODES).get(ObjectKey("", self._config.node_name))
        mirror = make_mirror_pod(pod, node)
        await self._ports.client.create(PODS, mirror)
        await self._write_again(uid_of(pod))

    async def _drop_stale(self) -> None:
        for mirror in self._pods.list():
            key = key_of(mirror)
            if static_uid(mirror) and key not in self._wanted and key not in self._running:
                await self._delete(key, mirror)

    async def _delete(self, key: ObjectKey, mirror: Obj) -> None:
        try:
            await self._ports.client.delete(PODS, key, DeleteOptions(grace_period_s=0, uid=uid_of(mirror)))
        except NotFoundError:
            log.debug("mirror pod %s is gone already", name_of(mirror))
