"""Rules for a pod's volumes: one source each, and what the sources that a node can mount need.

Sources of clouds that have left Kubernetes are accepted as they come; a node refuses what it cannot mount.

Upstream: pkg/apis/core/validation ValidateVolumes, validateVolumeSource.
"""

from collections.abc import Callable, Mapping
from typing import Any

from minikube_py.api.names import config_key_faults, dns_label_faults, dns_subdomain_faults
from minikube_py.api.quantity import parse_quantity
from minikube_py.api.rules.faults import (
    NOT_NEGATIVE,
    Faults,
    all_invalid,
    duplicate,
    forbidden,
    indexed,
    invalid,
    items,
    required,
    unsupported,
)
from minikube_py.api.rules.value_sources import VOLUME_FIELDS, validate_field_ref, validate_resource_ref

FILE_MODE_MAX = 0o777
_SOURCES = (
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "flocker",
    "downwardAPI",
    "fc",
    "flexVolume",
    "azureFile",
    "configMap",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
)
HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
_PROJECTIONS = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")
_TOKEN_S_MIN, _TOKEN_S_MAX = 600, 2**32


def validate_volumes(spec: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of all volumes of a pod."""
    seen: set[str] = set()
    for here, volume in indexed(spec, "volumes", path):
        name = volume.get("name") or ""
        if not name:
            yield required(f"{here}.name")
        else:
            yield from all_invalid(f"{here}.name", name, dns_label_faults(name))
        if name in seen:
            yield duplicate(f"{here}.name", name)
        seen.add(name)
        yield from _validate_source(volume, here)


def _validate_source(volume: Mapping[str, Any], path: str) -> Faults:
    given = [source for source in _SOURCES if volume.get(source) is not None]
    if not given:
        yield required(path, "must specify a volume type")
        return
    for source in given[1:]:
        yield forbidden(f"{path}.{source}", "may not specify more than 1 volume type")
    check = _CHECKS.get(given[0])
    if check is not None:
        yield from check(volume[given[0]], f"{path}.{given[0]}")


def validate_relative_path(value: str, path: str) -> Faults:
    """Yield the faults of a path that must stay below where it starts."""
    if value.startswith("/"):
        yield invalid(path, value, "must be a relative path")
    yield from check_no_backsteps(value, path)


def check_no_backsteps(value: str, path: str) -> Faults:
    """Yield the fault of a path with a `..` step in it."""
    if ".." in value.split("/"):
        yield invalid(path, value, "must not contain '..'")


def _need(source: Mapping[str, Any], field: str, path: str) -> Faults:
    if not source.get(field):
        yield required(f"{path}.{field}")


def _check_mode(source: Mapping[str, Any], field: str, path: str) -> Faults:
    mode = source.get(field)
    if mode is not None and not 0 <= mode <= FILE_MODE_MAX:
        yield invalid(f"{path}.{field}", mode, "must be a number between 0 and 0777 (octal), both inclusive")


def _check_items(source: Mapping[str, Any], path: str) -> Faults:
    for here, item in indexed(source, "items", path):
        yield from _need(item, "key", here)
        if item.get("key"):
            yield from all_invalid(f"{here}.key", item["key"], config_key_faults(item["key"]))
        yield from _check_file(item, here)


def _check_file(item: Mapping[str, Any], path: str) -> Faults:
    yield from _need(item, "path", path)
    name = item.get("path") or ""
    yield from validate_relative_path(name, f"{path}.path")
    if name.startswith("..") and ".." not in name.split("/"):
        yield invalid(f"{path}.path", name, "must not start with '..'")
    yield from _check_mode(item, "mode", path)


def _empty_dir(source: Mapping[str, Any], path: str) -> Faults:
    limit = source.get("sizeLimit")
    if limit is not None and parse_quantity(str(limit)).nano < 0:
        yield forbidden(f"{path}.sizeLimit", f"SizeLimit field {NOT_NEGATIVE}")


def _host_path(source: Mapping[str, Any], path: str) -> Faults:
    yield from _need(source, "path", path)
    yield from check_no_backsteps(source.get("path") or "", f"{path}.path")
    if (source.get("type") or "") not in HOST_PATH_TYPES:
        yield unsupported(f"{path}.type", source["type"], HOST_PATH_TYPES)


def _secret(source: Mapping[str, Any], path: str) -> Faults:
    yield from _need(source, "secretName", path)
    yield from _check_mode(source, "defaultMode", path)
    yield from _check_items(source, path)


def _config_map(source: Mapping[str, Any], path: str) -> Faults:
    yield from _need(source, "name", path)
    yield from _check_mode(source, "defaultMode", path)
    yield from _check_items(source, path)


def _downward_api(source: Mapping[str, Any], path: str) -> Faults:
    yield from _check_mode(source, "defaultMode", path)
    yield from _downward_items(source, path)


def _downward_items(source: Mapping[str, Any], path: str) -> Faults:
    for here, item in indexed(source, "items", path):
        yield from _check_file(item, here)
        field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
        if field is not None:
            yield from validate_field_ref(field, f"{here}.fieldRef", VOLUME_FIELDS)
            if resource is not None:
                yield invalid(here, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
        elif resource is not None:
            yield from validate_resource_ref(resource, f"{here}.resourceFieldRef", needs_container=True)
        else:
            yield required(here, "one of fieldRef and resourceFieldRef is required")


def _projected(source: Mapping[str, Any], path: str) -> Faults:
    yield from _check_mode(source, "defaultMode", path)
    for here, projection in indexed(source, "sources", path):
        given = [kind for kind in _PROJECTIONS if projection.get(kind) is not None]
        if not given:
            yield required(here, "must specify a projection type")
        for kind in given[1:]:
            yield forbidden(f"{here}.{kind}", "may not specify more than 1 volume type per source")
        for kind in given[:1]:
            yield from _projection(projection[kind], kind, f"{here}.{kind}")


def _projection(source: Mapping[str, Any], kind: str, path: str) -> Faults:
    if kind in ("secret", "configMap"):
        yield from _need(source, "name", path)
        yield from _check_items(source, path)
    elif kind == "downwardAPI":
        yield from _downward_items(source, path)
    elif kind == "serviceAccountToken":
        seconds = source.get("expirationSeconds", _TOKEN_S_MIN)
        if seconds < _TOKEN_S_MIN:
            detail = "may not specify a duration less than 10 minutes"
            yield invalid(f"{path}.expirationSeconds", seconds, detail)
        elif seconds > _TOKEN_S_MAX:
            yield invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
        yield from _need(source, "path", path)
        yield from validate_relative_path(source.get("path") or "", f"{path}.path")


def _nfs(source: Mapping[str, Any], path: str) -> Faults:
    yield from _need(source, "server", path)
    yield from _need(source, "path", path)
    if source.get("path") and not source["path"].startswith("/"):
        yield invalid(f"{path}.path", source["path"], "must be an absolute path")


def _claim(source: Mapping[str, Any], path: str) -> Faults:
    yield from _need(source, "claimName", path)
    if source.get("claimName"):
        yield from all_invalid(f"{path}.claimName", source["claimName"], dns_subdomain_faults(source["claimName"]))


def _csi(source: Mapping[str, Any], path: str) -> Faults:
    yield from _need(source, "driver", path)


def _ephemeral(source: Mapping[str, Any], path: str) -> Faults:
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield required(f"{path}.volumeClaimTemplate")
    elif not items(template.get("spec") or {}, "accessModes"):
        yield required(f"{path}.volumeClaimTemplate.spec.accessModes", "at least 1 access mode is required")


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], str], Faults]] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "secret": _secret,
    "configMap": _config_map,
    "downwardAPI": _downward_api,
    "projected": _projected,
    "nfs": _nfs,
    "persistentVolumeClaim": _claim,
    "csi": _csi,
    "ephemeral": _ephemeral,
}
