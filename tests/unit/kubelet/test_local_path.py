import pytest

from minikube_py.api.persistent_volumes import SELECTED_NODE
from minikube_py.kubelet.local_path import Provision, is_for_node, path_to_delete, provision
from minikube_py.testing.volume_objects import a_claim, a_class, on_node

MARKS = {SELECTED_NODE: "n1"}
CLAIM = a_claim(storageClassName="local-path", annotations=MARKS)


def made(**changes):
    found = provision(CLAIM, a_class(), "n1", "/data")
    assert isinstance(found, Provision)
    spec = {**found.volume["spec"], **changes.pop("spec", {})}
    return {**found.volume, "spec": spec, "status": {"phase": "Released"}, **changes}


@pytest.mark.parametrize(
    ("claim", "storage_class", "mine"),
    [
        (CLAIM, a_class(), True),
        (CLAIM, None, False),
        (CLAIM, a_class(provisioner="other"), False),
        (a_claim(annotations={SELECTED_NODE: "n2"}), a_class(), False),
        (a_claim(), a_class(), False),
        (a_claim(annotations=MARKS, volumeName="pv"), a_class(), False),
    ],
)
def test_a_node_makes_what_was_chosen_for_it(claim, storage_class, mine):
    assert is_for_node(claim, storage_class, "n1") is mine


def test_a_volume_is_reserved_for_its_claim_and_bound_to_its_node():
    volume = made()

    assert volume["metadata"]["name"] == "pvc-uid-c"
    assert volume["spec"]["hostPath"]["path"] == "/data/pvc-uid-c_default_c"
    assert volume["spec"]["claimRef"]["uid"] == "uid-c"
    assert volume["spec"]["nodeAffinity"] == on_node("n1")
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (a_claim(volumeMode="Block"), "block volumes"),
        (a_claim(selector={}), ""),
        (a_claim(selector={"matchLabels": {"a": "b"}}), "claim.Spec.Selector is not supported"),
        (a_claim(accessModes=["ReadWriteMany"]), "only ReadWriteOnce"),
    ],
)
def test_what_a_folder_of_one_node_cannot_be_is_refused(claim, why):
    found = provision(claim, a_class(), "n1", "/data")

    assert (why in found) if why else isinstance(found, Provision)


def test_a_released_folder_is_deleted():
    assert path_to_delete(made(), "n1", "/data") == "/data/pvc-uid-c_default_c"


@pytest.mark.parametrize(
    "volume",
    [
        made(status={"phase": "Bound"}),
        made(spec={"persistentVolumeReclaimPolicy": "Retain"}),
        made(spec={"hostPath": {"path": "/etc"}}),
        made(spec={"hostPath": {"path": "/data/pvc-uid-c_default_c/../.."}}),
        made(spec={"claimRef": {"namespace": "..", "name": "..", "uid": "uid-c"}}),
        made(metadata={"name": "pvc-uid-c"}),
    ],
    ids=["bound", "kept", "elsewhere", "climbing", "odd-claim", "not-ours"],
)
def test_nothing_else_is(volume):
    assert path_to_delete(volume, "n1", "/data") == ""
    assert path_to_delete(made(), "n2", "/data") == ""
