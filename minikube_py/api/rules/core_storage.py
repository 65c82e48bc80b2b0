"""PersistentVolumes and PersistentVolumeClaims: what they get, and when they are right.

Upstream: pkg/apis/core/validation ValidatePersistentVolume(Claim), registry/core/persistentvolume(claim) strategy.go,
admission StorageObjectInUseProtection (the finalizers).
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, copy_object, format_time
from minikube_py.api.names import dns_subdomain_faults
from minikube_py.api.quantity import parse_quantity
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_immutable,
    forbidden,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.label_selectors import validate_label_selector
from minikube_py.api.rules.persistent_volume_sources import set_source_defaults, validate_source
from minikube_py.api.rules.rule_sets import default, default_text, make_rules

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
VOLUME_MODES = ("Block", "Filesystem")
PVC_PROTECTION = "kubernetes.io/pvc-protection"
PV_PROTECTION = "kubernetes.io/pv-protection"
_POSITIVE = "must be greater than zero"
_FROZEN_CLAIM = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)


def set_claim_defaults(claim: Obj) -> None:
    """Fill in a PersistentVolumeClaim (of its own, or in a template)."""
    default_text(claim.setdefault("spec", {}), "volumeMode", "Filesystem")


def prepare_create_claim(claim: Obj) -> None:
    """Start pending, with both forms of its data source."""
    claim["status"] = {"phase": "Pending"}
    spec = claim["spec"]
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and not reference:
        spec["dataSourceRef"] = dict(source)
    elif reference and not source and not reference.get("namespace"):
        spec["dataSource"] = dict(reference)


def check_claim(claim: Mapping[str, Any]) -> Faults:
    """Yield the faults of a claim."""
    yield from validate_claim_spec(part(claim, "spec"), "spec")


def validate_claim_spec(spec: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of a claim's spec (volumeClaimTemplates have one too)."""
    modes = items(spec, "accessModes")
    if not modes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    if spec.get("selector") is not None:
        yield from validate_label_selector(spec["selector"], f"{path}.selector")
    yield from _validate_modes(modes, f"{path}.accessModes")
    storage = part(part(spec, "resources"), "requests").get("storage")
    if storage is None:
        yield required(f"{path}.resources[storage]")
    elif parse_quantity(str(storage)).nano <= 0:
        yield invalid(f"{path}.resources[storage]", str(storage), _POSITIVE)
    for field in ("storageClassName", "volumeAttributesClassName"):
        if spec.get(field):
            yield from all_invalid(f"{path}.{field}", spec[field], dns_subdomain_faults(spec[field]))
    if spec.get("volumeMode") and spec["volumeMode"] not in VOLUME_MODES:
        yield unsupported(f"{path}.volumeMode", spec["volumeMode"], VOLUME_MODES)
    yield from _validate_data_source(spec.get("dataSource"), f"{path}.dataSource")


def _validate_modes(modes: Any, path: str) -> Faults:
    for mode in modes:
        if mode not in ACCESS_MODES:
            yield unsupported(path, mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def _validate_data_source(source: Mapping[str, Any] | None, path: str) -> Faults:
    if source is None:
        return
    for field in ("name", "kind"):
        if not source.get(field):
            yield required(f"{path}.{field}")
    if not source.get("apiGroup") and source.get("kind") != "PersistentVolumeClaim":
        yield invalid(
            path, source.get("kind") or "", "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        )


def check_claim_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of a change: only what binding, growing and a retroactive class set may differ."""
    spec, before = part(new, "spec"), part(old, "spec")
    allowed = copy_object(before)
    if not before.get("volumeName") and spec.get("volumeName"):
        allowed["volumeName"] = spec["volumeName"]
    if before.get("storageClassName") is None and not before.get("volumeName") and "storageClassName" in spec:
        allowed["storageClassName"] = spec["storageClassName"]
    if "volumeAttributesClassName" in spec:
        allowed["volumeAttributesClassName"] = spec["volumeAttributesClassName"]
    bound = part(old, "status").get("phase") == "Bound"
    size = part(part(spec, "resources"), "requests").get("storage")
    if bound and size is not None:
        allowed.setdefault("resources", {}).setdefault("requests", {})["storage"] = size
    if allowed != spec:
        yield forbidden("spec", _FROZEN_CLAIM)
    # A volume may be bigger than what was asked for, so only a smaller request than before is held against it.
    asked = part(part(before, "resources"), "requests").get("storage")
    had = part(part(old, "status"), "capacity").get("storage")
    shrinks = bool(size and asked) and parse_quantity(str(size)).nano < parse_quantity(str(asked)).nano
    if bound and shrinks and had is not None and parse_quantity(str(size)).nano <= parse_quantity(str(had)).nano:
        yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


def set_volume_defaults(volume: Obj) -> None:
    """Fill in a PersistentVolume."""
    spec = volume.setdefault("spec", {})
    default_text(spec, "persistentVolumeReclaimPolicy", "Retain")
    default_text(spec, "volumeMode", "Filesystem")
    set_source_defaults(spec)


def prepare_create_volume(volume: Obj) -> None:
    """Start pending."""
    volume["status"] = {"phase": "Pending"}
    default(volume["status"], "lastPhaseTransitionTime", part(volume, "metadata").get("creationTimestamp"))
    if volume["status"]["lastPhaseTransitionTime"] is None:
        del volume["status"]["lastPhaseTransitionTime"]


def prepare_volume_status(new: Obj, old: Mapping[str, Any], wall_s: float) -> None:
    """Write down when a volume's phase changes, unless whoever changes it says when."""
    status, before = part(new, "status"), part(old, "status")
    since = status.get("lastPhaseTransitionTime")
    if status.get("phase") != before.get("phase") and since in (None, before.get("lastPhaseTransitionTime")):
        new["status"] = {**status, "lastPhaseTransitionTime": format_time(wall_s)}


def check_volume(volume: Mapping[str, Any]) -> Faults:
    """Yield the faults of a PersistentVolume."""
    spec = part(volume, "spec")
    if not items(spec, "accessModes"):
        yield required("spec.accessModes")
    yield from _validate_modes(items(spec, "accessModes"), "spec.accessModes")
    capacity = part(spec, "capacity")
    if not capacity:
        yield required("spec.capacity")
    if set(capacity) != {"storage"}:
        yield unsupported("spec.capacity", dict(capacity), ("storage",))
    for name, amount in sorted(capacity.items()):
        if parse_quantity(str(amount)).nano <= 0:
            yield invalid(f"spec.capacity[{name}]", str(amount), _POSITIVE)
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy and policy not in RECLAIM_POLICIES:
        yield unsupported("spec.persistentVolumeReclaimPolicy", policy, RECLAIM_POLICIES)
    yield from validate_source(spec, "spec")
    for field in ("storageClassName", "volumeAttributesClassName"):
        if spec.get(field):
            yield from all_invalid(f"spec.{field}", spec[field], dns_subdomain_faults(spec[field]))
    if spec.get("volumeMode") and spec["volumeMode"] not in VOLUME_MODES:
        yield unsupported("spec.volumeMode", spec["volumeMode"], VOLUME_MODES)


def check_volume_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of a change: where the data lies, and how, stays."""
    spec, before = part(new, "spec"), part(old, "spec")
    if _sources(spec) != _sources(before):
        yield forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation")
    yield from check_immutable("spec.volumeMode", spec.get("volumeMode"), before.get("volumeMode"))
    if before.get("nodeAffinity") is not None:
        yield from check_immutable("spec.nodeAffinity", spec.get("nodeAffinity"), before["nodeAffinity"])


_NO_SOURCES = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)


def _sources(spec: Mapping[str, Any]) -> Obj:
    return {field: value for field, value in spec.items() if field not in _NO_SOURCES}


CLAIM_RULES = make_rules(
    check_claim, check_claim_update, set_defaults=set_claim_defaults, prepare_create=prepare_create_claim
)
VOLUME_RULES = make_rules(
    check_volume, check_volume_update, set_defaults=set_volume_defaults, prepare_create=prepare_create_volume
)
