"""Which nodes are out, and in which words."""

import pytest

from minikube_py.scheduler.filters import FILTERS, Refusal, refuse
from minikube_py.scheduler.node_info import read_node, read_pod
from minikube_py.scheduler.snapshot import Snapshot, count_facts
from minikube_py.testing.workload_objects import a_node, a_pod

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}


def verdict(pod, node, *others) -> Refusal | None:
    """Return the refusal of `node` in a cluster of it and `others`; each is (node, pods) or a node."""
    pairs = [pair if isinstance(pair, tuple) else (pair, ()) for pair in (node, *others)]
    snapshot = Snapshot(tuple(read_node(n, [read_pod(p) for p in pods]) for n, pods in pairs))
    info = read_pod(pod)
    return refuse(info, snapshot.nodes[0], count_facts(info, snapshot))


def asking(**requests):
    container = {"name": "c", "image": "i", "resources": {"requests": requests}}
    return a_pod(node="", spec={"containers": [container]})


def with_port(name: str, **port):
    container = {"name": "c", "image": "i", "ports": [{"containerPort": 80, "hostPort": 8080, **port}]}
    return a_pod(name, spec={"containers": [container], "nodeName": ""})


NEW = a_pod("new", node="")
ANYWAY = {"tolerations": [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]}


@pytest.mark.parametrize(
    ("pod", "node", "expected"),
    [
        pytest.param(NEW, a_node(), None, id="fits"),
        pytest.param(NEW, a_node(unschedulable=True), "node(s) were unschedulable", id="cordoned"),
        pytest.param(a_pod(node="", spec=ANYWAY), a_node(unschedulable=True), None, id="cordoned and tolerated"),
        pytest.param(NEW, a_node(taints=[TAINT]), "node(s) had untolerated taint(s)", id="taint"),
        pytest.param(
            NEW,
            a_node(taints=[{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]),
            "node(s) had untolerated taint(s)",
            id="taint without value",
        ),
        pytest.param(NEW, a_node(taints=[{**TAINT, "effect": "PreferNoSchedule"}]), None, id="soft taint"),
        pytest.param(
            a_pod(node="", spec={"nodeSelector": {"zone": "z"}}),
            a_node(),
            "node(s) didn't match Pod's node affinity/selector",
            id="selector",
        ),
        pytest.param(
            with_port("new"),
            (a_node(), [with_port("old")]),
            "node(s) didn't have free ports for the requested pod ports",
            id="port taken",
        ),
        pytest.param(with_port("new", protocol="UDP"), (a_node(), [with_port("old")]), None, id="other protocol"),
        pytest.param(asking(cpu="5"), a_node(), "Insufficient cpu", id="cpu"),
        pytest.param(
            asking(**{"example.com/gpu": "1"}), a_node(), "Insufficient example.com/gpu", id="extended resource"
        ),
        pytest.param(NEW, a_node(allocatable={"pods": "0"}), "Too many pods", id="pods"),
    ],
)
def test_a_node_is_refused_in_upstreams_words(pod, node, expected) -> None:
    refusal = verdict(pod, node)

    assert (None if refusal is None else refusal.reasons) == (None if expected is None else (expected,))


def test_everything_that_is_lacking_is_named() -> None:
    refusal = verdict(asking(cpu="9", memory="99Gi"), a_node())

    assert refusal == Refusal(("Insufficient cpu", "Insufficient memory"), hopeless=True)


def test_what_others_hold_could_be_had_by_preemption() -> None:
    holder = asking(cpu="3")
    refusal = verdict(asking(cpu="2"), (a_node(), [holder]))

    assert refusal == Refusal(("Insufficient cpu",), hopeless=False)


def test_one_thing_that_not_even_the_empty_node_has_makes_it_hopeless() -> None:
    holder = asking(cpu="3")
    refusal = verdict(asking(cpu="2", memory="99Gi"), (a_node(), [holder]))

    assert refusal == Refusal(("Insufficient cpu", "Insufficient memory"), hopeless=True)


def anti(name: str, node: str = ""):
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}
    return a_pod(name, node=node, spec={"affinity": {"podAntiAffinity": {REQUIRED: [term]}}})


def in_zone(name: str, zone: str):
    return a_node(name, labels={"zone": zone})


def test_anti_affinity_works_in_both_directions_over_the_whole_domain() -> None:
    mine = verdict(anti("new"), in_zone("a1", "a"), (in_zone("a2", "a"), [a_pod("old")]))
    theirs = verdict(NEW, in_zone("a1", "a"), (in_zone("a2", "a"), [anti("old")]))
    elsewhere = verdict(anti("new"), in_zone("b1", "b"), (in_zone("a2", "a"), [anti("old")]))

    assert mine is not None
    assert mine.reasons == ("node(s) didn't match pod anti-affinity rules",)
    assert theirs is not None
    assert theirs.reasons == ("node(s) didn't satisfy existing pods anti-affinity rules",)
    assert elsewhere is None


def near(app: str):
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": app}}}
    return a_pod("new", node="", spec={"affinity": {"podAffinity": {REQUIRED: [term]}}})


def test_affinity_wants_a_match_in_the_domain_but_the_first_of_a_group_may_start_it() -> None:
    with_match = verdict(near("db"), in_zone("a1", "a"), (in_zone("a2", "a"), [a_pod("db", labels={"app": "db"})]))
    without = verdict(near("db"), in_zone("b1", "b"), (in_zone("a2", "a"), [a_pod("db", labels={"app": "db"})]))
    first = verdict(near("web"), in_zone("a1", "a"))
    no_key = verdict(near("web"), a_node(labels={"x": "y"}))

    assert with_match is None
    assert without is not None
    assert without.reasons == ("node(s) didn't match pod affinity rules",)
    assert first is None
    assert no_key is not None


def spread(skew: int = 1, **more):
    constraint = {
        "topologyKey": "zone",
        "maxSkew": skew,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
        **more,
    }
    return a_pod("new", node="", spec={"topologySpreadConstraints": [constraint]})


def test_spread_counts_the_whole_domain_and_refuses_too_much_skew() -> None:
    full = (in_zone("a1", "a"), [a_pod("p1")])
    empty = in_zone("b1", "b")

    assert verdict(spread(), empty, full) is None
    refusal = verdict(spread(), full, empty)
    assert refusal is not None
    assert refusal.reasons == ("node(s) didn't match pod topology spread constraints",)
    assert verdict(spread(2), full, empty) is None
    unlabelled = verdict(spread(), a_node(labels={"x": "y"}))
    assert unlabelled is not None
    assert unlabelled.reasons == ("node(s) didn't match pod topology spread constraints (missing required label)",)


def test_too_few_domains_count_as_an_empty_one() -> None:
    assert verdict(spread(), (in_zone("a1", "a"), [a_pod("p1")])) is None
    assert verdict(spread(minDomains=2), (in_zone("a1", "a"), [a_pod("p1")])) is not None


def test_leaving_pods_and_other_namespaces_do_not_count_in_spread() -> None:
    others = [a_pod("p1", deleting=True), a_pod("p2", metadata={"namespace": "other"})]

    assert verdict(spread(), (in_zone("a1", "a"), others), in_zone("b1", "b")) is None


def test_filters_are_asked_in_upstreams_order() -> None:
    assert [rule.__name__ for rule in FILTERS] == [
        "node_unschedulable",
        "node_name",
        "taint_toleration",
        "node_affinity",
        "node_ports",
        "resources_fit",
        "volumes",
        "topology_spread",
        "pod_affinity",
    ]
