"""Pods that nobody else would remove."""

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import NODES, PODS
from minikube_py.api.taints import OUT_OF_SERVICE
from minikube_py.client.interface import Change, DeleteOptions
from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.indexes import NODE_NAME
from minikube_py.controllers.plan import Delete, Item, Patch, Plan, RequireAbsent, Target
from minikube_py.controllers.pod_gc import Fate, PodGcView, collect_ended, collect_orphan, observe, spec
from minikube_py.testing.workload_objects import NOW_S, a_node, a_pod

CONFIG = ControllersConfig(root_ca_pem="", terminated_pod_gc_threshold=2, orphan_quarantine_s=40)
OUT = ({"key": OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"},)
ITEM = Item(PODS.qualified, ObjectKey("default", "p"))


class Cluster:
    """What listers show: one pod and, unless it is gone, its node."""

    def __init__(self, pod, node):
        self.objects = {(PODS.plural, "p"): pod, (NODES.plural, "n1"): node}

    def get(self, resource, key):
        return self.objects.get((resource.plural, key.name))

    def by_index(self, resource, index, value):
        assert (index, value) == (NODE_NAME, "n1")
        return (self.objects[PODS.plural, "p"],)


def test_a_pod_of_a_missing_node_waits_for_the_quarantine_and_a_fresh_look() -> None:
    row = spec(CONFIG)
    seen = PodGcView((a_pod(),), Fate.ORPHANED)

    assert row.reconcile(seen, NOW_S) == Plan(requeue_after_s=40)
    check, patch, deletion = row.reconcile(seen, NOW_S + 40).actions
    assert check == RequireAbsent(NODES, Target(ObjectKey("", "n1"), ""))
    assert isinstance(patch, Patch)
    assert patch.patch["status"]["phase"] == "Failed"
    assert patch.patch["status"]["conditions"][0]["reason"] == "DeletionByPodGC"
    assert deletion == Delete(PODS, Target(ObjectKey("default", "p"), "uid-p"), DeleteOptions(grace_period_s=0))


def test_an_ended_pod_of_a_missing_node_is_not_failed_again() -> None:
    plan = collect_orphan(a_pod(phase="Succeeded"), 99, 40, NOW_S)

    assert [type(action) for action in plan.actions] == [RequireAbsent, Delete]


def test_an_unscheduled_pod_that_is_being_deleted_fails_and_goes_at_once() -> None:
    seen = observe(Cluster(a_pod(node="", deleting=True, phase="Pending"), None), ITEM, None)
    patch, deletion = spec(CONFIG).reconcile(seen, NOW_S).actions

    assert patch.patch == {"status": {"phase": "Failed"}}
    assert isinstance(deletion, Delete)
    assert deletion.options.grace_period_s == 0


@pytest.mark.parametrize(
    ("node", "deleting", "goes"),
    [
        (a_node(ready="Unknown", taints=OUT), True, True),
        (a_node(ready="False", taints=OUT), True, True),
        (a_node(ready="", taints=OUT), True, True),
        (a_node(ready="True", taints=OUT), True, False),
        (a_node(ready="Unknown"), True, False),
        (a_node(ready="Unknown", taints=OUT), False, False),
    ],
    ids=["unknown", "not ready", "no condition", "ready again", "no taint", "not being deleted"],
)
def test_a_pod_being_deleted_goes_at_once_only_from_a_node_that_is_out_of_service_and_not_ready(
    node, deleting, goes
) -> None:
    seen = observe(Cluster(a_pod(deleting=deleting), node), ITEM, None)

    assert (seen is not None) is goes
    if goes:
        assert [type(action) for action in spec(CONFIG).reconcile(seen, NOW_S).actions] == [Patch, Delete]


def test_the_taint_brings_the_pods_of_its_node_up() -> None:
    (_, nodes) = spec(CONFIG).watches
    before, after = a_node(ready="Unknown"), a_node(ready="Unknown", taints=OUT)
    listers = Cluster(a_pod(deleting=True), after)

    assert nodes.items(Change(before, after), listers) == [ITEM]
    assert nodes.items(Change(None, before), listers) == ()


def test_only_the_oldest_ended_pods_beyond_the_threshold_go_evicted_ones_first() -> None:
    ended = tuple(a_pod(f"p{n}", phase="Failed", metadata={"creationTimestamp": f"2025-01-0{n}"}) for n in (3, 1, 2))
    ended[0]["status"]["reason"] = "Evicted"

    assert collect_ended(ended[:2], 2) == Plan()
    assert [action.target.key.name for action in collect_ended(ended, 1).actions] == ["p3", "p1"]
    assert collect_ended(ended, 0) == Plan()
