"""When a pod has to leave a tainted node."""

import pytest

from minikube_py.controllers.plan import Delete, Patch, Plan, Record
from minikube_py.controllers.taint_eviction import Taint, TaintedPodView, decide, evict_at_s, spec
from minikube_py.testing.workload_objects import NOW, NOW_S, a_pod

UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
OTHER = {"key": "other", "effect": "NoExecute"}


def tolerating(*seconds: int | None):
    tolerations = [
        {"key": UNREACHABLE["key"], "operator": "Exists", **({} if s is None else {"tolerationSeconds": s})}
        for s in seconds
    ]
    return a_pod(spec={"tolerations": tolerations})


@pytest.mark.parametrize(
    ("pod", "taints", "expected"),
    [
        pytest.param(a_pod(), [UNREACHABLE], 0.0, id="not tolerated: at once"),
        pytest.param(tolerating(None), [UNREACHABLE], None, id="tolerated for ever"),
        pytest.param(tolerating(300), [UNREACHABLE], 300.0, id="tolerated for a while"),
        pytest.param(tolerating(300, 60), [UNREACHABLE], 60.0, id="the shortest counts"),
        pytest.param(tolerating(-5), [UNREACHABLE], 0.0, id="negative is none"),
        pytest.param(tolerating(None), [UNREACHABLE, OTHER], 0.0, id="every taint has to be tolerated"),
    ],
)
def test_the_clock_of_a_toleration_starts_with_the_taint(pod, taints, expected) -> None:
    at_s = evict_at_s(pod, [Taint(taint, NOW_S) for taint in taints])

    assert at_s == (None if expected is None else NOW_S + expected)


def test_a_pod_whose_time_is_over_is_marked_told_and_deleted() -> None:
    patch, event, deletion = decide(a_pod(), [Taint(UNREACHABLE, NOW_S)], NOW_S).actions

    assert isinstance(patch, Patch)
    assert patch.patch["status"]["conditions"][0]["reason"] == "DeletionByTaintManager"
    assert isinstance(event, Record)
    assert event.message == "Marking for deletion Pod default/p"
    assert isinstance(deletion, Delete)


def test_a_pod_with_time_left_is_looked_at_again() -> None:
    assert decide(tolerating(300), [Taint(UNREACHABLE, NOW_S)], NOW_S + 100) == Plan(requeue_after_s=200)


def test_a_taint_without_time_counts_from_when_it_was_first_seen() -> None:
    row = spec()
    seen = TaintedPodView(tolerating(300), (UNREACHABLE,))

    assert row.reconcile(seen, NOW_S).requeue_after_s == 300
    assert row.reconcile(seen, NOW_S + 120).requeue_after_s == 180
    stamped = TaintedPodView(tolerating(300), ({**UNREACHABLE, "timeAdded": NOW},))
    assert row.reconcile(stamped, NOW_S + 290).requeue_after_s == 10
