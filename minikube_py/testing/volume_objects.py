"""Claims, volumes and classes for tests of the binder, the scheduler and the kubelet."""

from typing import Any

from minikube_py.api.meta import Obj


def a_claim(name: str = "c", size: str = "1Gi", *, uid: str = "", phase: str = "Pending", **spec: Any) -> Obj:
    """Return a claim in namespace `default`; its uid is its name's unless given."""
    annotations = spec.pop("annotations", {})
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": uid or f"uid-{name}",
            "resourceVersion": "7",
            "annotations": annotations,
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "volumeMode": "Filesystem",
            "resources": {"requests": {"storage": size}},
            **spec,
        },
        "status": {"phase": phase},
    }


def a_volume(name: str = "pv", size: str = "1Gi", *, phase: str = "Available", **spec: Any) -> Obj:
    """Return a volume; its uid is its name's."""
    meta = {
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": "5",
        "annotations": spec.pop("annotations", {}),
        "labels": spec.pop("labels", {}),
    }
    return {
        "metadata": meta,
        "spec": {
            "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
            "capacity": {"storage": size},
            "persistentVolumeReclaimPolicy": "Retain",
            "volumeMode": "Filesystem",
            **spec,
        },
        "status": {"phase": phase},
    }


def a_reference(claim: Obj) -> Obj:
    """Return the claimRef of a volume that is the claim's."""
    meta = claim["metadata"]
    return {"namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def on_node(name: str) -> Obj:
    """Return the node affinity of a volume of one node."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}


def a_class(name: str = "local-path", provisioner: str = "rancher.io/local-path", **fields: Any) -> Obj:
    """Return a storage class that waits for its first consumer."""
    meta = {"name": name, "annotations": fields.pop("annotations", {})}
    return {
        "metadata": meta,
        "provisioner": provisioner,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        **fields,
    }
