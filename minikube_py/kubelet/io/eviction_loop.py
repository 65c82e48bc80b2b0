"""Watches what the node runs short of, and makes pods go before the kernel chooses for itself.

One look every `eviction_monitoring_s`: the host's own numbers (some twenty files). Only when a threshold is met are
the pods' numbers read, and only the directories of pods with limits on local storage are walked over. At most one pod
goes for a threshold in one look; then it is waited for until it is gone, since only that shows what it brought.

Before pods, what nobody uses is reclaimed: dead containers, then whatever else was registered (unused images).

Upstream: kubelet/eviction/eviction_manager.go.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerRuntimeError
from minikube_py.kubelet.eviction import (
    EvictionState,
    Observations,
    compute_round,
    met_thresholds,
    observe_node,
)
from minikube_py.kubelet.eviction_ranking import Candidate, eviction_message, is_critical, rank
from minikube_py.kubelet.eviction_thresholds import CONDITION_OF, RESOURCE_OF, Threshold, parse_thresholds
from minikube_py.kubelet.io.node_loop import NodeLoop
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.io.statistics import NodeStatistics
from minikube_py.kubelet.local_storage import has_storage_limits, storage_violation
from minikube_py.kubelet.pod_status import PodFailure
from minikube_py.kubelet.ports import EventSink, Reclaim
from minikube_py.kubelet.statistics import PodSample

log = logging.getLogger("kubelet")

IMMEDIATE_GRACE_S = 1.0
"""What a pod has at a hard threshold."""
CLEAN_UP_S_MAX = 30.0
CLEAN_UP_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class EvictionTools:
    """What the loop works with."""

    node: NodeLoop
    statistics: NodeStatistics
    reclaims: Sequence[Reclaim]
    """In this order, for disk pressure."""
    recorder: EventSink
    clock: Clock


class EvictionLoop:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, tools: EvictionTools, states: Callable[[], Iterable[PodState]]) -> None:
        self._config = config
        self._tools = tools
        self._states = states
        self._state = EvictionState()
        self._thresholds = parse_thresholds(
            config.eviction_hard,
            config.eviction_soft,
            config.eviction_soft_grace_period,
            config.eviction_minimum_reclaim,
        )

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            evicted: list[PodState] = []
            try:
                evicted = await self.look()
            except ContainerRuntimeError as error:
                log.warning("the node's resources are not known: %s", error.message)
            if evicted:
                await self._wait_cleaned(evicted)
            else:
                await self._tools.clock.sleep(self._config.eviction_monitoring_s)

    async def look(self) -> list[PodState]:
        """Look once; return the pods that were told to go."""
        node = await self._tools.statistics.node()
        observations = observe_node(node)
        clock, transition_s = self._tools.clock, self._config.eviction_pressure_transition_s
        found = compute_round(self._state, self._thresholds, observations, clock.now_s(), transition_s)
        self._state = found.state
        self._tools.node.set_pressures(found.conditions)
        evicted = await self._enforce_storage_limits(has_image_fs=node.has_image_fs)
        if evicted or not found.acting:
            return evicted
        threshold = found.acting[0]
        resource = RESOURCE_OF[threshold.signal]
        self._tools.node.warn("EvictionThresholdMet", f"Attempting to reclaim {resource}")
        if await self._reclaim(threshold):
            log.info("%s was reclaimed without evicting a pod", resource)
            return []
        return await self._evict_one(found.acting, observations, has_image_fs=node.has_image_fs)

    async def _enforce_storage_limits(self, *, has_image_fs: bool) -> list[PodState]:
        limited = {s.pod.uid: s for s in self._active() if has_storage_limits(s.pod)}
        if not limited:
            return []
        samples = await self._samples(frozenset(limited))
        evicted = []
        for uid, state in limited.items():
            sample = samples.get(uid)
            message = None if sample is None else storage_violation(state.pod, sample, has_image_fs=has_image_fs)
            if message is not None and self._evict(state, message, IMMEDIATE_GRACE_S, disruption=False):
                evicted.append(state)
        return evicted

    async def _samples(self, uids: frozenset[str]) -> dict[str, PodSample]:
        statistics = self._tools.statistics
        snapshot = await statistics.snapshot()
        snapshot = await statistics.with_disks(snapshot, self._config.eviction_monitoring_s, uids)
        return {pod.pod.uid: pod for pod in snapshot.pods}

    async def _reclaim(self, threshold: Threshold) -> bool:
        """Reclaim what no pod needs; return whether that was enough."""
        if CONDITION_OF[threshold.signal] != "DiskPressure" or not self._tools.reclaims:
            return False
        for reclaim in self._tools.reclaims:
            await reclaim.reclaim()
        observations = observe_node(await self._tools.statistics.node())
        return not met_thresholds(self._thresholds, observations, with_reclaim=True)

    async def _evict_one(
        self, acting: Sequence[Threshold], observations: Observations, *, has_image_fs: bool
    ) -> list[PodState]:
        threshold = acting[0]
        states = {s.pod.uid: s for s in self._active()}
        if not states:
            log.error("too little %s, but no pod runs that could go", RESOURCE_OF[threshold.signal])
            return []
        disks = CONDITION_OF[threshold.signal] == "DiskPressure"
        samples = await self._samples(frozenset(states) if disks else frozenset())
        candidates = [Candidate(state.pod, samples.get(uid)) for uid, state in states.items()]
        for candidate in rank(candidates, threshold.signal, has_image_fs=has_image_fs):
            state = states[candidate.pod.uid]
            message = eviction_message(candidate, acting, observations)
            if self._evict(state, message, self._grace_s(state, threshold), disruption=True):
                return [state]
        log.error("too little %s, but every pod is critical", RESOURCE_OF[threshold.signal])
        return []

    def _grace_s(self, state: PodState, threshold: Threshold) -> float:
        if threshold.is_hard:
            return IMMEDIATE_GRACE_S
        most_s, own_s = self._config.eviction_max_pod_grace_s, state.pod.termination_grace_s
        return max(min(most_s, own_s) if most_s else own_s, IMMEDIATE_GRACE_S)

    def _active(self) -> list[PodState]:
        return [s for s in self._states() if not s.over and not s.must_stop and s.failure is None]

    def _evict(self, state: PodState, message: str, grace_s: float, *, disruption: bool) -> bool:
        if is_critical(state.pod):
            log.error("pod %s is critical and is not evicted: %s", state.pod.key, message)
            return False
        log.warning("pod %s is evicted: %s", state.pod.key, message)
        self._tools.recorder.record(state.pod.involved, "Warning", "Evicted", message)
        state.fail(PodFailure("Evicted", message, disruption=disruption), grace_s)
        return True

    async def _wait_cleaned(self, evicted: Sequence[PodState]) -> None:
        until_s = self._tools.clock.now_s() + CLEAN_UP_S_MAX
        while not all(state.over or state.ended for state in evicted):
            if self._tools.clock.now_s() >= until_s:
                names = ", ".join(str(state.pod.key) for state in evicted)
                log.warning("evicted pods are not gone after %g s: %s", CLEAN_UP_S_MAX, names)
                return
            await self._tools.clock.sleep(min(CLEAN_UP_POLL_S, self._config.eviction_monitoring_s))
