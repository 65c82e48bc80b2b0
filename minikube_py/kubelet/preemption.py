"""Which pods make room for a critical one that the node must have and cannot fit.

Only resources can be won this way: a critical pod whose labels or ports do not fit is refused like any other. Pods go
by QoS class (BestEffort first), then by priority; of those, the ones that turn out not to be needed stay, the most
important first.

Upstream: kubelet/preemption/preemption.go.
"""

from collections.abc import Sequence

from minikube_py.kubelet.eviction_ranking import is_critical
from minikube_py.kubelet.node_admission import NodeRoom, judge_pod
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.resources import qos_class

PREEMPTING = "Preempting"
EVENT_MESSAGE = "Preempted in order to admit critical pod"
_ORDER = ("BestEffort", "Burstable", "Guaranteed")


def choose_victims(pod: Pod, room: NodeRoom, others: Sequence[Pod]) -> tuple[Pod, ...]:
    """Return the pods that must go for a critical pod, none when that would not help."""
    if not is_critical(pod):
        return ()
    ranked = sorted((other for other in others if _may_go(pod, other)), key=_importance)
    left, victims = list(others), list[Pod]()
    for other in ranked:
        if judge_pod(pod, room, left) is None:
            break
        left.remove(other)
        victims.append(other)
    if judge_pod(pod, room, left) is not None:
        return ()
    for victim in reversed(victims.copy()):
        if judge_pod(pod, room, [*left, victim]) is None:
            left.append(victim)
            victims.remove(victim)
    return tuple(victims)


def _may_go(pod: Pod, other: Pod) -> bool:
    return not is_critical(other) or other.priority < pod.priority


def _importance(pod: Pod) -> tuple[int, int]:
    return (_ORDER.index(qos_class(pod)), pod.priority)
