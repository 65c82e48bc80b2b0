"""One decision: a node, or the message that says why not."""

import pytest

from minikube_py.scheduler.cycle import NO_NODES, Bind, Unschedulable, count_candidates_max, schedule
from minikube_py.scheduler.node_info import read_node, read_pod
from minikube_py.scheduler.snapshot import Snapshot
from minikube_py.testing.workload_objects import a_node, a_pod


def decide(pod, *nodes, pick=lambda n: 0):
    return schedule(read_pod(pod), Snapshot(tuple(read_node(node) for node in nodes)), pick)


def asking(cpu: str, **spec):
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
    return a_pod(node="", spec={"containers": [container], **spec})


def test_the_only_possible_node_is_taken() -> None:
    assert decide(asking("1"), a_node("n1", unschedulable=True), a_node("n2")) == Bind("n2")


def test_between_equals_chance_decides() -> None:
    nodes = (a_node("n1"), a_node("n2"), a_node("n3"))

    assert decide(asking("1"), *nodes, pick=lambda n: n - 1) == Bind("n3")
    assert decide(asking("1"), *nodes) == Bind("n1")


def test_reasons_are_counted_sorted_and_end_in_preemption() -> None:
    taint = {"key": "k", "value": "v", "effect": "NoSchedule"}
    nodes = (a_node("n1", taints=[taint]), a_node("n2"), a_node("n3", taints=[taint]))

    assert decide(asking("9"), *nodes) == Unschedulable(
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). "
        "no new claims to deallocate, "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )


def test_who_must_not_preempt_is_told_so() -> None:
    decision = decide(asking("9", preemptionPolicy="Never"), a_node())

    assert isinstance(decision, Unschedulable)
    assert decision.message.endswith(
        ". no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never."
    )


def test_a_cluster_without_nodes_says_so() -> None:
    assert decide(asking("1")) == Unschedulable(NO_NODES)


@pytest.mark.parametrize(("nodes", "expected"), [(0, 0), (3, 3), (100, 100), (150, 100), (1000, 420), (10_000, 500)])
def test_in_a_large_cluster_a_share_of_the_nodes_is_enough(nodes, expected) -> None:
    assert count_candidates_max(nodes) == expected


def test_every_node_of_a_large_cluster_can_be_the_first_looked_at() -> None:
    nodes = [a_node(f"n{number:03}") for number in range(150)]

    assert decide(asking("1"), *nodes, pick=lambda n: 120 if n == 150 else 0) == Bind("n120")


def test_a_possible_node_is_found_wherever_it_is() -> None:
    nodes = [a_node(f"n{number:03}", unschedulable=number != 7) for number in range(150)]

    assert decide(asking("1"), *nodes, pick=lambda n: n - 1) == Bind("n007")
