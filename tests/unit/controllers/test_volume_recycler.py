"""How a released volume is emptied by a pod, step by step, and what becomes of it when that fails."""

import pytest

from minikube_py.api.meta import ObjectKey, format_time
from minikube_py.api.persistent_volumes import BOUND_BY_CONTROLLER
from minikube_py.api.resources import PODS
from minikube_py.controllers.plan import NOTHING, Create, Delete, Record, RepeatEvents, Target
from minikube_py.controllers.volume_recycler import (
    DEFAULT_TEMPLATE,
    EVENTS_S,
    IMAGE,
    RETRY_S,
    Recycler,
    RecycleView,
    recycle,
)
from minikube_py.testing.volume_objects import a_claim, a_reference, a_volume, on_node

NOW_S = 1_800_000_000.0
HOST_PATH = Recycler("hostPath", 60, 30, DEFAULT_TEMPLATE)
KEY = ObjectKey("default", "recycler-for-pv")


def released(size="1Gi", **spec):
    source = spec or {"hostPath": {"path": "/srv/data", "type": "Directory"}}
    marks = {BOUND_BY_CONTROLLER: "yes"}
    return a_volume(size=size, phase="Released", claimRef=a_reference(a_claim()), annotations=marks,
                    persistentVolumeReclaimPolicy="Recycle", **source)  # fmt: skip


INVOLVED = {**released(), "apiVersion": "v1", "kind": "PersistentVolume"}


def a_pod(phase="Pending", age_s=100.0, owner="uid-pv", **status):
    meta = {"name": KEY.name, "namespace": KEY.namespace, "uid": "p1", "ownerReferences": [{"uid": owner}]}
    meta["creationTimestamp"] = format_time(NOW_S - age_s)
    return {"metadata": meta, "status": {"phase": phase, **status}}


def plan(volume=None, pod=None, recycler=HOST_PATH, users=()):
    return recycle(RecycleView(volume or released(), recycler, pod, users), NOW_S)


def told(made):
    return [(a.type, a.reason, a.message) for a in made.actions if isinstance(a, Record)]


def phase(made):
    return [a.patch["status"]["phase"] for a in made.actions if getattr(a, "subresource", "") == "status"]


def test_a_pod_of_a_known_name_empties_the_volume_where_it_is():
    (create,) = plan(released("5Gi", hostPath={"path": "/srv/data", "type": "x"}, nodeAffinity=on_node("n1"))).actions
    spec = create.obj["spec"]

    assert isinstance(create, Create)
    assert create.obj["metadata"]["name"] == KEY.name
    assert create.obj["metadata"]["ownerReferences"][0]["uid"] == "uid-pv"
    assert spec["volumes"] == [{"name": "vol", "hostPath": {"path": "/srv/data"}}]
    assert (spec["activeDeadlineSeconds"], spec["restartPolicy"]) == (150, "Never")
    assert spec["containers"][0]["image"] == IMAGE
    affinity = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert affinity == on_node("n1")["required"]


def test_a_share_is_emptied_with_its_own_patience_by_the_operators_pod():
    template = {
        "metadata": {"namespace": "ops", "labels": {"a": "b"}},
        "spec": {"volumes": [{"name": "x", "emptyDir": {}}, {"name": "y"}], "containers": [{"name": "mine"}]},
    }
    volume = released("1Gi", nfs={"server": "192.0.2.1", "path": "/e", "readOnly": True})
    (create,) = plan(volume, recycler=Recycler("nfs", 300, 30, template)).actions

    assert create.obj["spec"]["volumes"] == [
        {"name": "x", "nfs": {"server": "192.0.2.1", "path": "/e"}},
        {"name": "y"},
    ]
    assert create.obj["spec"]["activeDeadlineSeconds"] == 300
    assert (create.obj["metadata"]["namespace"], create.obj["metadata"]["labels"]) == ("ops", {"a": "b"})
    assert template["spec"]["volumes"][0] == {"name": "x", "emptyDir": {}}, "the template must stay as it is"
    assert "affinity" not in create.obj["spec"]


def test_the_volume_is_available_when_the_pod_has_succeeded_and_the_pod_goes_first():
    made = plan(pod=a_pod("Succeeded"))

    assert isinstance(made.actions[0], RepeatEvents)
    assert made.actions[1] == Delete(PODS, Target(KEY, "p1"))
    assert told(made) == [("Normal", "VolumeRecycled", "Volume recycled")]
    assert made.actions[3].patch["spec"] == {"claimRef": None}
    assert phase(made) == ["Available"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"message": "Pod was active on the node longer than the specified deadline"},
            "Pod was active on the node lo",
        ),
        ({}, "pod failed, pod.Status.Message unknown"),
    ],
)
def test_a_volume_fails_with_its_pod_and_is_tried_again_at_a_pace(said, words):
    young = plan(pod=a_pod("Failed", age_s=5, **said))

    assert phase(young) == ["Failed"]
    ((kind, reason, message),) = told(young)
    assert (kind, reason) == ("Warning", "VolumeFailedRecycle")
    assert message.startswith(f"Recycle failed: failed to recycle volume: {words}")
    assert young.requeue_after_s == RETRY_S - 5
    volume = released()
    volume["status"] = {"phase": "Failed", "message": message}
    again = plan(volume, a_pod("Failed", age_s=20, **said))
    assert again.actions[1:] == (Delete(PODS, Target(KEY, "p1")),)
    assert young.actions[0] == RepeatEvents(Target(KEY, "p1"), INVOLVED, "RecyclerPod", "Recycler pod: ")


def test_a_pod_of_the_name_that_is_not_the_volumes_proves_nothing():
    assert plan(pod=a_pod("Succeeded", owner="another")).actions == (Delete(PODS, Target(KEY, "p1")),)


def test_nothing_is_done_while_the_last_pod_goes():
    pod = a_pod("Succeeded")
    pod["metadata"]["deletionTimestamp"] = format_time(NOW_S)

    assert plan(pod=pod) == NOTHING


@pytest.mark.parametrize("pod_phase", ["Pending", "Running"])
def test_what_is_said_of_the_pod_is_said_of_the_volume_while_the_pod_is_at_it(pod_phase):
    made = plan(pod=a_pod(pod_phase))

    assert made.actions == (RepeatEvents(Target(KEY, "p1"), INVOLVED, "RecyclerPod", "Recycler pod: "),)
    assert made.requeue_after_s == EVENTS_S


def test_a_volume_that_pods_still_use_is_left_alone():
    made = plan(users=("b/q", "a/p"))

    assert told(made) == [("Normal", "VolumeFailedRecycle", "Volume is used by pods: a/p,b/q")]
    assert (phase(made), made.requeue_after_s) == ([], RETRY_S)


def test_a_volume_that_nobody_here_can_empty_fails_once():
    volume = released(local={"path": "/x"})
    made = plan(volume, recycler=None)

    assert phase(made) == ["Failed"]
    assert told(made) == [("Warning", "VolumeFailedRecycle", "No recycler plugin found for the volume!")]
    volume["status"] = {"phase": "Failed", "message": "No recycler plugin found for the volume!"}
    assert plan(volume, recycler=None).actions == ()
