"""Silent nodes: conditions, taints, pods."""

import pytest

from minikube_py.api.resources import NODES, PODS
from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.eviction_pace import ZoneView
from minikube_py.controllers.node_lifecycle import NodeView, compute_taints, decide, sign_of_life, spec
from minikube_py.controllers.plan import Patch, Record, Update
from minikube_py.testing.workload_objects import NOW, NOW_S, a_node, a_pod

CONFIG = ControllersConfig(root_ca_pem="")


def view(node, *, silent_s: float = 0.0, pods=()) -> NodeView:
    return NodeView(node, None, tuple(pods), silent_s=silent_s)


def keys(taints) -> list[tuple[str, str]]:
    return [(taint["key"].removeprefix("node.kubernetes.io/"), taint["effect"]) for taint in taints]


def test_a_node_that_is_heard_of_is_left_alone() -> None:
    assert decide(view(a_node(), silent_s=49), CONFIG, NOW_S).actions == ()


def test_silence_beyond_the_grace_period_makes_all_conditions_unknown() -> None:
    event, update = decide(view(a_node(), silent_s=51), CONFIG, NOW_S).actions

    assert isinstance(event, Record)
    assert event.message == "Node n1 status is now: NodeNotReady"
    assert isinstance(update, Update)
    conditions = {c["type"]: c for c in update.obj["status"]["conditions"]}
    assert list(conditions) == ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"]
    assert {c["status"] for c in conditions.values()} == {"Unknown"}
    assert conditions["Ready"]["reason"] == "NodeStatusUnknown"
    assert conditions["Ready"]["message"] == "Kubelet stopped posting node status."
    assert conditions["PIDPressure"]["reason"] == "NodeStatusNeverUpdated"
    assert conditions["Ready"]["lastTransitionTime"] == NOW


def test_a_node_that_never_reported_has_more_time() -> None:
    never = a_node(ready="")

    assert not any(isinstance(a, Update) for a in decide(view(never, silent_s=59), CONFIG, NOW_S).actions)
    assert any(isinstance(a, Update) for a in decide(view(never, silent_s=61), CONFIG, NOW_S).actions)


@pytest.mark.parametrize(
    ("node", "evict", "expected"),
    [
        pytest.param(a_node(), True, [], id="ready"),
        pytest.param(
            a_node(ready="False"), True, [("not-ready", "NoSchedule"), ("not-ready", "NoExecute")], id="not ready"
        ),
        pytest.param(
            a_node(ready="Unknown"),
            True,
            [("unreachable", "NoSchedule"), ("unreachable", "NoExecute")],
            id="unreachable",
        ),
        pytest.param(a_node(ready="Unknown"), False, [("unreachable", "NoSchedule")], id="no node is ready"),
        pytest.param(a_node(unschedulable=True), True, [("unschedulable", "NoSchedule")], id="cordoned"),
    ],
)
def test_conditions_become_taints(node, evict, expected) -> None:
    assert keys(compute_taints(node, NOW_S, evict=evict)) == expected


def test_pressure_becomes_a_taint() -> None:
    node = a_node()
    node["status"]["conditions"].append({"type": "MemoryPressure", "status": "True"})

    assert keys(compute_taints(node, NOW_S, evict=True)) == [("memory-pressure", "NoSchedule")]


def test_taints_of_others_stay_and_ours_keep_their_time() -> None:
    ours = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2025-01-01T00:00:00Z"}
    theirs = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    node = a_node(ready="Unknown", taints=[theirs, ours])

    taints = compute_taints(node, NOW_S, evict=True)
    assert taints[:2] == [theirs, ours]
    assert taints[2:] == [{"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule", "timeAdded": NOW}]
    assert compute_taints(a_node(taints=[theirs, ours]), NOW_S, evict=True) == [theirs]


def test_pods_of_an_unknown_node_are_no_longer_ready() -> None:
    taints = compute_taints(a_node(ready="Unknown"), NOW_S, evict=True)
    node = a_node(ready="Unknown", taints=taints)
    pods = (a_pod("up"), a_pod("down", ready=False), a_pod("done", phase="Succeeded"))
    patch, event = decide(view(node, pods=pods), CONFIG, NOW_S).actions

    assert isinstance(patch, Patch)
    assert (patch.resource, patch.key.name, patch.subresource) == (PODS, "up", "status")
    assert patch.patch["status"]["conditions"][0]["status"] == "False"
    assert isinstance(event, Record)
    assert event.reason == "NodeNotReady"


def test_pods_of_a_node_that_says_not_ready_are_its_own_affair() -> None:
    taints = compute_taints(a_node(ready="False"), NOW_S, evict=True)

    assert decide(view(a_node(ready="False", taints=taints), pods=[a_pod()]), CONFIG, NOW_S).actions == ()


def test_the_sign_of_life_is_the_lease_or_the_heartbeat() -> None:
    lease = {"spec": {"renewTime": "t1"}}

    assert sign_of_life(a_node(), lease) != sign_of_life(a_node(), {"spec": {"renewTime": "t2"}})
    assert sign_of_life(a_node(), None) == sign_of_life(a_node(), None)


def test_the_row_remembers_silence_between_two_looks() -> None:
    row = spec(CONFIG)
    seen = NodeView(a_node(), None, ())
    first = row.reconcile(seen, NOW_S)
    for at_s in range(5, 55, 5):
        last = row.reconcile(seen, NOW_S + at_s)
        if at_s <= 50:
            assert last.actions == ()
    silent = row.reconcile(seen, NOW_S + 55)

    assert [a.reason for a in first.actions if isinstance(a, Record)] == ["RegisteredNode"]
    assert any(isinstance(a, Update) and a.resource is NODES for a in silent.actions)


def zone(ready: int, not_ready: int) -> ZoneView:
    return ZoneView(("", ""), ready, not_ready, any_ready=ready > 0)


def effects(plan) -> list[str]:
    return [t["effect"] for a in plan.actions if isinstance(a, Patch) for t in a.patch["spec"]["taints"] or ()]


def test_nodes_of_one_zone_are_given_up_one_after_another() -> None:
    row = spec(CONFIG)
    views = [NodeView(a_node(name, ready="Unknown"), None, (), zone(5, 2)) for name in ("n1", "n2")]
    first, second = (row.reconcile(each, NOW_S) for each in views)

    assert effects(first) == ["NoSchedule", "NoExecute"]
    assert effects(second) == ["NoSchedule"], "its turn comes ten seconds later"
    assert effects(row.reconcile(views[1], NOW_S + 9)) == ["NoSchedule"]
    assert effects(row.reconcile(views[1], NOW_S + 10)) == ["NoSchedule", "NoExecute"]


def test_a_node_that_has_not_reported_yet_is_not_given_up() -> None:
    starting = NodeView(a_node(ready=""), None, (), zone(5, 1))

    assert effects(spec(CONFIG).reconcile(starting, NOW_S)) == ["NoSchedule"]


def test_when_no_node_is_ready_none_is_given_up_and_those_that_were_are_not_any_more() -> None:
    row = spec(CONFIG)
    taints = [{"key": "node.kubernetes.io/unreachable", "effect": e} for e in ("NoSchedule", "NoExecute")]
    given_up = a_node(ready="Unknown", taints=taints)

    assert effects(row.reconcile(NodeView(given_up, None, (), zone(0, 3)), NOW_S)) == ["NoSchedule"]
    assert row.reconcile(NodeView(given_up, None, (), zone(1, 3)), NOW_S).actions == ()
