"""Which of several pods to delete first: the one that is worth least.

In order (upstream: controller.ActivePodsWithRanks): not yet on a node; phase Pending, Unknown, Running; not ready;
lower pod-deletion-cost; more siblings on the same node; ready for less time; more restarts; younger. Ages are
compared by their order of magnitude only, so that equals are told apart by chance (here: the name) and not by
who started a second earlier: deleting always the youngest would spare a crowded zone.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.meta import Obj, annotations_of, metadata, name_of
from minikube_py.controllers.pod_state import is_active, is_ready, phase_of, ready_since_s
from minikube_py.controllers.timestamps import seconds_of

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASE_WORTH = {"Pending": 0, "Unknown": 1, "Running": 2}


def rank_for_deletion(pods: Sequence[Obj], siblings: Sequence[Obj], now_s: float) -> list[Obj]:
    """Return the pods, the one to delete first in front; `siblings` are the active pods that share their owner."""
    crowd = Counter(_node(pod) for pod in siblings if is_active(pod))
    return sorted(pods, key=lambda pod: _worth(pod, crowd[_node(pod)], now_s))


def _worth(pod: Obj, crowd: int, now_s: float) -> tuple[Any, ...]:
    ready = is_ready(pod)
    return (
        bool(_node(pod)),
        _PHASE_WORTH.get(phase_of(pod), 0),
        ready,
        deletion_cost(pod),
        -crowd,
        _magnitude(now_s - ready_since_s(pod)) if ready else 0,
        -_restarts(pod),
        _magnitude(now_s - _created_s(pod)),
        name_of(pod),
    )


def deletion_cost(pod: Mapping[str, Any]) -> int:
    """Return the cost that the user set on the pod, 0 when there is none (or no number)."""
    text = annotations_of(pod).get(DELETION_COST, "0")
    try:
        return int(text)
    except ValueError:
        return 0


def _node(pod: Mapping[str, Any]) -> str:
    return str((pod.get("spec") or {}).get("nodeName", ""))


def _created_s(pod: Mapping[str, Any]) -> float:
    return seconds_of(metadata(pod).get("creationTimestamp"))


def _magnitude(age_s: float) -> int:
    """Return the order of magnitude of an age; less than a second (or a clock set back) is 0."""
    return math.floor(math.log2(age_s)) + 1 if age_s >= 1 else 0


def _restarts(pod: Mapping[str, Any]) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return max((int(status.get("restartCount") or 0) for status in statuses), default=0)
