"""Which claims and volumes are looked at, and the claims of ephemeral volumes."""

from minikube_py.api.meta import ObjectKey
from minikube_py.api.persistent_volumes import DEFAULT_CLASS
from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS
from minikube_py.api.table.storage_v1 import STORAGE_CLASSES
from minikube_py.client.interface import EVERYTHING, Change
from minikube_py.controllers.persistent_volumes import (
    EphemeralView,
    binder_spec,
    default_class,
    ephemeral_spec,
    reconcile_ephemeral,
)
from minikube_py.controllers.plan import NOTHING, Create, Item, Listers, Record
from minikube_py.controllers.volume_binder import ClaimView
from minikube_py.controllers.volume_reclaim import VolumeView
from minikube_py.controllers.volume_recycler import DEFAULT_TEMPLATE, Recycler, RecycleView
from minikube_py.testing.fake_informers import FakeInformer
from minikube_py.testing.volume_objects import a_claim, a_class, a_reference, a_volume

HOST_PATH = Recycler("hostPath", 60, 30, DEFAULT_TEMPLATE)
ROW = binder_spec((HOST_PATH,))
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"x": 1}}
POD = {
    "metadata": {"name": "p", "namespace": "default", "uid": "u"},
    "spec": {
        "volumes": [
            {
                "name": "v",
                "ephemeral": {"volumeClaimTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"x": 1}}},
            }
        ]
    },
}


def listers(claims=(), volumes=(), classes=(), pods=()):
    present = (
        (PERSISTENT_VOLUME_CLAIMS, claims),
        (PERSISTENT_VOLUMES, volumes),
        (STORAGE_CLASSES, classes),
        (PODS, pods),
    )
    informers = {r.qualified: FakeInformer(r, EVERYTHING, objs, 1) for r, objs in present}
    for index in ROW.indexes:
        informers[index.resource.qualified].add_index(index.name, index.values)
    return Listers(informers)


def items(resource, change, known):
    (watch,) = [w for w in ROW.watches if w.resource is resource]
    return [(i.resource, i.key.name) for i in watch.items(change, known)]


def test_a_volume_that_becomes_free_concerns_the_claims_of_its_class():
    known = listers([a_claim("x"), a_claim("y", storageClassName="other")])

    assert items(PERSISTENT_VOLUMES, Change(None, a_volume()), known) == [
        ("persistentvolumes", "pv"),
        ("persistentvolumeclaims", "x"),
    ]


def test_each_half_of_a_binding_concerns_the_other():
    claim = a_claim(volumeName="pv")
    volume = a_volume(claimRef=a_reference(claim))

    assert ("persistentvolumes", "pv") in items(PERSISTENT_VOLUME_CLAIMS, Change(claim, None), listers())
    assert ("persistentvolumeclaims", "c") in items(PERSISTENT_VOLUMES, Change(volume, None), listers())


def test_a_new_class_concerns_all_that_wait():
    known = listers([a_claim("x")])

    assert items(STORAGE_CLASSES, Change(None, a_class()), known) == [("persistentvolumeclaims", "x")]


def test_what_is_looked_at():
    claim = a_claim(volumeName="pv")
    known = listers([claim], [a_volume(claimRef=a_reference(claim))], [a_class(annotations={DEFAULT_CLASS: "true"})])
    of_claim = ROW.observe(known, Item(PERSISTENT_VOLUME_CLAIMS.qualified, ObjectKey("default", "c")), None)
    of_volume = ROW.observe(known, Item(PERSISTENT_VOLUMES.qualified, ObjectKey("", "pv")), None)

    assert isinstance(of_claim, ClaimView)
    assert (of_claim.named["metadata"]["name"], of_claim.default_class) == ("pv", "local-path")
    assert isinstance(of_volume, VolumeView)
    assert of_volume.claim == claim


def test_of_a_volume_to_recycle_its_pod_and_its_users_are_looked_at_too():
    reference = a_reference(a_claim())
    volume = a_volume(claimRef=reference, persistentVolumeReclaimPolicy="Recycle", hostPath={"path": "/x"})
    shared = a_volume("share", claimRef=reference, persistentVolumeReclaimPolicy="Recycle", local={"path": "/x"})
    recycler = {"metadata": {"name": "recycler-for-pv", "namespace": "default"}}
    spec = {"nodeName": "n1", "volumes": [{"persistentVolumeClaim": {"claimName": "c"}}]}
    user = {"metadata": {"name": "user", "namespace": "default"}, "spec": spec}
    ended = {"metadata": {"name": "ended", "namespace": "default"}, "spec": spec, "status": {"phase": "Succeeded"}}

    def seen(name, claims=()):
        known = listers(claims, [volume, shared], pods=[recycler, user, ended])
        return ROW.observe(known, Item(PERSISTENT_VOLUMES.qualified, ObjectKey("", name)), None).recycling

    assert seen("pv") == RecycleView(volume, HOST_PATH, recycler, ("default/user",))
    assert seen("pv", [a_claim(uid="another")]).users == ()
    assert seen("share") == RecycleView(shared, None, None, ("default/user",))
    assert items(PODS, Change(recycler, None), listers()) == [("persistentvolumes", "pv")]
    assert items(PODS, Change(None, user), listers()) == []


def test_of_several_default_classes_the_newest_is_meant():
    classes = [a_class(name, annotations={DEFAULT_CLASS: "true"}) for name in ("old", "new")]
    classes[0]["metadata"]["creationTimestamp"] = "2025-01-01T00:00:00Z"
    classes[1]["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"

    assert default_class([*reversed(classes), a_class("z")]) == "new"
    assert default_class([a_class()]) == ""


def test_an_ephemeral_volume_gets_a_claim_that_goes_with_its_pod():
    (create,) = reconcile_ephemeral(EphemeralView(POD, {"p-v": None}), 0.0).actions

    assert isinstance(create, Create)
    assert create.obj["metadata"]["name"] == "p-v"
    assert create.obj["metadata"]["labels"] == {"a": "b"}
    assert create.obj["metadata"]["ownerReferences"][0]["uid"] == "u"
    assert create.obj["spec"] == {"x": 1}


def test_a_claim_of_somebody_else_is_not_used():
    (event,) = reconcile_ephemeral(EphemeralView(POD, {"p-v": a_claim("p-v")}), 0.0).actions

    assert isinstance(event, Record)
    assert "was not created for the pod" not in event.reason
    assert event.message == 'PVC "default/p-v" was not created for the pod, cannot use it for its volume'
    own = a_claim("p-v")
    own["metadata"]["ownerReferences"] = [{"uid": "u"}]
    assert reconcile_ephemeral(EphemeralView(POD, {"p-v": own}), 0.0) == NOTHING


def test_only_pods_with_ephemeral_volumes_are_looked_at():
    (watch,) = [w for w in ephemeral_spec().watches if w.resource is PODS]

    assert len(watch.items(Change(None, POD), listers())) == 1
    assert watch.items(Change(None, {**POD, "spec": {}}), listers()) == ()
