"""Asks, once for each pod, whether this node takes it, and fails those that it does not take.

A pod that something runs of, or whose status says that the node once took it, is not asked: after a restart of the
agent what runs goes on. The question and its answer have no await between them, so that two pods never get the same
room. Upstream: kubelet HandlePodAdditions, canAdmitPod, rejectPod.
"""

import logging
from collections.abc import Callable, Iterable

from minikube_py.kubelet.eviction_ranking import is_critical
from minikube_py.kubelet.io.node_knowledge import NodeKnowledge
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.node_admission import NodeRoom, judge_pod
from minikube_py.kubelet.pod_status import PodFailure
from minikube_py.kubelet.ports import EventSink
from minikube_py.kubelet.preemption import EVENT_MESSAGE, PREEMPTING, choose_victims
from minikube_py.kubelet.shutdown import NOT_TAKEN

log = logging.getLogger("kubelet")


class NodeAdmission:
    """One for the kubelet."""

    def __init__(
        self, knowledge: NodeKnowledge, recorder: EventSink, states: Callable[[], Iterable[PodState]]
    ) -> None:
        self._knowledge = knowledge
        self._recorder = recorder
        self._states = states

    def admit(self, state: PodState) -> bool:
        """Decide about a pod; False: ask again, since the node does not know itself yet or makes room for it."""
        if state.admitted or state.failure is not None:
            return True
        if _was_admitted(state):
            state.admitted = True
        elif self._knowledge.shutting_down:
            self._recorder.record(state.pod.involved, "Warning", NOT_TAKEN.reason, NOT_TAKEN.message)
            state.fail(NOT_TAKEN)
        else:
            return self._judge(state)
        return True

    def _judge(self, state: PodState) -> bool:
        if not self._knowledge.node:
            return False
        room = NodeRoom(self._knowledge.node, self._knowledge.allocatable, self._knowledge.pressures)
        others = [s for s in self._states() if s is not state and s.admitted and not s.over]
        rejection = judge_pod(state.pod, room, [other.pod for other in others])
        if rejection is None:
            state.admitted = True
            return True
        if self._makes_room(state, room, others):
            return False
        log.info("pod %s is not taken: %s", state.pod.key, rejection.message)
        self._recorder.record(state.pod.involved, "Warning", rejection.reason, rejection.message)
        state.fail(PodFailure(rejection.reason, rejection.status_message, rejected=True))
        return True

    def _makes_room(self, state: PodState, room: NodeRoom, others: list[PodState]) -> bool:
        """Return whether pods are going, so that a critical one fits."""
        if is_critical(state.pod) and any(other.failure is not None for other in others):
            return True
        victims = choose_victims(state.pod, room, [other.pod for other in others])
        for other in others:
            if other.pod in victims:
                log.warning("pod %s goes for the critical pod %s", other.pod.key, state.pod.key)
                self._recorder.record(other.pod.involved, "Warning", PREEMPTING, EVENT_MESSAGE)
                other.fail(PodFailure(PREEMPTING, EVENT_MESSAGE, disruption=True))
        return bool(victims)


def _was_admitted(state: PodState) -> bool:
    if state.status.sandboxes or state.status.containers:
        return True
    known = state.pod.object.get("status") or {}
    return bool(known.get("startTime"))
