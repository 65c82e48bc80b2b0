"""Columns of PersistentVolumes and their claims (upstream: printers printPersistentVolume(Claim))."""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME
from minikube_py.api.columns.cells import at, text
from minikube_py.api.columns.workloads import spec_of, status_of
from minikube_py.api.meta import annotations_of, is_deleting
from minikube_py.api.resource import Column

UNSET = "<unset>"
_SHORT = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


def short_modes(modes: Sequence[str]) -> str:
    """Return access modes as `RWO,ROX`, always in one order."""
    return ",".join(short for mode, short in _SHORT.items() if mode in modes)


def _phase(obj: Mapping[str, Any], _: float) -> str:
    return "Terminating" if is_deleting(obj) else str(status_of(obj).get("phase") or "")


def _class(obj: Mapping[str, Any], _: float) -> str:
    return str(annotations_of(obj).get(_CLASS_ANNOTATION) or spec_of(obj).get("storageClassName") or "")


def _claim_of(volume: Mapping[str, Any], _: float) -> str:
    claim = spec_of(volume).get("claimRef")
    return f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""


def _bound(claim: Mapping[str, Any]) -> bool:
    return bool(spec_of(claim).get("volumeName"))


_ATTRIBUTES = text(
    "VolumeAttributesClass",
    "spec.volumeAttributesClassName",
    "Class of the volume's mutable attributes.",
    missing=UNSET,
)
_MODE = text("VolumeMode", "spec.volumeMode", "File system or block device.", missing=UNSET, wide=True)
_STORAGE_CLASS = Column("StorageClass", _class, description="The class that the volume is of.")
_STATUS = Column("Status", _phase, description="What has become of it so far.")

PERSISTENT_VOLUME_COLUMNS = (
    NAME,
    text("Capacity", "spec.capacity.storage", "How much the volume holds."),
    Column(
        "Access Modes",
        lambda obj, _: short_modes(spec_of(obj).get("accessModes") or ()),
        description="How the volume may be mounted.",
    ),
    text("Reclaim Policy", "spec.persistentVolumeReclaimPolicy", "What happens to it when its claim goes."),
    _STATUS,
    Column("Claim", _claim_of, description="The claim that has the volume."),
    _STORAGE_CLASS,
    _ATTRIBUTES,
    text("Reason", "status.reason", "Why it is in this state, in one word."),
    AGE,
    _MODE,
)
PERSISTENT_VOLUME_CLAIM_COLUMNS = (
    NAME,
    _STATUS,
    text("Volume", "spec.volumeName", "The volume that the claim has."),
    Column(
        "Capacity",
        lambda obj, _: at(obj, "status", "capacity", "storage") or "" if _bound(obj) else "",
        description="How much the volume holds.",
    ),
    Column(
        "Access Modes",
        lambda obj, _: short_modes(status_of(obj).get("accessModes") or ()) if _bound(obj) else "",
        description="How the volume may be mounted.",
    ),
    _STORAGE_CLASS,
    _ATTRIBUTES,
    AGE,
    _MODE,
)
