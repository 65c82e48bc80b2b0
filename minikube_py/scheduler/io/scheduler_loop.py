"""The scheduler at work: follows pods and nodes, decides for one pod at a time, binds many at once.

A pod is tried the moment it appears. A decision counts what earlier decisions took (assumed pods), so bindings need
not be waited for. Nothing is kept that matters: after a restart the caches say what is bound and what waits.

Upstream: pkg/scheduler (schedule_one.go, eventhandlers.go).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from minikube_py.api.errors import ConflictError, NotFoundError, StatusError
from minikube_py.api.meta import Obj, ObjectKey, format_time, is_deleting, key_of, labels_of, name_of, uid_of
from minikube_py.api.resources import NAMESPACES, NODES, PODS
from minikube_py.client.interface import STRATEGIC, Change, Client, Informers
from minikube_py.client.io.event_recorder import EventRecorder
from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids
from minikube_py.kit.io.waiting import wait_event_or_sleep
from minikube_py.scheduler.cluster_state import ClusterState, binding_of, is_terminal, node_of
from minikube_py.scheduler.config import SchedulerConfig
from minikube_py.scheduler.cycle import Bind, Unschedulable, schedule
from minikube_py.scheduler.io.volume_binding import VolumeBinding, VolumesNotBoundError
from minikube_py.scheduler.node_info import PodInfo, read_pod
from minikube_py.scheduler.queue import SchedulingQueue
from minikube_py.scheduler.snapshot import Snapshot
from minikube_py.scheduler.volumes import NOTHING_TO_BIND_FIRST, claims_of

log = logging.getLogger("scheduler")


class Scheduler:
    """Gives pods to nodes; make it before the informers run, then `run` it."""

    def __init__(
        self,
        client: Client,
        informers: Informers,
        clock: Clock,
        ids: Ids,
        pick_below: Callable[[int], int],
        config: SchedulerConfig,
    ) -> None:
        """Subscribe to what it follows; `pick_below(n)` returns a random number below n."""
        self._client = client
        self._clock = clock
        self._pick_below = pick_below
        self._config = config
        self._recorder = EventRecorder(client, clock, ids, config.scheduler_name, "")
        self._state = ClusterState()
        self._queue = SchedulingQueue()
        self._changed = asyncio.Event()
        self._pods = informers.informer(PODS)
        self._nodes = informers.informer(NODES)
        self._namespaces = informers.informer(NAMESPACES)
        self._volumes = VolumeBinding(client, informers, clock)
        self._volumes.subscribe(lambda change: self._note_change())
        self._namespaces.subscribe(self._on_namespace)
        self._nodes.subscribe(self._on_node)
        self._pods.subscribe(self._on_pod)

    async def run(self) -> None:
        """Schedule until cancelled."""
        for informer in (self._namespaces, self._nodes, self._pods):
            await informer.wait_synced()
        await self._volumes.wait_synced()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recorder.run(), name="events of the scheduler")
            await self._schedule_all(group)

    async def _schedule_all(self, group: asyncio.TaskGroup) -> None:
        bindings = asyncio.Semaphore(self._config.bindings_max)
        status_writes = asyncio.Semaphore(self._config.status_writes_max)
        while True:
            now_s = self._clock.now_s()
            key = self._queue.take(now_s)
            if key is None:
                await self._wait(now_s)
                continue
            pod = self._pods.get(key)
            if pod is None or not self._waits_for_node(pod) or self._state.is_assumed(uid_of(pod)):
                self._queue.remove(key)
                continue
            info = read_pod(pod)
            decision = schedule(info, self._snapshot(pod), self._pick_below)
            match decision:
                case Bind():
                    self._state.assume(info, decision.node_name)
                    self._volumes.assume(decision.volumes)
                    await bindings.acquire()
                    group.create_task(self._bind(info, decision, bindings), name=f"bind {key}")
                case Unschedulable():
                    self._queue.park(key, now_s)
                    await status_writes.acquire()
                    group.create_task(self._report(info, decision, status_writes), name=f"report {key}")
            # One decision can take a while; the loop's other tasks come between two.
            await asyncio.sleep(0)

    def _snapshot(self, pod: Obj) -> Snapshot:
        snapshot = self._state.snapshot()
        return replace(snapshot, storage=self._volumes.storage(pod)) if claims_of(pod) else snapshot

    async def _wait(self, now_s: float) -> None:
        self._changed.clear()
        ready_s = self._queue.next_ready_s()
        if ready_s is None:
            await self._changed.wait()
        else:
            await wait_event_or_sleep(self._changed, self._clock, ready_s - now_s)

    async def _bind(self, pod: PodInfo, decision: Bind, slot: asyncio.Semaphore) -> None:
        try:
            if decision.volumes != NOTHING_TO_BIND_FIRST:
                await self._bind_volumes(pod, decision, slot)
            binding = binding_of(pod.key, pod.uid, decision.node_name)
            await self._client.create_subresource(PODS, pod.key, "binding", binding)
        except (NotFoundError, ConflictError) as error:
            # Gone, another one, or bound by somebody else: the cache will say which.
            log.debug("binding of pod %s: %s", pod.key, error.message)
            self._state.unassume(pod.uid)
            self._retry(pod.key)
        except VolumesNotBoundError as error:
            self._state.unassume(pod.uid)
            why = f'running PreBind plugin "VolumeBinding": binding volumes: {error}'
            self._recorder.record(pod.obj, "Warning", "FailedScheduling", why)
            self._retry(pod.key)
        except StatusError as error:
            log.warning("binding of pod %s to node %s failed: %s", pod.key, decision.node_name, error.message)
            self._state.unassume(pod.uid)
            self._recorder.record(pod.obj, "Warning", "FailedScheduling", f"binding rejected: {error.message}")
            self._retry(pod.key)
        else:
            current = self._pods.get(pod.key)
            if current is None or uid_of(current) == pod.uid:
                self._queue.remove(pod.key)
            message = f"Successfully assigned {pod.key} to {decision.node_name}"
            self._recorder.record(pod.obj, "Normal", "Scheduled", message)
        finally:
            self._volumes.forget(decision.volumes)
            slot.release()

    async def _bind_volumes(self, pod: PodInfo, decision: Bind, slot: asyncio.Semaphore) -> None:
        """Have the volumes bound, without keeping others from being bound meanwhile."""

        def still_wanted() -> bool:
            current = self._pods.get(pod.key)
            return current is not None and uid_of(current) == pod.uid and not is_deleting(current)

        slot.release()
        try:
            await self._volumes.bind(decision.volumes, decision.node_name, still_wanted)
        finally:
            await slot.acquire()

    def _retry(self, key: ObjectKey) -> None:
        self._queue.retry(key, self._clock.now_s())
        self._changed.set()

    async def _report(self, pod: PodInfo, decision: Unschedulable, slot: asyncio.Semaphore) -> None:
        try:
            self._recorder.record(pod.obj, "Warning", "FailedScheduling", decision.message)
            patch = _condition_patch(pod, decision.message, self._clock.wall_s())
            if patch is not None:
                await self._client.patch(PODS, pod.key, patch, patch_type=STRATEGIC, subresource="status")
        except (NotFoundError, ConflictError) as error:
            log.debug("condition of pod %s: %s", pod.key, error.message)
        except StatusError as error:
            log.warning("the condition of pod %s could not be written: %s", pod.key, error.message)
        finally:
            slot.release()

    def _waits_for_node(self, pod: Obj) -> bool:
        spec = pod.get("spec") or {}
        return (
            not node_of(pod)
            and not is_terminal(pod)
            and not is_deleting(pod)
            and not spec.get("schedulingGates")
            and spec.get("schedulerName", "default-scheduler") == self._config.scheduler_name
        )

    def _on_pod(self, change: Change) -> None:
        old, new = change.old, change.new
        if old is not None and new is not None and uid_of(old) != uid_of(new):
            self._on_pod(Change(old, None))
            self._on_pod(Change(None, new))
            return
        if new is None:
            self._queue.remove(key_of(change.latest))
            self._state.remove_pod(uid_of(change.latest))
            if node_of(change.latest):
                self._note_change()
            return
        self._state.put_pod(new)
        if self._waits_for_node(new):
            if old is None or not self._waits_for_node(old) or _asks_otherwise(old, new):
                self._queue.add(key_of(new), int((new.get("spec") or {}).get("priority") or 0), self._clock.now_s())
                self._changed.set()
        else:
            self._queue.remove(key_of(new))
        if node_of(new) and _matters_to_others(old, new):
            self._note_change()

    def _on_node(self, change: Change) -> None:
        if change.new is None:
            self._state.remove_node(name_of(change.latest))
            # A domain less can make the rest even again.
            self._note_change()
            return
        self._state.put_node(change.new)
        if change.old is None or _offers(change.old) != _offers(change.new):
            self._note_change()

    def _on_namespace(self, change: Change) -> None:
        if change.new is None:
            self._state.remove_namespace(name_of(change.latest))
        elif change.old is None or labels_of(change.old) != labels_of(change.new):
            self._state.put_namespace(change.new)

    def _note_change(self) -> None:
        self._queue.note_change(self._clock.now_s())
        self._changed.set()


def _asks_otherwise(old: Obj, new: Obj) -> bool:
    """Return whether a waiting pod changed so that another try may end otherwise (not: its condition was written)."""
    return old.get("spec") != new.get("spec") or labels_of(old) != labels_of(new)


def _matters_to_others(old: Obj | None, new: Obj) -> bool:
    """Return whether a bound pod's change may let others fit: it ended, came, was resized, or has other labels."""
    if old is None or is_terminal(old) != is_terminal(new) or is_deleting(old) != is_deleting(new):
        return True
    return old.get("spec") != new.get("spec") or labels_of(old) != labels_of(new)


def _offers(node: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what of a node decides about pods; heartbeats and conditions do not."""
    spec, status = node.get("spec") or {}, node.get("status") or {}
    return (labels_of(node), spec.get("taints"), spec.get("unschedulable"), status.get("allocatable"))


def _condition_patch(pod: PodInfo, message: str, wall_s: float) -> Obj | None:
    """Return the patch that sets PodScheduled=False, None when the pod says so already."""
    for condition in (pod.obj.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled":
            since = condition.get("lastTransitionTime") if condition.get("status") == "False" else None
            if since and condition.get("reason") == "Unschedulable" and condition.get("message") == message:
                return None
            break
    else:
        since = None
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
        "lastTransitionTime": since or format_time(wall_s),
    }
    return {"metadata": {"uid": pod.uid}, "status": {"conditions": [condition]}}
