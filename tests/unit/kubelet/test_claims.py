import pytest

from minikube_py.api.persistent_volumes import NodeFacts
from minikube_py.kubelet.claims import BoundVolume, ClaimFacts, LocalVolume, resolve_claim
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.pod_volumes import HostPathVolume, NfsVolume
from minikube_py.kubelet.volumes import VolumeError
from minikube_py.testing.volume_objects import a_claim, a_reference, a_volume, on_node

CLAIM = a_claim(phase="Bound", volumeName="pv")
NODE = NodeFacts("n1", {"kubernetes.io/hostname": "n1"})


def a_pod(use="volumeMounts"):
    entry = {"volumeMounts": {"name": "v", "mountPath": "/v"}, "volumeDevices": {"name": "v", "devicePath": "/dev/x"}}
    spec = {
        "containers": [{"name": "c", "image": "i", use: [entry[use]]}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
    }
    return parse_pod({"metadata": {"name": "p", "namespace": "default"}, "spec": spec})


def resolve(volume, claim=CLAIM, use="volumeMounts"):
    pod = a_pod(use)
    return resolve_claim(pod, pod.volumes[0], "c", ClaimFacts(claim, volume, NODE))


def owned(**spec):
    return a_volume(phase="Bound", claimRef=a_reference(CLAIM), **spec)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ({"local": {"path": "/d"}}, LocalVolume("/d")),
        ({"hostPath": {"path": "/d"}}, HostPathVolume("/d", "")),
        ({"nfs": {"server": "s", "path": "/p", "readOnly": True}}, NfsVolume("s", "/p", True)),
    ],
)
def test_what_is_behind_a_claim_is_found(source, found):
    assert resolve(owned(mountOptions=["hard"], **source)) == BoundVolume("pv", found, False, ("hard",))


def test_a_block_device_is_for_device_users():
    volume = owned(local={"path": "/dev/sdb"}, volumeMode="Block")

    assert resolve(volume, use="volumeDevices").block
    with pytest.raises(VolumeError, match="volume v has volumeMode Block, but is specified in volumeMounts"):
        resolve(volume)
    with pytest.raises(VolumeError, match="volume v has volumeMode Filesystem, but is specified in volumeDevices"):
        resolve(owned(local={"path": "/d"}), use="volumeDevices")


LOCAL = {"local": {"path": "/d"}}
GOING = {**CLAIM, "metadata": {**CLAIM["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}


@pytest.mark.parametrize(
    ("claim", "volume", "why"),
    [
        (None, None, 'failed to fetch PVC from API server: persistentvolumeclaims "c" not found'),
        (GOING, owned(**LOCAL), "PVC is being deleted"),
        (a_claim(), None, "PVC is not bound"),
        (CLAIM, None, 'failed to fetch PV pv from API server: persistentvolumes "pv" not found'),
        (CLAIM, a_volume(**LOCAL), "found PV object pv with nil pv.Spec.ClaimRef"),
        (CLAIM, a_volume(claimRef=a_reference(a_claim(uid="old")), **LOCAL), "unexpected pv.Spec.ClaimRef.UID"),
    ],
    ids=["missing", "going", "unbound", "no-volume", "free-volume", "of-another"],
)
def test_a_claim_that_cannot_be_used_says_why(claim, volume, why):
    with pytest.raises(VolumeError) as refused:
        resolve(volume, claim)
    head = (
        "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process "
        "volumes=[v]: error processing PVC default/c: "
    )
    assert str(refused.value).startswith(head)
    assert why in str(refused.value)


def test_a_volume_of_another_node_is_not_used():
    with pytest.raises(
        VolumeError, match='NodeAffinity check failed for volume "pv" : no matching NodeSelectorTerms'
    ):
        resolve(owned(nodeAffinity=on_node("n2"), **LOCAL))


def test_a_kind_that_is_not_served_is_named():
    with pytest.raises(VolumeError, match="volumes of kind csi are not served"):
        resolve(owned(csi={"driver": "d"}))
