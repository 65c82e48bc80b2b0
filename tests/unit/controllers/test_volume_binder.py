"""Claims and volumes become each other's, in an order that survives a crash at any point."""

import pytest

from minikube_py.api.patch import apply_merge_patch
from minikube_py.api.persistent_volumes import BIND_COMPLETED, BOUND_BY_CONTROLLER, SELECTED_NODE
from minikube_py.controllers.plan import NOTHING, Patch, Record
from minikube_py.controllers.volume_binder import ClaimView, reconcile_claim
from minikube_py.testing.volume_objects import a_claim, a_class, a_reference, a_volume

NOW_S = 1_800_000_000.0


def plan(claim, *volumes, named=None, storage_class=None, default=""):
    return reconcile_claim(ClaimView(claim, named, volumes, storage_class, default), NOW_S)


def events(made):
    return [(a.reason, a.message) for a in made.actions if isinstance(a, Record)]


def patches(made):
    return [(a.resource.plural, a.subresource) for a in made.actions if isinstance(a, Patch)]


def apply(made, *objs):
    """Return the objects after the patches of a plan."""
    found = {obj["metadata"]["name"]: obj for obj in objs}
    for action in made.actions:
        if isinstance(action, Patch):
            found[action.key.name] = apply_merge_patch(found[action.key.name], action.patch)
    return [found[obj["metadata"]["name"]] for obj in objs]


def test_the_volume_is_written_before_the_claim():
    made = plan(a_claim(), a_volume())

    assert patches(made) == [
        ("persistentvolumes", ""),
        ("persistentvolumes", "status"),
        ("persistentvolumeclaims", ""),
        ("persistentvolumeclaims", "status"),
    ]
    assert made.actions[0].patch["metadata"]["resourceVersion"] == "5", "nobody else may have taken it meanwhile"


@pytest.mark.parametrize("writes", range(5))
def test_a_binding_that_was_cut_short_is_finished(writes):
    claim, volume = a_claim(), a_volume()
    first = plan(claim, volume)
    claim, volume = apply(type(first)(first.actions[:writes]), claim, volume)
    named = volume if claim["spec"].get("volumeName") else None
    claim, volume = apply(plan(claim, volume, named=named), claim, volume)

    assert (claim["spec"]["volumeName"], claim["status"]["phase"]) == ("pv", "Bound")
    assert claim["status"]["capacity"] == {"storage": "1Gi"}
    assert (volume["spec"]["claimRef"]["uid"], volume["status"]["phase"]) == ("uid-c", "Bound")
    assert {BIND_COMPLETED, BOUND_BY_CONTROLLER} <= set(claim["metadata"]["annotations"])
    assert plan(claim, named=volume) == NOTHING


def test_a_volume_that_was_reserved_by_hand_is_not_marked_as_bound_by_the_controller():
    volume = a_volume(claimRef={"namespace": "default", "name": "c"})
    made = plan(a_claim(), volume)

    assert "annotations" not in made.actions[0].patch["metadata"]


@pytest.mark.parametrize(
    ("claim", "storage_class", "reason", "text"),
    [
        (a_claim(), None, "FailedBinding", "no persistent volumes available for this claim and no storage class is"),
        (a_claim(storageClassName=""), None, "FailedBinding", "no persistent volumes available"),
        (
            a_claim(storageClassName="x"),
            None,
            "ProvisioningFailed",
            'storageclass.storage.k8s.io "x" not found',
        ),
        (
            a_claim(storageClassName="local-path"),
            a_class(),
            "WaitForFirstConsumer",
            "waiting for first consumer to be created before binding",
        ),
        (
            a_claim(storageClassName="local-path", annotations={SELECTED_NODE: "n1"}),
            a_class(),
            "ExternalProvisioning",
            "Waiting for a volume to be created either by the external provisioner 'rancher.io/local-path'",
        ),
        (
            a_claim(storageClassName="x"),
            a_class("x", "kubernetes.io/no-provisioner", volumeBindingMode="Immediate"),
            "ProvisioningFailed",
            "no volume plugin matched name: kubernetes.io/no-provisioner",
        ),
    ],
    ids=["no-class", "empty-class", "unknown-class", "waits", "provisions", "nobody-provisions"],
)
def test_a_claim_without_a_volume_says_what_it_waits_for(claim, storage_class, reason, text):
    ((found, message),) = events(plan(claim, storage_class=storage_class))

    assert found == reason
    assert message.startswith(text)


def test_who_is_to_provision_is_written_on_the_claim():
    claim = a_claim(storageClassName="x")
    made = plan(claim, storage_class=a_class("x", "example.com/p", volumeBindingMode="Immediate"))

    (patch,) = [a.patch for a in made.actions if isinstance(a, Patch)]
    assert patch["metadata"]["annotations"]["volume.kubernetes.io/storage-provisioner"] == "example.com/p"


@pytest.mark.parametrize("selected", [{}, {SELECTED_NODE: "n1"}])
def test_a_claim_that_waits_for_its_consumer_takes_no_free_volume(selected):
    claim = a_claim(storageClassName="local-path", annotations=selected)
    made = plan(claim, a_volume(storageClassName="local-path"), storage_class=a_class())

    assert ("persistentvolumes", "") not in patches(made)


def test_the_default_class_is_for_claims_that_say_nothing():
    assert plan(a_claim(), default="std").actions[0].patch == {"spec": {"storageClassName": "std"}}
    assert events(plan(a_claim(storageClassName=""), default="std"))[0][0] == "FailedBinding"


def test_a_claim_that_names_a_volume_waits_for_that_one():
    claim = a_claim(volumeName="pv")

    assert plan(claim) == NOTHING
    assert ("persistentvolumeclaims", "status") in patches(plan(claim, named=a_volume()))
    assert events(plan(claim, named=a_volume(size="1Mi")))[0] == (
        "VolumeMismatch",
        'Cannot bind to requested volume "pv": requested PV is too small',
    )
    taken = a_volume(claimRef=a_reference(a_claim("other")))
    assert events(plan(claim, named=taken))[0][0] == "FailedBinding"


@pytest.mark.parametrize(
    ("spec", "named", "reason"),
    [
        ({"volumeName": "pv"}, None, "ClaimLost"),
        ({}, None, "ClaimLost"),
        ({"volumeName": "pv"}, a_volume(claimRef=a_reference(a_claim("other"))), "ClaimMisbound"),
    ],
)
def test_a_bound_claim_without_its_volume_is_lost(spec, named, reason):
    claim = a_claim(phase="Bound", annotations={BIND_COMPLETED: "yes"}, **spec)
    made = plan(claim, named=named)

    assert made.actions[0].patch == {"status": {"phase": "Lost"}}
    assert events(made)[0][0] == reason
    claim["status"]["phase"] = "Lost"
    assert plan(claim, named=named) == NOTHING
