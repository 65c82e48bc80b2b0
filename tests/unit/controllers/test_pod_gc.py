"""Pods that nobody else would remove."""

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import NODES, PODS
from minikube_py.client.interface import DeleteOptions
from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.plan import Delete, Patch, Plan, RequireAbsent, Target
from minikube_py.controllers.pod_gc import PodGcView, collect_ended, collect_orphan, spec
from minikube_py.testing.workload_objects import NOW_S, a_pod

CONFIG = ControllersConfig(root_ca_pem="", terminated_pod_gc_threshold=2, orphan_quarantine_s=40)


def test_a_pod_of_a_missing_node_waits_for_the_quarantine_and_a_fresh_look() -> None:
    row = spec(CONFIG)
    seen = PodGcView((a_pod(),), node_name="n1")

    assert row.reconcile(seen, NOW_S) == Plan(requeue_after_s=40)
    check, patch, deletion = row.reconcile(seen, NOW_S + 40).actions
    assert check == RequireAbsent(NODES, Target(ObjectKey("", "n1"), ""))
    assert isinstance(patch, Patch)
    assert patch.patch["status"]["phase"] == "Failed"
    assert deletion == Delete(PODS, Target(ObjectKey("default", "p"), "uid-p"), DeleteOptions(grace_period_s=0))


def test_an_ended_pod_of_a_missing_node_is_not_failed_again() -> None:
    plan = collect_orphan(PodGcView((a_pod(phase="Succeeded"),), node_name="n1", missing_s=99), 40, NOW_S)

    assert [type(action) for action in plan.actions] == [RequireAbsent, Delete]


def test_an_unscheduled_pod_that_is_being_deleted_goes_at_once() -> None:
    (deletion,) = collect_orphan(PodGcView((a_pod(node="", deleting=True),)), 40, NOW_S).actions

    assert isinstance(deletion, Delete)
    assert deletion.options.grace_period_s == 0


def test_only_the_oldest_ended_pods_beyond_the_threshold_go() -> None:
    ended = tuple(a_pod(f"p{n}", phase="Failed", metadata={"creationTimestamp": f"2025-01-0{n}"}) for n in (3, 1, 2))

    assert collect_ended(PodGcView(ended[:2], all_ended=True), 2) == Plan()
    (deletion,) = collect_ended(PodGcView(ended, all_ended=True), 2).actions
    assert isinstance(deletion, Delete)
    assert deletion.target.key.name == "p1"
    assert collect_ended(PodGcView(ended, all_ended=True), 0) == Plan()
