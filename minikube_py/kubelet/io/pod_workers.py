"""One worker for each pod uid: the latest state wins, steps of one pod never overlap, a worker ends with its pod.

Upstream: kubelet/pod_workers.go. Two pods of the same name (a replaced one and its successor) have two workers.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.cri import RuntimeEvent
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.io.pod_sync import PodSync
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_runtime_status import PodRuntimeStatus

log = logging.getLogger("kubelet")

ENDED_MAX = 512
"""Uids of pods that are done with, remembered so that a late watch event does not begin again."""


class PodWorkers:
    """Owns the workers; their tasks live in the group given to `begin`."""

    def __init__(self, sync: PodSync, clock: Clock) -> None:
        self._sync = sync
        self._clock = clock
        self._states: dict[str, PodState] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._group: asyncio.TaskGroup | None = None

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Run workers in `group` from now on."""
        self._group = group

    def states(self) -> Iterable[PodState]:
        """Return what is known of every pod, sorted by uid."""
        return tuple(self._states[uid] for uid in sorted(self._states))

    def state(self, uid: str) -> PodState | None:
        """Return what is known of a pod."""
        return self._states.get(uid)

    def update(
        self,
        pod: Pod,
        *,
        pod_ip: str = "",
        runtime_has_some: bool = False,
        at_start: PodRuntimeStatus | None = None,
    ) -> None:
        """Take over a pod's newest object, starting its worker if it has none.

        Args:
            pod: the pod.
            pod_ip: the address that it has already (after a restart of the kubelet).
            runtime_has_some: the runtime may have containers of it; else the first look does not ask.
            at_start: what it had of the pod at the start of the kubelet, if nothing can have changed since.
        """
        state = self._states.get(pod.uid)
        if state is not None:
            state.take(pod)
            return
        if pod.uid in self._ended:
            return
        self._begin(PodState(pod, self._clock.wall_s(), at_start=at_start), pod_ip, runtime_has_some)

    def adopt_orphan(self, pod: Pod, *, pod_ip: str) -> None:
        """Stop what the runtime has of a pod that the API does not have."""
        if pod.uid not in self._states:
            self._ended.pop(pod.uid, None)
            state = PodState(pod, self._clock.wall_s(), removed=True)
            self._begin(state, pod_ip, True)

    def _begin(self, state: PodState, pod_ip: str, runtime_has_some: bool) -> None:
        assert self._group is not None, "begin comes first"
        state.pod_ip = pod_ip
        state.status_is_current = not runtime_has_some
        if state.must_stop:
            state.stop.set()
        self._states[state.pod.uid] = state
        self._group.create_task(self._work(state), name=f"pod-{state.pod.key}")

    def remove(self, uid: str, last: Pod | None) -> None:
        """Note that the API has a pod no more; `last` is its last object."""
        state = self._states.get(uid)
        if state is None:
            return
        if last is not None:
            state.take(last)
        state.note_removed()

    def note_event(self, event: RuntimeEvent) -> None:
        """Have the pod of an event looked at, unless it tells of what the pod's own worker did."""
        state = self._states.get(event.pod_uid)
        if state is not None and event.action == "start":
            if state.starts_sandbox or event.container in state.started:
                return
        elif state is not None:
            state.started.discard(event.container)
        self.note_runtime_change(event.pod_uid)

    def note_volume_change(self, uid: str) -> None:
        """Have a pod's volumes brought up to date; fine when there is no such pod."""
        state = self._states.get(uid)
        if state is not None:
            state.note_volume_change()

    def note_runtime_change(self, uid: str) -> None:
        """Have a pod looked at; an empty uid means every pod."""
        for state in self.states() if not uid else filter(None, [self._states.get(uid)]):
            state.note_runtime_change()

    async def _work(self, state: PodState) -> None:
        while not state.ended:
            state.wake.clear()
            delay_s = await self._sync.step(state)
            if state.ended:
                break
            if delay_s <= 0:
                await asyncio.sleep(0)
                continue
            try:
                async with asyncio.timeout(delay_s):
                    await state.wake.wait()
            except TimeoutError:
                continue
        self._states.pop(state.pod.uid, None)
        self._ended[state.pod.uid] = None
        if len(self._ended) > ENDED_MAX:
            self._ended.popitem(last=False)
