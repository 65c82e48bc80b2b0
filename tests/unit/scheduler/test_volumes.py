"""What the volumes of a pod say about nodes, and what is bound with it."""

import pytest

from minikube_py.api.meta import ObjectKey, key_of, name_of
from minikube_py.api.persistent_volumes import BIND_COMPLETED, SELECTED_NODE, NodeFacts
from minikube_py.scheduler.cycle import Unschedulable, schedule
from minikube_py.scheduler.node_info import read_node, read_pod
from minikube_py.scheduler.snapshot import Snapshot
from minikube_py.scheduler.volumes import (
    NODE_CONFLICT,
    NOTHING_TO_BIND,
    ONE_POD_ONLY,
    ZONE_CONFLICT,
    Storage,
    decide_volumes,
    read_volumes,
    refuse_node,
)
from minikube_py.testing.volume_objects import a_claim, a_class, a_volume, on_node
from minikube_py.testing.workload_objects import a_node, a_pod

NODE = NodeFacts("n1", {"kubernetes.io/hostname": "n1", "topology.kubernetes.io/zone": "a"})


def a_user(*claims):
    volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    return a_pod("p", node="", spec={"containers": [], "volumes": volumes})


def storage(claims=(), volumes=(), classes=(), taken=()):
    return Storage(
        {key_of(c): c for c in claims},
        {name_of(v): v for v in volumes},
        {name_of(c): c for c in classes},
        frozenset(taken),
    )


def bound(name="c", **spec):
    return a_claim(name, phase="Bound", annotations={BIND_COMPLETED: "yes"}, volumeName="pv", **spec)


def refusal(held, *claims):
    return refuse_node(read_volumes(a_user(*(claims or ("c",))), "default", held), NODE, frozenset())


@pytest.mark.parametrize(
    ("held", "fault"),
    [
        (storage(), 'persistentvolumeclaim "c" not found'),
        (storage([a_claim()]), "pod has unbound immediate PersistentVolumeClaims"),
        (
            storage([a_claim(phase="Lost", volumeName="pv")]),
            'persistentvolumeclaim "c" bound to non-existent persistentvolume "pv"',
        ),
        (storage([bound()]), "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"),
        (storage([bound()], [a_volume()]), ""),
        (storage([a_claim(storageClassName="local-path")], classes=[a_class()]), ""),
    ],
    ids=["missing", "immediate", "lost", "no-volume", "bound", "waits"],
)
def test_some_claims_rule_every_node_out(held, fault):
    assert read_volumes(a_user("c"), "default", held).fault == fault


def test_a_claim_that_is_going_or_not_made_yet_is_named():
    going = a_claim()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    pod = a_pod("p", spec={"volumes": [{"name": "v", "ephemeral": {}}]})

    found = read_volumes(a_user("c"), "default", storage([going])).fault
    assert found == 'persistentvolumeclaim "c" is being deleted'
    waiting = 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"'
    assert read_volumes(pod, "default", storage()).fault == waiting


def test_the_message_is_upstreams():
    snapshot = Snapshot((read_node(a_node(), ()),), {}, storage())
    decision = schedule(read_pod(a_user("c")), snapshot, lambda n: 0)

    assert isinstance(decision, Unschedulable)
    assert decision.message == (
        '0/1 nodes are available: persistentvolumeclaim "c" not found. '
        "no new claims to deallocate, "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )


@pytest.mark.parametrize(
    ("volume", "reason"),
    [
        (a_volume(nodeAffinity=on_node("n1")), ""),
        (a_volume(nodeAffinity=on_node("n2")), NODE_CONFLICT),
        (a_volume(labels={"topology.kubernetes.io/zone": "a__b"}), ""),
        (a_volume(labels={"topology.kubernetes.io/zone": "b"}), ZONE_CONFLICT),
    ],
)
def test_a_bound_volume_allows_its_own_nodes(volume, reason):
    assert refusal(storage([bound()], [volume])) == reason


LOCAL = a_class("manual", "kubernetes.io/no-provisioner")


@pytest.mark.parametrize(
    ("volumes", "taken", "reason"),
    [
        ([a_volume(storageClassName="manual", nodeAffinity=on_node("n1"))], (), ""),
        ([a_volume(storageClassName="manual", nodeAffinity=on_node("n2"))], (), NOTHING_TO_BIND),
        ([a_volume(storageClassName="manual")], ("pv",), NOTHING_TO_BIND),
        ([], (), NOTHING_TO_BIND),
    ],
    ids=["here", "away", "taken", "none"],
)
def test_a_claim_that_waits_needs_a_free_volume_here(volumes, taken, reason):
    assert refusal(storage([a_claim(storageClassName="manual")], volumes, [LOCAL], taken)) == reason


def test_two_claims_do_not_get_the_same_volume():
    claims = [a_claim(name, storageClassName="manual") for name in ("a", "b")]

    assert refusal(storage(claims, [a_volume(storageClassName="manual")], [LOCAL]), "a", "b") == NOTHING_TO_BIND


def test_small_claims_leave_big_volumes_to_big_ones():
    claims = [a_claim("big", "2Gi", storageClassName="manual"), a_claim("small", storageClassName="manual")]
    volumes = [a_volume("v1", "1Gi", storageClassName="manual"), a_volume("v2", "2Gi", storageClassName="manual")]
    asked = read_volumes(a_user("big", "small"), "default", storage(claims, volumes, [LOCAL]))
    decision = decide_volumes(asked, NODE)

    assert decision is not None
    assert {name_of(c): name_of(v) for c, v in decision.static} == {"small": "v1", "big": "v2"}


@pytest.mark.parametrize(
    ("fields", "selected", "can"),
    [
        ({}, {}, True),
        ({}, {SELECTED_NODE: "n1"}, True),
        ({}, {SELECTED_NODE: "n2"}, False),
        (
            {
                "allowedTopologies": [
                    {"matchLabelExpressions": [{"key": "topology.kubernetes.io/zone", "values": ["b"]}]}
                ]
            },
            {},
            False,
        ),
    ],
    ids=["anywhere", "chosen", "chosen-elsewhere", "wrong-zone"],
)
def test_what_can_be_made_here_is_provisioned(fields, selected, can):
    claim = a_claim(storageClassName="local-path", annotations=selected)
    asked = read_volumes(a_user("c"), "default", storage([claim], classes=[a_class(**fields)]))
    decision = decide_volumes(asked, NODE)

    assert (decision is not None and decision.provision == (claim,)) is can


def test_a_claim_for_one_pod_only_is_used_once():
    asked = read_volumes(a_user("c"), "default", storage([bound(accessModes=["ReadWriteOncePod"])], [a_volume()]))

    assert refuse_node(asked, NODE, frozenset({ObjectKey("default", "c")})) == ONE_POD_ONLY
    assert refuse_node(asked, NODE, frozenset({ObjectKey("default", "other")})) == ""
