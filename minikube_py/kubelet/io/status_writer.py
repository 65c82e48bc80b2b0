"""Writes pods' statuses: the latest wanted one of each pod, only what changed, never an older one after a newer.

A status that comes while one is being written replaces what waits. The base of the difference is the newer of the
informer's copy and the answer to the last write. What somebody else changed since that answer is written again: the
master marks the pods of a node that it does not hear of, and must not be the last to speak once it hears of it.
Upstream: kubelet/status/status_manager.go, needsReconcile.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass

from minikube_py.api.errors import ConflictError, NotFoundError, StatusError
from minikube_py.api.meta import Obj, ObjectKey, resource_version_of, uid_of
from minikube_py.api.resources import PODS
from minikube_py.client.interface import Change, Client, Informer
from minikube_py.kit.backoff import BackoffPolicy, BackoffState, next_backoff
from minikube_py.kit.clock import Clock
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_conditions import OWNED
from minikube_py.kubelet.pod_status import status_patch
from minikube_py.kubelet.static_pods import static_uid

log = logging.getLogger("kubelet")

WRITERS = 4
RETRY = BackoffPolicy(initial_s=0.2, maximum_s=5.0, reset_after_s=30.0)


@dataclass(slots=True)
class _Entry:
    key: ObjectKey
    status: Obj
    version: int = 0
    written: int = -1
    answer: Obj | None = None
    """The newest object that a write has seen; once the write is done, one that has the status."""
    failures: BackoffState | None = None


class StatusWriter:
    """Holds at most one status for each pod of the node."""

    def __init__(self, client: Client, pods: Informer, clock: Clock) -> None:
        self._client = client
        self._pods = pods
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._queue: OrderedDict[str, None] = OrderedDict()
        self._busy: set[str] = set()
        self._changed = asyncio.Condition()
        self._strayed: set[str] = set()
        self._stray = asyncio.Event()
        pods.subscribe(self._on_pod)

    def latest(self, pod: Pod) -> Obj:
        """Return the status that was wanted last, or the one that came with the pod."""
        entry = self._entries.get(pod.uid)
        known: Obj = pod.object.get("status") or {}
        if entry is None:
            return known
        # Conditions of others are the API's business: take them from the newest copy.
        ours = {*OWNED, *(c["type"] for c in entry.status.get("conditions") or ())}
        foreign = [c for c in known.get("conditions") or () if c["type"] not in ours]
        return {**entry.status, "conditions": list(entry.status.get("conditions") or ()) + foreign}

    async def put(self, pod: Pod, status: Obj) -> None:
        """Want `status` for `pod`; returns at once."""
        entry = self._entries.get(pod.uid)
        if entry is None:
            entry = self._entries[pod.uid] = _Entry(pod.key, status)
        elif entry.status == status:
            return
        entry.status = status
        entry.version += 1
        async with self._changed:
            self._queue[pod.uid] = None
            self._changed.notify_all()

    async def write_again(self, uid: str) -> None:
        """Have the last wanted status of a pod written once more, to an object that has not got it."""
        entry = self._entries.get(uid)
        if entry is not None:
            entry.answer = None
            await self._want_again(uid, entry)

    async def _want_again(self, uid: str, entry: _Entry) -> None:
        entry.version += 1
        async with self._changed:
            self._queue[uid] = None
            self._changed.notify_all()

    def _on_pod(self, change: Change) -> None:
        pod = change.new
        for uid in (uid_of(pod), static_uid(pod)) if pod is not None else ():
            entry = self._entries.get(uid)
            # During a write nothing is sure; its end looks at the newest copy.
            if entry is not None and pod is not None and self._is_written(uid):
                self._compare(uid, entry, pod)

    def _compare(self, uid: str, entry: _Entry, pod: Obj) -> None:
        """Have a status written again when a newer object of the API shows another one."""
        if entry.answer is None or resource_version_of(pod) <= resource_version_of(entry.answer):
            return
        # Compared with what the server made of our status, not with what we wanted: it may write things its way.
        if status_patch(entry.answer.get("status") or {}, pod.get("status") or {}):
            self._write_strayed(uid)

    def _write_strayed(self, uid: str) -> None:
        self._strayed.add(uid)
        self._stray.set()

    def forget(self, uid: str) -> None:
        """Drop what is remembered of a pod that is gone."""
        self._entries.pop(uid, None)
        self._queue.pop(uid, None)

    async def wait_written(self, uid: str) -> None:
        """Wait until the last wanted status of a pod is written, or cannot be any more (the pod is gone)."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._is_written(uid))

    def _is_written(self, uid: str) -> bool:
        entry = self._entries.get(uid)
        return entry is None or entry.written >= entry.version

    async def run(self) -> None:
        """Write until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(WRITERS):
                group.create_task(self._write_forever(), name=f"pod-status-{number}")
            while True:
                await self._stray.wait()
                self._stray.clear()
                while self._strayed:
                    uid = self._strayed.pop()
                    if uid in self._entries:
                        await self._want_again(uid, self._entries[uid])

    async def _write_forever(self) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._next() is not None)
                uid = self._next()
                assert uid is not None
                self._queue.pop(uid)
                self._busy.add(uid)
            entry = self._entries.get(uid)
            delay_s = 0.0 if entry is None else await self._write(uid, entry)
            if delay_s:
                await self._clock.sleep(delay_s)
            async with self._changed:
                self._busy.discard(uid)
                if uid in self._entries and not self._is_written(uid):
                    self._queue[uid] = None
                self._changed.notify_all()

    def _next(self) -> str | None:
        return next((uid for uid in self._queue if uid not in self._busy), None)

    async def _write(self, uid: str, entry: _Entry) -> float:
        """Write an entry's status; return how long to wait before the next try, 0 when it is done."""
        version = entry.version
        try:
            await self._write_once(uid, entry)
        except NotFoundError:
            log.debug("pod %s is gone, its status is not written", entry.key)
        except StatusError as error:
            entry.failures = next_backoff(RETRY, entry.failures, self._clock.now_s())
            log.warning("status of pod %s is not written: %s", entry.key, error.message)
            return entry.failures.delay_s
        entry.failures = None
        entry.written = max(entry.written, version)
        newest = self._base(uid, entry)
        if newest is not None and self._is_written(uid):
            self._compare(uid, entry, newest)
        return 0.0

    async def _write_once(self, uid: str, entry: _Entry) -> None:
        base = self._base(uid, entry)
        if base is None:
            return
        patch = status_patch(entry.status, base.get("status") or {})
        if not patch:
            entry.answer = base
            return
        body: Obj = {"metadata": {"uid": uid_of(base)}, "status": patch}
        foreign = any(c["type"] not in OWNED for c in (base.get("status") or {}).get("conditions") or ())
        if foreign and "conditions" in patch:
            # The list is replaced as a whole: only on top of the very object whose other conditions it carries.
            body["metadata"]["resourceVersion"] = base["metadata"]["resourceVersion"]
        try:
            entry.answer = await self._client.patch(PODS, entry.key, body, subresource="status")
            if _has_changed(base, entry.answer, set(entry.status) - set(patch)):
                self._write_strayed(uid)
        except ConflictError:
            current = await self._client.get(PODS, entry.key)
            if not _shows(current, uid):
                return
            entry.answer = current
            raise

    def _base(self, uid: str, entry: _Entry) -> Obj | None:
        cached = self._pods.get(entry.key)
        candidates = [obj for obj in (cached, entry.answer) if obj is not None and _shows(obj, uid)]
        return max(candidates, key=resource_version_of, default=None)


def _has_changed(before: Obj, after: Obj, fields: set[str]) -> bool:
    """Return whether any of these fields of the status differs."""
    old, new = before.get("status") or {}, after.get("status") or {}
    return any(old.get(field) != new.get(field) for field in fields)


def _shows(obj: Obj, uid: str) -> bool:
    """Return whether an object of the API is this pod, or the mirror pod of this static pod."""
    return uid in (uid_of(obj), static_uid(obj))
