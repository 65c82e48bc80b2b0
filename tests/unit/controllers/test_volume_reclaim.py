"""What becomes of volumes whose claims come and go."""

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.persistent_volumes import BOUND_BY_CONTROLLER, PROVISIONED_BY
from minikube_py.api.resources import PERSISTENT_VOLUMES
from minikube_py.controllers.plan import NOTHING, Create, Delete, Record, RemoveDirectory, Target
from minikube_py.controllers.volume_reclaim import VolumeView, reconcile_volume
from minikube_py.controllers.volume_recycler import DEFAULT_TEMPLATE, Recycler, RecycleView
from minikube_py.testing.volume_objects import a_claim, a_reference, a_volume

NOW_S = 1_800_000_000.0
REF = a_reference(a_claim())


def plan(volume, claim=None):
    return reconcile_volume(VolumeView(volume, claim), NOW_S)


def phases(made):
    return [a.patch["status"]["phase"] for a in made.actions if getattr(a, "subresource", "") == "status"]


@pytest.mark.parametrize(
    ("volume", "claim", "phase"),
    [
        (a_volume(phase="Pending"), None, ["Available"]),
        (a_volume(), None, []),
        (a_volume(phase="Pending", claimRef={"namespace": "default", "name": "c"}), None, ["Available"]),
        (a_volume(claimRef=REF), a_claim(volumeName="pv"), ["Bound"]),
        (a_volume(phase="Bound", claimRef=REF), a_claim(volumeName="pv"), []),
        (a_volume(claimRef=REF), a_claim(), []),
        (a_volume(phase="Bound", claimRef=REF), None, ["Released"]),
        (a_volume(phase="Bound", claimRef=REF), a_claim(uid="again"), ["Released"]),
        (a_volume(phase="Released", claimRef=REF), None, []),
    ],
    ids=["new", "free", "reserved", "bound", "stays", "binding", "released", "made-again", "kept"],
)
def test_the_phase_follows_the_claim(volume, claim, phase):
    assert phases(plan(volume, claim)) == phase


def test_what_nobody_here_can_delete_fails_and_says_so():
    volume = a_volume(phase="Released", claimRef=REF, persistentVolumeReclaimPolicy="Delete")
    made = plan(volume)
    (event,) = [a for a in made.actions if isinstance(a, Record)]
    text = 'error getting deleter volume plugin for volume "pv": no deletable volume plugin matched'

    assert phases(made) == ["Failed"]
    assert (event.reason, event.message) == ("VolumeFailedDelete", text)
    volume["status"]["phase"] = "Failed"
    assert plan(volume) == NOTHING


@pytest.mark.parametrize(("phase", "acts"), [("Bound", False), ("Released", True), ("Failed", True)])
def test_a_volume_is_recycled_once_it_is_seen_to_be_released_and_again_when_that_failed(phase, acts):
    volume = a_volume(phase=phase, claimRef=REF, persistentVolumeReclaimPolicy="Recycle", hostPath={"path": "/srv/x"})
    seen = RecycleView(volume, Recycler("hostPath", 60, 30, DEFAULT_TEMPLATE), None, ())
    made = reconcile_volume(VolumeView(volume, None, seen), NOW_S)

    assert [isinstance(action, Create) for action in made.actions] == [acts]
    assert phases(made) == ([] if acts else ["Released"])
    volume["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if acts:
        assert reconcile_volume(VolumeView(volume, None, seen), NOW_S) == NOTHING


def by_hand(path):
    kind = {"hostPath": {"path": path}}
    return a_volume(phase="Released", claimRef=REF, persistentVolumeReclaimPolicy="Delete", **kind)


def test_a_host_path_below_tmp_is_deleted_with_its_directory():
    made = plan(by_hand("/tmp/data/x"))

    remove, delete = made.actions
    assert remove == RemoveDirectory("/tmp/data/x")
    assert delete == Delete(PERSISTENT_VOLUMES, Target(ObjectKey("", "pv"), "uid-pv"))


@pytest.mark.parametrize(
    "path", ["/srv/data", "/tmp", "/tmp/", "/tmp/.", "/tmp/../etc", "/tmp/a/../../etc", "/tmpdata/x", "x", ""]
)
def test_no_other_host_path_loses_anything(path):
    (event,) = [a for a in plan(by_hand(path)).actions if isinstance(a, Record)]

    assert event.message == f"host_path deleter only supports /tmp/.+ but received provided {path}"
    assert not [a for a in plan(by_hand(path)).actions if isinstance(a, RemoveDirectory | Delete)]


def test_a_provisioned_volume_is_its_provisioners_to_delete():
    marks = {PROVISIONED_BY: "rancher.io/local-path"}
    volume = a_volume(phase="Released", claimRef=REF, persistentVolumeReclaimPolicy="Delete", annotations=marks)

    assert plan(volume).actions == ()


def test_a_volume_whose_claim_is_bound_elsewhere_is_free_again():
    elsewhere = a_claim(volumeName="other")
    by_us = plan(a_volume(claimRef=REF, phase="Bound", annotations={BOUND_BY_CONTROLLER: "yes"}), elsewhere)
    by_hand = plan(a_volume(claimRef=REF, phase="Bound"), elsewhere)

    assert by_us.actions[0].patch["spec"] == {"claimRef": None}
    assert by_hand.actions[0].patch["spec"]["claimRef"]["uid"] is None
    assert phases(by_us) == ["Available"]
