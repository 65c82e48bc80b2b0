"""Adopt what matches and is nobody's, release what no longer matches, leave others' alone."""

from minikube_py.api.meta import ObjectKey
from minikube_py.api.object_selectors import compile_label_selector
from minikube_py.api.resources import PODS, REPLICA_SETS
from minikube_py.client.interface import MERGE, STRATEGIC
from minikube_py.controllers.claims import claim
from minikube_py.controllers.plan import Patch, Require, Target
from minikube_py.testing.workload_objects import a_pod, a_replica_set, an_owner

OWNER = a_replica_set("rs")
MINE = an_owner("ReplicaSet", "rs", "uid-rs")
SELECTOR = compile_label_selector(OWNER["spec"]["selector"])


def claimed(*pods, owner=OWNER):
    return claim(REPLICA_SETS, owner, SELECTOR, PODS, pods)


def test_an_owned_pod_that_matches_is_kept() -> None:
    pod = a_pod(owner=MINE)

    assert claimed(pod).kept == (pod,)
    assert claimed(pod).actions == ()


def test_an_orphan_that_matches_is_adopted_after_the_owner_was_read_afresh() -> None:
    result = claimed(a_pod())

    patch = {"metadata": {"uid": "uid-p", "ownerReferences": [MINE]}}
    assert result.kept == ()
    assert result.actions == (
        Require(REPLICA_SETS, Target(ObjectKey("default", "rs"), "uid-rs")),
        Patch(PODS, ObjectKey("default", "p"), patch, uid="uid-p", patch_type=STRATEGIC),
    )


def test_an_owned_pod_that_no_longer_matches_is_released() -> None:
    (action,) = claimed(a_pod(owner=MINE, labels={"app": "other"})).actions

    assert isinstance(action, Patch)
    assert action.patch_type == MERGE
    assert action.patch["metadata"]["ownerReferences"] is None


def test_pods_of_others_and_orphans_that_leave_are_left_alone() -> None:
    theirs = a_pod(owner=an_owner("ReplicaSet", "rs", "uid-of-an-older-rs"))

    assert claimed(theirs, a_pod(deleting=True), a_pod(labels={"app": "other"})).actions == ()


def test_an_owner_that_is_being_deleted_takes_over_nothing() -> None:
    leaving = a_replica_set("rs")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert claimed(a_pod(), a_pod("q", owner=MINE, labels={}), owner=leaving).actions == ()
