"""The rows of storage.k8s.io/v1: classes of volumes, attachments, and CSI drivers."""

from minikube_py.api.columns import storage_v1
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import rules_in, status, status_rules_in

STORAGE_CLASSES = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="StorageClass",
    plural="storageclasses",
    singular="storageclass",
    namespaced=False,
    rules=rules_in("storage", "CLASS_RULES"),
    columns=storage_v1.STORAGE_CLASS_COLUMNS,
    short_names=("sc",),
)
VOLUME_ATTRIBUTES_CLASSES = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="VolumeAttributesClass",
    plural="volumeattributesclasses",
    singular="volumeattributesclass",
    namespaced=False,
    rules=rules_in("storage", "ATTRIBUTES_CLASS_RULES"),
    columns=storage_v1.ATTRIBUTES_CLASS_COLUMNS,
    short_names=("vac",),
)
VOLUME_ATTACHMENTS = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="VolumeAttachment",
    plural="volumeattachments",
    singular="volumeattachment",
    namespaced=False,
    rules=rules_in("storage", "ATTACHMENT_RULES"),
    columns=storage_v1.ATTACHMENT_COLUMNS,
    subresources=(status("VolumeAttachment"),),
    unconditional_update=False,
    status_alone=True,
    validate_status=status_rules_in("storage", "validate_attachment_status"),
)
CSI_DRIVERS = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="CSIDriver",
    plural="csidrivers",
    singular="csidriver",
    namespaced=False,
    rules=rules_in("storage", "DRIVER_RULES"),
    columns=storage_v1.DRIVER_COLUMNS,
)
CSI_NODES = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="CSINode",
    plural="csinodes",
    singular="csinode",
    namespaced=False,
    rules=rules_in("storage", "NODE_RULES"),
    columns=storage_v1.NODE_COLUMNS,
)
CSI_STORAGE_CAPACITIES = Resource(
    group="storage.k8s.io",
    version="v1",
    kind="CSIStorageCapacity",
    plural="csistoragecapacities",
    singular="csistoragecapacity",
    namespaced=True,
    rules=rules_in("storage", "CAPACITY_RULES"),
    columns=storage_v1.CAPACITY_COLUMNS,
)

ROWS = (
    STORAGE_CLASSES,
    VOLUME_ATTRIBUTES_CLASSES,
    VOLUME_ATTACHMENTS,
    CSI_DRIVERS,
    CSI_NODES,
    CSI_STORAGE_CAPACITIES,
)
