"""Columns of the storage.k8s.io group's kinds (upstream: printers printStorageClass, printCSIDriver, ...)."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME
from minikube_py.api.columns.cells import count, flag, names_of, text
from minikube_py.api.columns.core_storage_v1 import UNSET
from minikube_py.api.columns.workloads import spec_of
from minikube_py.api.meta import annotations_of, name_of
from minikube_py.api.resource import Column

_DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def _class_name(storage_class: Mapping[str, Any], _: float) -> str:
    is_default = any(annotations_of(storage_class).get(name) == "true" for name in _DEFAULT)
    return f"{name_of(storage_class)} (default)" if is_default else name_of(storage_class)


STORAGE_CLASS_COLUMNS = (
    Column("Name", _class_name, format="name", description=NAME.description),
    text("Provisioner", "provisioner", "Who makes volumes of the class."),
    text("ReclaimPolicy", "reclaimPolicy", "What happens to a volume when its claim goes."),
    text("VolumeBindingMode", "volumeBindingMode", "When a claim gets its volume."),
    Column(
        "AllowVolumeExpansion",
        lambda obj, _: bool(obj.get("allowVolumeExpansion")),
        description="Whether volumes may grow.",
    ),
    AGE,
)
ATTRIBUTES_CLASS_COLUMNS = (
    NAME,
    text("DriverName", "driverName", "The CSI driver that knows the attributes."),
    AGE,
)
ATTACHMENT_COLUMNS = (
    NAME,
    Column(
        "Attacher",
        lambda obj, _: spec_of(obj).get("attacher", ""),
        format="name",
        description="The driver that attaches the volume.",
    ),
    text("PV", "spec.source.persistentVolumeName", "The volume."),
    text("Node", "spec.nodeName", "The node that the volume is attached to."),
    flag("Attached", "status.attached", "Whether it is attached by now."),
    AGE,
)


def _audiences(driver: Mapping[str, Any], _: float) -> str:
    requests = spec_of(driver).get("tokenRequests")
    return ",".join(str(request.get("audience", "")) for request in requests) if requests else UNSET


DRIVER_COLUMNS = (
    NAME,
    flag("AttachRequired", "spec.attachRequired", "Whether volumes must be attached to a node first."),
    flag("PodInfoOnMount", "spec.podInfoOnMount", "Whether the driver is told about the pod."),
    flag("StorageCapacity", "spec.storageCapacity", "Whether the scheduler looks at free capacity."),
    Column("TokenRequests", _audiences, description="For whom the driver gets tokens of the pod."),
    flag("RequiresRepublish", "spec.requiresRepublish", "Whether volumes are published again and again."),
    Column(
        "Modes",
        lambda obj, _: names_of(spec_of(obj).get("volumeLifecycleModes") or ()),
        description="Volumes of their own, or as part of a pod.",
    ),
    AGE,
)
NODE_COLUMNS = (NAME, count("Drivers", "spec.drivers", "How many CSI drivers the node has."), AGE)
CAPACITY_COLUMNS = (
    NAME,
    text("StorageClassName", "storageClassName", "The class that the capacity is for."),
    text("Capacity", "capacity", "How much is free."),
)
