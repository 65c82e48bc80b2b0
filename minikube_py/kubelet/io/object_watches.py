"""Follows the ConfigMaps and Secrets that volumes of this node's pods show, each by a watch of its own.

A node sees only what its pods name. A watch is shared by all pods that show the object, begins with the first of them
and ends with the last; one of an object that says that it is immutable ends at once. Beyond WATCHES_MAX objects the
rest is read again only with the pods' own resync. Upstream: kubelet util/manager watch-based manager.
"""

import asyncio
import logging
from collections.abc import Callable

from minikube_py.api.meta import Obj, ObjectKey
from minikube_py.api.resource import Resource
from minikube_py.api.resources import CONFIGMAPS, SECRETS
from minikube_py.client.interface import Client, ObjectList, Selection, WatchEvent
from minikube_py.client.io.reflector import Reflector
from minikube_py.kit.clock import Clock
from minikube_py.kubelet.environment import ObjectRef

log = logging.getLogger("kubelet")

WATCHES_MAX = 256
"""Objects followed; an agent on another host has a connection for each."""

_RESOURCES: dict[str, Resource] = {"ConfigMap": CONFIGMAPS, "Secret": SECRETS}

Watched = tuple[str, ObjectKey]
"""Kind and key."""
Seen = Callable[[Watched, Obj | None], bool]
"""Takes over a newest state; returns whether it is another than before."""


class ObjectWatches:
    """One for the kubelet; watches run in the group given to `begin`."""

    def __init__(self, client: Client, clock: Clock, random: Callable[[], float], seen: Seen) -> None:
        self._client = client
        self._clock = clock
        self._random = random
        self._seen = seen
        self._changed: Callable[[str], None] = lambda uid: None
        self._pods: dict[str, frozenset[Watched]] = {}
        self._users: dict[Watched, set[str]] = {}
        self._tasks: dict[Watched, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    def begin(self, group: asyncio.TaskGroup, changed: Callable[[str], None]) -> None:
        """Run watches in `group` from now on; `changed` hears the uid of each pod that shows a changed object."""
        self._group = group
        self._changed = changed

    def follow(self, pod_uid: str, namespace: str, refs: tuple[ObjectRef, ...]) -> None:
        """Follow exactly these objects for a pod."""
        wanted = frozenset((kind, ObjectKey(namespace, name)) for kind, name in refs)
        before = self._pods.get(pod_uid, frozenset())
        if wanted == before:
            return
        if wanted:
            self._pods[pod_uid] = wanted
        else:
            self._pods.pop(pod_uid, None)
        for watched in sorted(before - wanted):
            self._leave(watched, pod_uid)
        for watched in sorted(wanted - before):
            self._join(watched, pod_uid)

    def drop(self, pod_uid: str) -> None:
        """Follow nothing for a pod."""
        self.follow(pod_uid, "", ())

    def _join(self, watched: Watched, pod_uid: str) -> None:
        self._users.setdefault(watched, set()).add(pod_uid)
        if watched in self._tasks or self._group is None:
            return
        if len(self._tasks) >= WATCHES_MAX:
            log.warning("%s %s is not watched: %d objects are", watched[0], watched[1], WATCHES_MAX)
            return
        kind, key = watched
        selection = Selection(namespace=key.namespace, field_selector=f"metadata.name={key.name}")
        target = _Target(lambda obj: self._take(watched, obj))
        reflector = Reflector(self._client, _RESOURCES[kind], selection, target, self._clock, self._random)
        self._tasks[watched] = self._group.create_task(reflector.run(), name=f"watch {kind} {key}")

    def _leave(self, watched: Watched, pod_uid: str) -> None:
        users = self._users[watched]
        users.discard(pod_uid)
        if not users:
            del self._users[watched]
            self._stop(watched)

    def _stop(self, watched: Watched) -> None:
        task = self._tasks.pop(watched, None)
        if task is not None:
            task.cancel()

    def _take(self, watched: Watched, obj: Obj | None) -> None:
        if self._seen(watched, obj):
            for uid in sorted(self._users.get(watched, ())):
                self._changed(uid)
        if obj is not None and obj.get("immutable"):
            self._stop(watched)


class _Target:
    """A copy of the one object that a watch selects (client.io.reflector.ReflectorTarget)."""

    def __init__(self, take: Callable[[Obj | None], None]) -> None:
        self._take = take

    def replace(self, listed: ObjectList) -> None:
        """Take over a list of one object, or none."""
        self._take(listed.items[0] if listed.items else None)

    def follow(self, event: WatchEvent) -> None:
        """Take over a change."""
        self._take(None if event.type == "DELETED" else event.object)

    def reach(self, revision: int) -> None:
        """Nothing to do."""
