"""Volumes of the class `local-path`: a directory on the node that the scheduler chose, made and deleted there.

The kubelet of that node is the provisioner, so that no other program is needed and each node knows its own folder.
Upstream: rancher's local-path-provisioner as k3s ships it (whose names are kept), external-provisioner with
--node-deployment.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from minikube_py.api.meta import Obj, annotations_of, is_deleting, name_of, namespace_of, uid_of
from minikube_py.api.persistent_volumes import (
    LOCAL_PATH_PROVISIONER,
    PROVISIONED_BY,
    SELECTED_NODE,
    class_of,
    mode_of,
    phase_of,
    spec_of,
)

HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class Provision:
    """Make a directory and the volume for a claim."""

    claim: Obj
    volume: Obj
    path: str


def is_for_node(claim: Obj, storage_class: Obj | None, node_name: str) -> bool:
    """Return whether this node is to make a volume for a claim."""
    return (
        storage_class is not None
        and storage_class.get("provisioner") == LOCAL_PATH_PROVISIONER
        and annotations_of(claim).get(SELECTED_NODE) == node_name
        and not spec_of(claim).get("volumeName")
        and not is_deleting(claim)
    )


def provision(claim: Obj, storage_class: Obj, node_name: str, root: str) -> Provision | str:
    """Return what to make for a claim, or why it cannot be made."""
    if mode_of(claim) == "Block":
        return "failed to provision volume: block volumes are not supported by local-path"
    if spec_of(claim).get("selector"):
        return "failed to provision volume: claim.Spec.Selector is not supported"
    spec = spec_of(claim)
    if set(spec.get("accessModes") or ()) - {"ReadWriteOnce", "ReadWriteOncePod"}:
        return "failed to provision volume: only ReadWriteOnce and ReadWriteOncePod access modes are supported"
    name = f"pvc-{uid_of(claim)}"
    path = f"{root}/{name}_{namespace_of(claim)}_{name_of(claim)}"
    here = {"key": HOSTNAME, "operator": "In", "values": [node_name]}
    volume: Obj = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {
                PROVISIONED_BY: LOCAL_PATH_PROVISIONER,
                "local.path.provisioner/selected-node": node_name,
            },
        },
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": list(spec["accessModes"]),
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy") or "Delete",
            "storageClassName": class_of(claim),
            "volumeMode": "Filesystem",
            "mountOptions": list(storage_class.get("mountOptions") or ()),
            "hostPath": {"path": path, "type": "DirectoryOrCreate"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": namespace_of(claim),
                "name": name_of(claim),
                "uid": uid_of(claim),
            },
        },
    }
    return Provision(claim, volume, path)


def path_to_delete(volume: Mapping[str, object], node_name: str, root: str) -> str:
    """Return the directory of a released volume that this node made; empty when it is not its to delete.

    Only what `provision` would have named is deleted: a volume that was edited by hand loses no directory elsewhere.
    """
    obj: Obj = dict(volume)
    spec, marks = spec_of(obj), annotations_of(obj)
    mine = (
        marks.get(PROVISIONED_BY) == LOCAL_PATH_PROVISIONER
        and marks.get("local.path.provisioner/selected-node") == node_name
        and phase_of(obj) == "Released"
        and spec.get("persistentVolumeReclaimPolicy") == "Delete"
    )
    ref, path = spec.get("claimRef") or {}, str((spec.get("hostPath") or {}).get("path") or "")
    expected = f"{root}/{name_of(obj)}_{ref.get('namespace')}_{ref.get('name')}"
    return path if mine and path == expected and name_of(obj) == f"pvc-{ref.get('uid')}" else ""
