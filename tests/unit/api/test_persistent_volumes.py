import pytest

from minikube_py.api.persistent_volumes import (
    NodeFacts,
    class_of,
    find_volume,
    fits_node,
    has_class_field,
    is_reserved_for,
    misfit,
)
from minikube_py.testing.volume_objects import a_claim, a_reference, a_volume, on_node

CLAIM = a_claim()


def found(*volumes, claim=CLAIM, **options):
    volume = find_volume(claim, volumes, **options)
    return None if volume is None else volume["metadata"]["name"]


def test_the_smallest_that_is_big_enough_is_bound():
    volumes = [a_volume("big", "5Gi"), a_volume("mid", "2Gi"), a_volume("small", "1Mi")]

    assert found(*volumes) == "mid"


@pytest.mark.parametrize(
    ("volume", "why"),
    [
        (a_volume(size="1Mi"), "requested PV is too small"),
        (a_volume(storageClassName="x"), "storageClassName does not match"),
        (a_volume(volumeMode="Block"), "incompatible volumeMode"),
        (a_volume(accessModes=["ReadOnlyMany"]), "incompatible accessMode"),
    ],
)
def test_what_does_not_fit_is_not_bound_and_says_why(volume, why):
    assert found(volume) is None
    assert misfit(volume, CLAIM) == why


@pytest.mark.parametrize("phase", ["Pending", "Bound", "Released", "Failed"])
def test_only_an_available_volume_is_given_away(phase):
    assert found(a_volume(phase=phase)) is None


def test_a_volume_that_is_reserved_for_the_claim_comes_first():
    reserved = a_volume("reserved", "5Gi", phase="Pending", claimRef=a_reference(CLAIM))

    assert found(a_volume(), reserved) == "reserved"
    assert found(a_volume(), reserved, only_reserved=True) == "reserved"
    assert found(a_volume(), only_reserved=True) is None


def test_a_claim_of_the_same_name_made_again_gets_nothing_of_the_old_one():
    old = a_volume(claimRef=a_reference(a_claim(uid="old")))

    assert not is_reserved_for(old, CLAIM)
    assert found(old) is None
    assert is_reserved_for(a_volume(claimRef={"namespace": "default", "name": "c"}), CLAIM)


def test_labels_of_volumes_can_be_chosen():
    claim = a_claim(selector={"matchLabels": {"tier": "fast"}})

    assert found(a_volume("slow"), a_volume("fast", labels={"tier": "fast"}), claim=claim) == "fast"


def test_a_volume_of_another_node_or_that_is_taken_is_left():
    here = NodeFacts("n1", {"kubernetes.io/hostname": "n1"})
    volumes = [a_volume("away", nodeAffinity=on_node("n2")), a_volume("here", "5Gi", nodeAffinity=on_node("n1"))]

    assert found(*volumes, node=here) == "here"
    assert found(*volumes, node=here, taken={"here"}) is None
    assert not fits_node(volumes[0], here)


def test_no_class_and_the_empty_class_are_two_things():
    assert (class_of(a_claim()), has_class_field(a_claim())) == ("", False)
    assert (class_of(a_claim(storageClassName="")), has_class_field(a_claim(storageClassName=""))) == ("", True)
    assert class_of(a_claim(annotations={"volume.beta.kubernetes.io/storage-class": "old"})) == "old"
