"""What runs at the engine, as records: one list request for all, and inspects only where they say something new.

A list of all containers costs one request (8 ms for 64), an inspect 0.7 ms each: the kubelet lists every few
seconds, so inspects are kept. A dead container never changes again (the agent starts nothing twice); a running one
keeps its pid and start time while it runs. Events tell when it does not (somebody else's `docker restart`); without
them the living containers of a pod that is asked for are read anew.

One container whose inspect hangs (a lost NFS server is enough) must not stop the node: it is shown with phase
UNKNOWN, and the others are shown as ever.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from minikube_py.kubelet.cri import (
    ContainerRecord,
    ContainerRuntimeError,
    ImageRecord,
    RuntimeErrorKind,
    RuntimeEvent,
    RuntimeListing,
)
from minikube_py.kubelet.docker_names import CONTAINER_TYPE, NODE, POD_UID, SANDBOX_ID, TYPE_SANDBOX
from minikube_py.kubelet.docker_records import (
    RESOURCE_FIELDS,
    container_from_listed,
    image_from_json,
    sandbox_from_listed,
)
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_events import DockerEvents
from minikube_py.kubelet.io.kernel_log import KernelLog
from minikube_py.kubelet.oom_kills import may_be_oom_kill

IMAGES_KEPT_MAX = 500
"""Images whose digests are remembered; over it all are forgotten and asked for again."""

_LASTING = frozenset(("running", "exited", "dead"))
"""States whose documents are kept; a failed start writes its error into a `created` one, which keeps its state."""

Json = dict[str, Any]


class DockerListing:
    """Reads the records of one node's containers."""

    def __init__(self, api: DockerApi, node_name: str, events: DockerEvents, kernel_log: KernelLog) -> None:
        self._api = api
        self._kernel_log = kernel_log
        self._events = events
        self._node_label = f"{NODE}={node_name}"
        self._inspected: dict[str, tuple[str, Json]] = {}
        """By id: the list state it was read in, and the document; never more than the engine lists."""
        self._images: dict[str, ImageRecord] = {}
        self._reconnects = False
        """The stream of events stood once: what was read before it was lost may not be so any more."""

    async def listing(self, pod_uid: str = "") -> RuntimeListing:
        """Return all records, or those of one pod (its living containers read anew unless events are followed)."""
        labels = (CONTAINER_TYPE, self._node_label) + ((f"{POD_UID}={pod_uid}",) if pod_uid else ())
        self._events.begin()
        fresh = bool(pod_uid) and not self._events.is_following
        listed = await self._api.list_containers(labels)
        if not pod_uid:
            present = {entry["Id"] for entry in listed}
            self._inspected = {key: kept for key, kept in self._inspected.items() if key in present}
        documents: dict[str, Json | None] = {}
        failures: list[ContainerRuntimeError] = []
        async with asyncio.TaskGroup() as group:
            for entry in listed:
                group.create_task(self._document(entry, documents, failures, fresh=fresh))
        if failures:
            raise failures[0]
        sandboxes, containers = [], []
        for entry in listed:
            identity = entry["Id"]
            if identity not in documents:
                continue  # removed since it was listed
            if entry["Labels"][CONTAINER_TYPE] == TYPE_SANDBOX:
                sandboxes.append(sandbox_from_listed(entry, documents[identity]))
            else:
                containers.append(await self.container(entry, documents[identity]))
        return RuntimeListing(tuple(sandboxes), tuple(containers))

    async def container(self, entry: Mapping[str, Any], document: Json | None) -> ContainerRecord:
        """Return the record of a container from its list entry and inspect document."""
        return container_from_listed(entry, document, await self._image(str(entry.get("ImageID", ""))))

    async def sandbox_members(self, sandbox: str) -> tuple[str, ...]:
        """Return the ids of the app containers that were made in a sandbox."""
        return tuple(entry["Id"] for entry in await self._api.list_containers((f"{SANDBOX_ID}={sandbox}",)))

    def keep(self, document: Mapping[str, Any]) -> None:
        """Keep the inspect document of a container that was just started: the next listing need not ask for it."""
        state = str(document["State"]["Status"])
        if state in _LASTING and not may_be_oom_kill(document["State"]):
            self._inspected[str(document["Id"])] = (state, _needed(document))

    def note(self, event: RuntimeEvent) -> None:
        """Drop what an event says is not so any more."""
        if event.action == "reconnected":
            dead = {key: kept for key, kept in self._inspected.items() if kept[0] != "running"}
            self._inspected = dead if self._reconnects else self._inspected
            self._reconnects = True
        elif event.action != "start":
            # A start that is not the one it was read after is told of after a death.
            self.forget(event.container)

    def forget(self, identity: str) -> None:
        """Drop what is kept of a container that was removed or changed."""
        self._inspected.pop(identity, None)

    async def _document(
        self,
        entry: Mapping[str, Any],
        documents: dict[str, Json | None],
        failures: list[ContainerRuntimeError],
        *,
        fresh: bool,
    ) -> None:
        identity, state = str(entry["Id"]), str(entry["State"])
        kept = self._inspected.get(identity)
        if kept is not None and kept[0] == state and not (fresh and state == "running"):
            documents[identity] = kept[1]
            return
        try:
            document = _needed(await self._api.inspect_container(identity))
        except ContainerRuntimeError as error:
            if error.kind is RuntimeErrorKind.TIMEOUT:
                documents[identity] = None
            elif error.kind is not RuntimeErrorKind.NOT_FOUND:
                failures.append(error)
            return
        if may_be_oom_kill(document["State"]) and await self._kernel_log.tells_oom_kill(identity):
            document["State"]["OOMKilled"] = True
        if document["State"]["Status"] == state and state in _LASTING:
            self._inspected[identity] = (state, document)
        documents[identity] = document

    async def _image(self, identity: str) -> ImageRecord | None:
        found = self._images.get(identity)
        if found is not None:
            return found
        try:
            found = image_from_json(await self._api.inspect_image(identity))
        except ContainerRuntimeError as error:
            if error.kind in (RuntimeErrorKind.NOT_FOUND, RuntimeErrorKind.TIMEOUT):
                return None
            raise
        if len(self._images) >= IMAGES_KEPT_MAX:
            self._images.clear()
        self._images[identity] = found
        return found


def _needed(document: Mapping[str, Any]) -> Json:
    """Return the part of an inspect document that records are made from: a whole one takes 20 KB."""
    host = document["HostConfig"]
    return {
        "Id": document["Id"],
        "Created": document["Created"],
        "State": dict(document["State"]),
        "HostConfig": {name: host.get(name) for name in RESOURCE_FIELDS},
    }
