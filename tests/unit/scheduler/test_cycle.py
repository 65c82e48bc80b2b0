"""One decision: a node, or the message that says why not."""

from minikube_py.scheduler.cycle import NO_NODES, Bind, Unschedulable, schedule
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
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {k: v}. "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )


def test_who_must_not_preempt_is_told_so() -> None:
    decision = decide(asking("9", preemptionPolicy="Never"), a_node())

    assert isinstance(decision, Unschedulable)
    assert decision.message.endswith(". preemption: not eligible due to preemptionPolicy=Never.")


def test_a_cluster_without_nodes_says_so() -> None:
    assert decide(asking("1")) == Unschedulable(NO_NODES)
