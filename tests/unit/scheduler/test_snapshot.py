"""What is counted once for a pod."""

from minikube_py.scheduler.node_info import read_node, read_pod
from minikube_py.scheduler.snapshot import Snapshot, count_facts
from minikube_py.testing.workload_objects import a_node, a_pod

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def test_spread_leaves_out_nodes_that_the_pod_could_not_use() -> None:
    def constraint(**more):
        base = {"topologyKey": "zone", "maxSkew": 1, "labelSelector": {"matchLabels": {"app": "web"}}}
        return {**base, **more}

    constraints = [
        constraint(),
        constraint(nodeAffinityPolicy="Ignore"),
        constraint(nodeAffinityPolicy="Ignore", nodeTaintsPolicy="Honor"),
    ]
    pod = read_pod(a_pod(node="", spec={"nodeSelector": {"zone": "a"}, "topologySpreadConstraints": constraints}))
    tainted = a_node("n2", labels={"zone": "b"}, taints=[{"key": "k", "effect": "NoSchedule"}])
    snapshot = Snapshot(
        (
            read_node(a_node("n1", labels={"zone": "a"}), [read_pod(a_pod("p"))]),
            read_node(tainted),
            read_node(a_node("n3")),
        )
    )
    spreads = count_facts(pod, snapshot).spreads

    assert [dict(spread.counts) for spread in spreads] == [{"a": 1}, {"a": 1, "b": 0}, {"a": 1}]
    assert spreads[1].skew("a") == 2


def test_namespace_selectors_see_the_labels_of_namespaces() -> None:
    term = {
        "topologyKey": "zone",
        "labelSelector": {},
        "namespaceSelector": {"matchLabels": {"team": "x"}},
    }
    pod = read_pod(a_pod(node="", spec={"affinity": {"podAntiAffinity": {REQUIRED: [term]}}}))
    theirs = read_pod(a_pod("q", metadata={"namespace": "theirs"}))
    node = read_node(a_node(labels={"zone": "a"}), [theirs])

    assert count_facts(pod, Snapshot((node,), {"theirs": {"team": "x"}})).far == {("zone", "a")}
    assert count_facts(pod, Snapshot((node,), {"theirs": {"team": "y"}})).far == frozenset()
