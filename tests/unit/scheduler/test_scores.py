"""Which of the possible nodes is better."""

from minikube_py.scheduler.node_info import read_node, read_pod
from minikube_py.scheduler.scores import (
    SCORERS,
    balanced_allocation,
    image_locality,
    least_allocated,
    node_preference,
    owner_spread,
    pod_preference,
    score,
    taint_preference,
)
from minikube_py.scheduler.snapshot import Snapshot, count_facts
from minikube_py.testing.workload_objects import a_node, a_pod, an_owner

PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
MINE = an_owner("ReplicaSet", "rs", "uid-rs")


def scored(scorer, pod, *pairs):
    snapshot = Snapshot(tuple(read_node(node, [read_pod(p) for p in pods]) for node, pods in pairs))
    info = read_pod(pod)
    return scorer(info, snapshot.nodes, count_facts(info, snapshot), snapshot)


def asking(name: str = "p", **requests):
    return a_pod(name, spec={"containers": [{"name": "c", "image": "i:1", "resources": {"requests": requests}}]})


def test_the_emptier_node_is_better() -> None:
    busy, idle = scored(
        least_allocated, asking(), (a_node("busy"), [asking(cpu="3", memory="6Gi")]), (a_node("idle"), [])
    )

    assert idle > busy


def test_a_node_used_evenly_is_better() -> None:
    even, uneven = scored(
        balanced_allocation,
        asking(cpu="1", memory="2Gi"),
        (a_node("even"), []),
        (a_node("uneven"), [asking(cpu="3")]),
    )

    assert even == 100
    assert uneven < even


def test_pods_of_one_owner_are_spread_over_nodes_and_zones() -> None:
    def node(name: str, zone: str):
        return a_node(name, labels={"topology.kubernetes.io/zone": zone})

    scores = scored(
        owner_spread,
        a_pod("new", owner=MINE),
        (node("a1", "a"), [a_pod("p1", owner=MINE)]),
        (node("a2", "a"), []),
        (node("b1", "b"), [a_pod("q")]),
    )

    assert scores == [0, 50, 100]
    assert scored(owner_spread, a_pod("alone"), (node("a1", "a"), [a_pod("p1", owner=MINE)])) == [0]


def test_a_node_in_no_domain_of_a_soft_constraint_is_the_last_choice() -> None:
    constraint = {
        "topologyKey": "zone",
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    pod = a_pod("new", node="", spec={"topologySpreadConstraints": [constraint]})
    crowded, empty = a_node("n1", labels={"zone": "a"}), a_node("n2", labels={"zone": "b"})

    assert scored(owner_spread, pod, (crowded, [a_pod("p")]), (a_node("n0"), []), (empty, [])) == [0, 0, 100]


def test_soft_constraints_spread_too() -> None:
    constraint = {
        "topologyKey": "kubernetes.io/hostname",
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    pod = a_pod("new", spec={"topologySpreadConstraints": [constraint]})

    assert scored(owner_spread, pod, (a_node("n1"), [a_pod("p")]), (a_node("n2"), [])) == [0, 100]


def test_soft_taints_and_preferences_count() -> None:
    taint = {"key": "k", "effect": "PreferNoSchedule"}
    wish = {"weight": 10, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}
    wishing = a_pod(spec={"affinity": {"nodeAffinity": {PREFERRED: [wish]}}})

    assert scored(taint_preference, a_pod(), (a_node("n1", taints=[taint]), []), (a_node("n2"), [])) == [0, 100]
    assert scored(node_preference, wishing, (a_node("n1"), []), (a_node("n2", labels={"disk": ""}), [])) == [0, 100]


def test_preferred_neighbours_attract_and_repel() -> None:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}

    def pod(kind: str):
        return a_pod("new", spec={"affinity": {kind: {PREFERRED: [{"weight": 10, "podAffinityTerm": term}]}}})

    pairs = ((a_node("n1"), [a_pod("p")]), (a_node("n2"), []))
    assert scored(pod_preference, pod("podAffinity"), *pairs) == [100, 0]
    assert scored(pod_preference, pod("podAntiAffinity"), *pairs) == [0, 100]


def test_a_node_that_has_the_image_is_better_the_larger_it_is() -> None:
    def node(name: str, size: int):
        made = a_node(name)
        made["status"]["images"] = [{"names": ["i:1"], "sizeBytes": size << 20}]
        return made

    scores = scored(
        image_locality, asking(), (node("none", 0), []), (node("some", 300), []), (node("large", 900), [])
    )

    assert scores[0] == 0
    assert 0 < scores[1] < scores[2] <= 100


def test_weights_are_upstreams_and_every_score_is_between_0_and_100() -> None:
    pairs = ((a_node("n1"), [a_pod("p", owner=MINE)]), (a_node("n2"), []))
    for weighted in SCORERS:
        assert all(0 <= value <= 100 for value in scored(weighted.scorer, a_pod("new", owner=MINE), *pairs))

    assert {weighted.scorer.__name__: weighted.weight for weighted in SCORERS} == {
        "taint_preference": 3,
        "node_preference": 2,
        "owner_spread": 2,
        "pod_preference": 2,
        "least_allocated": 1,
        "balanced_allocation": 1,
        "image_locality": 1,
    }
    first, second = scored(score, a_pod("new", owner=MINE), *pairs)
    assert second > first
