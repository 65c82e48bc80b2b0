"""The pod that is worth least goes first."""

import pytest

from minikube_py.controllers.pod_ranking import DELETION_COST, rank_for_deletion
from minikube_py.testing.workload_objects import NOW, NOW_S, a_pod

RESTARTED = {"containerStatuses": [{"restartCount": 7}]}


def restarted(name: str):
    pod = a_pod(name)
    return {**pod, "status": {**pod["status"], **RESTARTED}}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(a_pod("z", node=""), a_pod("a", phase="Pending"), id="unassigned before assigned"),
        pytest.param(a_pod("z", phase="Pending"), a_pod("a", phase="Running"), id="pending before running"),
        pytest.param(a_pod("z", ready=False), a_pod("a"), id="not ready before ready"),
        pytest.param(
            a_pod("z", metadata={"annotations": {DELETION_COST: "-5"}}), a_pod("a"), id="cheaper before dearer"
        ),
        pytest.param(a_pod("z", since=NOW), a_pod("a"), id="ready for less time first"),
        pytest.param(restarted("z"), a_pod("a"), id="more restarts first"),
        pytest.param(a_pod("z", metadata={"creationTimestamp": NOW}), a_pod("a"), id="younger first"),
    ],
)
def test_the_lesser_pod_goes_first(first, second) -> None:
    assert rank_for_deletion([second, first], [], NOW_S + 60) == [first, second]


def test_a_pod_on_the_more_crowded_node_goes_first() -> None:
    alone, crowded, neighbour = a_pod("a", node="n1"), a_pod("b", node="n2"), a_pod("c", node="n2")

    assert rank_for_deletion([alone, crowded], [alone, crowded, neighbour], NOW_S)[0] == crowded


def test_a_cost_that_is_no_number_counts_as_none() -> None:
    odd = a_pod("b", metadata={"annotations": {DELETION_COST: "cheap"}})

    assert rank_for_deletion([odd, a_pod("a")], [], NOW_S)[0]["metadata"]["name"] == "a"
