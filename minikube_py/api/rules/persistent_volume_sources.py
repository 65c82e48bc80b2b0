"""Where a PersistentVolume's data lies: exactly one source, each with what it needs.

Upstream: pkg/apis/core/validation ValidatePersistentVolumeSpec, pkg/apis/core/v1 defaults.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.rules.faults import Faults, forbidden, invalid, part, required, unsupported
from minikube_py.api.rules.rule_sets import default_text
from minikube_py.api.rules.volumes import HOST_PATH_TYPES, check_no_backsteps

SOURCES = (
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
    "flexVolume",
)
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "hostPath": ("path",),
    "nfs": ("server", "path"),
    "local": ("path",),
    "csi": ("driver", "volumeHandle"),
    "iscsi": ("targetPortal", "iqn"),
    "cephfs": ("monitors",),
    "rbd": ("monitors", "image"),
    "gcePersistentDisk": ("pdName",),
    "awsElasticBlockStore": ("volumeID",),
    "cinder": ("volumeID",),
    "azureFile": ("secretName", "shareName"),
    "azureDisk": ("diskName", "diskURI"),
    "vsphereVolume": ("volumePath",),
    "flexVolume": ("driver",),
    "glusterfs": ("endpoints", "path"),
}


def set_source_defaults(spec: Obj) -> None:
    """Fill in the source."""
    if spec.get("hostPath") is not None:
        spec["hostPath"].setdefault("type", "")
    if spec.get("iscsi") is not None:
        default_text(spec["iscsi"], "iscsiInterface", "default")
    if spec.get("rbd") is not None:
        for field, value in (("pool", "rbd"), ("user", "admin"), ("keyring", "/etc/ceph/keyring")):
            default_text(spec["rbd"], field, value)


def validate_source(spec: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of the one source that a PersistentVolume must have."""
    given = [source for source in SOURCES if spec.get(source) is not None]
    for source in given[:1]:
        here = f"{path}.{source}"
        for field in _NEEDED.get(source, ()):
            if not spec[source].get(field):
                yield required(f"{here}.{field}")
        yield from _validate_paths(spec, source, here)
    for source in given[1:]:
        yield forbidden(f"{path}.{source}", "may not specify more than 1 volume type")
    if not given:
        yield required(path, "must specify a volume type")
    affinity = part(part(spec, "nodeAffinity"), "required")
    if spec.get("nodeAffinity") is not None and not affinity.get("nodeSelectorTerms"):
        detail = "must have at least one node selector term"
        yield required(f"{path}.nodeAffinity.required.nodeSelectorTerms", detail)


def _validate_paths(spec: Mapping[str, Any], source: str, here: str) -> Faults:
    inner = spec[source]
    if source == "hostPath":
        if inner.get("path"):
            yield from check_no_backsteps(inner["path"], f"{here}.path")
        if inner.get("type") and inner["type"] not in HOST_PATH_TYPES:
            yield unsupported(f"{here}.type", inner["type"], HOST_PATH_TYPES)
        if inner.get("path") == "/" and spec.get("persistentVolumeReclaimPolicy") == "Recycle":
            yield forbidden(here.rpartition(".")[0] + ".persistentVolumeReclaimPolicy", _NO_ROOT)
    if source == "nfs" and inner.get("path") and not inner["path"].startswith("/"):
        yield invalid(f"{here}.path", inner["path"], "must be an absolute path")
    if source == "local":
        if inner.get("path"):
            yield from check_no_backsteps(inner["path"], f"{here}.path")
        if spec.get("nodeAffinity") is None:
            yield required(here.rpartition(".")[0] + ".nodeAffinity", "Local volume requires node affinity")


_NO_ROOT = "may not be 'recycle' for a hostPath mount of '/'"
