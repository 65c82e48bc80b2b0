"""Claims and volumes stay while they are used."""

import pytest

from minikube_py.api.meta import ObjectKey, key_of
from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS
from minikube_py.client.interface import EVERYTHING, Change
from minikube_py.controllers.plan import NOTHING, Item, Listers, Patch, Plan
from minikube_py.controllers.volume_protection import claims_of, observe, reconcile, spec
from minikube_py.testing.built_in_admission import Request, admit
from minikube_py.testing.fake_informers import FakeInformer
from minikube_py.testing.rule_cases import made

ROW = spec()


def pod(node="n1", **volume):
    return {
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"nodeName": node, "volumes": [{"name": "v", **volume}]},
    }


BY_NAME = {"persistentVolumeClaim": {"claimName": "x"}}


def deleted(resource, **status):
    obj = admit(Request(resource), made(resource))
    obj["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "3"}
    obj["status"] |= status
    return obj


def seen(resource, obj, *pods):
    present = ((PODS, pods), (resource, (obj,)))
    informers = {r.qualified: FakeInformer(r, EVERYTHING, objs, 1) for r, objs in present}
    for index in ROW.indexes:
        informers[index.resource.qualified].add_index(index.name, index.values)
    listers = Listers(informers)
    return observe(listers, Item(resource.qualified, key_of(obj)), None)


@pytest.mark.parametrize(
    ("using", "claims"),
    [
        (pod(**BY_NAME), ("default/x",)),
        (pod(ephemeral={}), ()),
        (pod(ephemeral={"volumeClaimTemplate": {}}), ("default/p-v",)),
        (pod(node="", **BY_NAME), ()),
        (pod(emptyDir={}), ()),
    ],
    ids=["by name", "nothing", "ephemeral", "unscheduled", "no claim"],
)
def test_a_scheduled_pod_uses_its_claims(using, claims):
    assert claims_of(using) == claims


def test_a_claim_that_nobody_uses_goes():
    view = seen(PERSISTENT_VOLUME_CLAIMS, deleted(PERSISTENT_VOLUME_CLAIMS))

    (patch,) = reconcile(view, 0.0).actions
    assert isinstance(patch, Patch)
    assert (patch.key, patch.uid) == (ObjectKey("default", "x"), "u")
    assert patch.patch == {"metadata": {"resourceVersion": "3", "finalizers": None}}


def test_a_claim_in_use_stays():
    assert (
        reconcile(seen(PERSISTENT_VOLUME_CLAIMS, deleted(PERSISTENT_VOLUME_CLAIMS), pod(**BY_NAME)), 0.0) == NOTHING
    )


def test_other_finalizers_stay_and_a_living_claim_is_left_alone():
    held = deleted(PERSISTENT_VOLUME_CLAIMS)
    held["metadata"]["finalizers"] += ["example.com/mine"]
    (patch,) = reconcile(seen(PERSISTENT_VOLUME_CLAIMS, held), 0.0).actions

    assert patch.patch["metadata"]["finalizers"] == ["example.com/mine"]
    assert seen(PERSISTENT_VOLUME_CLAIMS, made(PERSISTENT_VOLUME_CLAIMS)) is None


def test_a_bound_volume_stays_and_a_released_one_goes():
    assert reconcile(seen(PERSISTENT_VOLUMES, deleted(PERSISTENT_VOLUMES, phase="Bound")), 0.0) == NOTHING
    assert reconcile(seen(PERSISTENT_VOLUMES, deleted(PERSISTENT_VOLUMES, phase="Released")), 0.0) != Plan()


def test_a_pod_that_goes_wakes_its_claims():
    watch = next(watch for watch in ROW.watches if watch.resource is PODS)
    claim = Item("persistentvolumeclaims", ObjectKey("default", "x"))

    assert list(watch.items(Change(pod(**BY_NAME), None), None)) == [claim]
    assert list(watch.items(Change(None, pod(**BY_NAME)), None)) == []
