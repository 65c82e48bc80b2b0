"""Ends the pods in order when the host shuts down; a stop of the agent alone leaves them running.

Off unless a grace period is set, and without logind: then a shutdown stops the containers as the engine does it.
Upstream: kubelet/nodeshutdown/nodeshutdown_manager_linux.go.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.io.node_loop import NodeLoop
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.ports import OpenInhibitor, ShutdownInhibitor
from minikube_py.kubelet.shutdown import NODE_FAULT, TERMINATED, grace_of, shutdown_groups

log = logging.getLogger("kubelet")

POLL_S = 0.1
RECONNECT_S = 5.0
"""After the bus went away."""


@dataclass(frozen=True, slots=True)
class ShutdownTools:
    """What the loop works with."""

    open: OpenInhibitor
    node: NodeLoop
    states: Callable[[], Iterable[PodState]]
    clock: Clock


class ShutdownLoop:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, tools: ShutdownTools) -> None:
        self._config = config
        self._tools = tools

    async def run(self) -> None:
        """Hold up shutdowns until cancelled."""
        if self._config.shutdown_grace_period_s <= 0:
            return
        known = True
        while True:
            try:
                async with self._tools.open() as inhibitor:
                    known = True
                    await self._follow(inhibitor)
            except* OSError as errors:
                if known:
                    log.warning("shutdowns of the host are not held up: %s", errors.exceptions[0])
                known = False
            await self._tools.clock.sleep(RECONNECT_S)

    async def _follow(self, inhibitor: ShutdownInhibitor) -> None:
        wanted_s = self._config.shutdown_grace_period_s
        delay_s = await inhibitor.lengthen_delay(wanted_s)
        if delay_s < wanted_s:
            log.warning("logind holds a shutdown up for %g s only, pods have less than %g s", delay_s, wanted_s)
        lock: int | None = await inhibitor.inhibit()
        try:
            async for begins in inhibitor.shutdowns():
                self._tools.node.set_shutting_down(begins)
                if not begins:
                    log.info("the shutdown of the host was called off")
                    lock = await inhibitor.inhibit() if lock is None else lock
                elif lock is not None:
                    await self._end_pods(min(delay_s, wanted_s))
                    inhibitor.release(lock)
                    lock = None
        finally:
            if lock is not None:
                inhibitor.release(lock)

    async def _end_pods(self, grace_s: float) -> None:
        """End all pods, group after group."""
        log.warning("the host shuts down: %s", NODE_FAULT)
        states = {state.pod.uid: state for state in self._tools.states() if not state.over}
        critical_s = self._config.shutdown_grace_period_critical_s
        for group in shutdown_groups((state.pod for state in states.values()), grace_s, critical_s):
            going = [states[pod.uid] for pod in group.pods]
            for state in going:
                if state.failure is None:
                    state.fail(TERMINATED, grace_of(state.pod, group))
            until_s = self._tools.clock.now_s() + group.grace_s
            while not all(state.over or state.ended for state in going):
                if self._tools.clock.now_s() >= until_s:
                    names = ", ".join(str(state.pod.key) for state in going if not (state.over or state.ended))
                    log.warning("pods have not ended within %g s: %s", group.grace_s, names)
                    break
                await self._tools.clock.sleep(POLL_S)
