"""The group storage.k8s.io: classes of volumes, attachments, and what CSI drivers say of themselves.

Upstream: pkg/apis/storage/v1 defaults.go, pkg/apis/storage/validation.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.names import dns_subdomain_faults, qualified_name_faults
from minikube_py.api.quantity import parse_quantity
from minikube_py.api.rules.faults import (
    INT32_MAX,
    NOT_NEGATIVE,
    Faults,
    all_invalid,
    check_immutable,
    duplicate,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    too_long,
    unsupported,
)
from minikube_py.api.rules.label_selectors import validate_label_selector
from minikube_py.api.rules.rule_sets import default, default_text, make_rules

PARAMETERS_MAX = 512
PARAMETERS_BYTES_MAX = 256 * 1024
ATTACHMENT_METADATA_BYTES_MAX = 256 * 1024
VOLUME_ERROR_BYTES_MAX = 1024
DRIVER_NAME_LENGTH_MAX = 63
_RECLAIM = ("Delete", "Retain")
_BINDING = ("Immediate", "WaitForFirstConsumer")
_FS_GROUP = ("File", "None", "ReadWriteOnceWithFSType")
_LIFECYCLES = ("Ephemeral", "Persistent")


def set_class_defaults(storage_class: Obj) -> None:
    """Fill in a StorageClass."""
    default_text(storage_class, "reclaimPolicy", "Delete")
    default_text(storage_class, "volumeBindingMode", "Immediate")


def check_class(storage_class: Mapping[str, Any]) -> Faults:
    """Yield the faults of a StorageClass."""
    provisioner = storage_class.get("provisioner") or ""
    if not provisioner:
        yield required("provisioner")
    else:
        yield from all_invalid("provisioner", provisioner, qualified_name_faults(provisioner.lower()))
    yield from _check_parameters(storage_class)
    policy, mode = storage_class.get("reclaimPolicy"), storage_class.get("volumeBindingMode")
    if policy and policy not in _RECLAIM:
        yield unsupported("reclaimPolicy", policy, _RECLAIM)
    if not mode:
        yield required("volumeBindingMode")
    elif mode not in _BINDING:
        yield unsupported("volumeBindingMode", mode, _BINDING)


def _check_parameters(obj: Mapping[str, Any]) -> Faults:
    parameters = part(obj, "parameters")
    if len(parameters) > PARAMETERS_MAX:
        yield too_long("parameters", PARAMETERS_MAX)
    if "" in parameters:
        yield invalid("parameters", "", "field can not be empty.")
    if sum(len(key) + len(value) for key, value in parameters.items()) > PARAMETERS_BYTES_MAX:
        yield too_long("parameters", PARAMETERS_BYTES_MAX)


def check_class_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of changing how volumes of a class are made."""
    for field in ("parameters", "provisioner", "reclaimPolicy"):
        if (new.get(field) or {}) != (old.get(field) or {}):
            yield forbidden(field, f"updates to {field} are forbidden.")
    yield from check_immutable("volumeBindingMode", new.get("volumeBindingMode"), old.get("volumeBindingMode"))


def check_attributes_class(attributes: Mapping[str, Any]) -> Faults:
    """Yield the faults of a VolumeAttributesClass."""
    yield from _check_driver_name(attributes.get("driverName") or "", "driverName")
    if not part(attributes, "parameters"):
        yield required("parameters", "must contain at least one key/value pair")
    yield from _check_parameters(attributes)


def check_attributes_class_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of changing what a class stands for."""
    yield from check_immutable("driverName", new.get("driverName"), old.get("driverName"))
    if part(new, "parameters") != part(old, "parameters"):
        yield forbidden("parameters", "updates to parameters are forbidden.")


def prepare_create_attachment(attachment: Obj) -> None:
    """Start detached."""
    attachment["status"] = {"attached": False}


def check_attachment(attachment: Mapping[str, Any]) -> Faults:
    """Yield the faults of a VolumeAttachment."""
    spec = part(attachment, "spec")
    attacher = spec.get("attacher") or ""
    if not attacher:
        yield required("spec.attacher")
    else:
        yield from all_invalid("spec.attacher", attacher, qualified_name_faults(attacher.lower()))
    source = part(spec, "source")
    name, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    if inline is None and name is None:
        yield required("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName")
    elif inline is not None and name is not None:
        yield forbidden("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName")
    elif name is not None:
        if not name:
            yield required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName")
        else:
            yield from all_invalid("spec.source.persistentVolumeName", name, dns_subdomain_faults(name))
    node = spec.get("nodeName") or ""
    yield from all_invalid("spec.nodeName", node, dns_subdomain_faults(node))


def validate_attachment_status(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of a VolumeAttachment's status: what its driver tells fits into bounds."""
    status = part(new, "status")
    size = sum(len(key.encode()) + len(value.encode()) for key, value in part(status, "attachmentMetadata").items())
    if size > ATTACHMENT_METADATA_BYTES_MAX:
        yield too_long("status.attachmentMetadata", ATTACHMENT_METADATA_BYTES_MAX)
    for field in ("attachError", "detachError"):
        error = part(status, field)
        if len((error.get("message") or "").encode()) > VOLUME_ERROR_BYTES_MAX:
            yield too_long(f"status.{field}.message", VOLUME_ERROR_BYTES_MAX)
        if (error.get("errorCode") or 0) < 0:
            yield invalid(
                f"status.{field}.errorCode", error["errorCode"], f"must be between 0 and {INT32_MAX}, inclusive"
            )


def check_attachment_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the fault of attaching something else, or elsewhere."""
    yield from check_immutable("spec", part(new, "spec"), part(old, "spec"))


def set_driver_defaults(driver: Obj) -> None:
    """Fill in a CSIDriver."""
    spec = driver.setdefault("spec", {})
    for field, value in (
        ("attachRequired", True),
        ("podInfoOnMount", False),
        ("storageCapacity", False),
        ("requiresRepublish", False),
        ("seLinuxMount", False),
    ):
        default(spec, field, value)
    default_text(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType")
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


def _check_driver_name(name: str, path: str) -> Faults:
    if not name:
        yield required(path)
        return
    if len(name) > DRIVER_NAME_LENGTH_MAX:
        yield too_long(path, DRIVER_NAME_LENGTH_MAX)
    yield from all_invalid(path, name, dns_subdomain_faults(name.lower()))


def check_driver(driver: Mapping[str, Any]) -> Faults:
    """Yield the faults of a CSIDriver."""
    yield from _check_driver_name(part(driver, "metadata").get("name") or "", "metadata.name")
    spec = part(driver, "spec")
    policy = spec.get("fsGroupPolicy")
    if policy not in _FS_GROUP:
        yield unsupported("spec.fsGroupPolicy", policy or "", _FS_GROUP)
    audiences: set[str] = set()
    for path, request in indexed(spec, "tokenRequests", "spec"):
        audience, seconds = request.get("audience") or "", request.get("expirationSeconds")
        if audience in audiences:
            yield duplicate(f"{path}.audience", audience)
        audiences.add(audience)
        if seconds is not None and seconds < 600:
            yield invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    for mode in items(spec, "volumeLifecycleModes"):
        if mode not in _LIFECYCLES:
            yield unsupported("spec.volumeLifecycleModes", mode, _LIFECYCLES)


def check_driver_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of changing what decides how volumes of a driver are attached."""
    for field in ("attachRequired", "volumeLifecycleModes"):
        yield from check_immutable(f"spec.{field}", part(new, "spec").get(field), part(old, "spec").get(field))


def set_node_defaults(node: Obj) -> None:
    """Write out the list of drivers."""
    default(node.setdefault("spec", {}), "drivers", [])


def check_node(node: Mapping[str, Any]) -> Faults:
    """Yield the faults of a CSINode."""
    seen: set[str] = set()
    for path, driver in indexed(part(node, "spec"), "drivers", "spec"):
        name = driver.get("name") or ""
        yield from _check_driver_name(name, f"{path}.name")
        if not driver.get("nodeID"):
            yield required(f"{path}.nodeID")
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
        count = part(driver, "allocatable").get("count")
        if count is not None and count < 0:
            yield invalid(f"{path}.allocatable.count", count, NOT_NEGATIVE)
        for key in items(driver, "topologyKeys"):
            yield from all_invalid(f"{path}.topologyKeys", key, qualified_name_faults(key))


def check_node_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of changing a driver that stays registered."""
    before = {driver.get("name"): driver for driver in items(part(old, "spec"), "drivers")}
    for path, driver in indexed(part(new, "spec"), "drivers", "spec"):
        was = before.get(driver.get("name"))
        for field in ("nodeID", "topologyKeys"):
            if was is not None and driver.get(field) != was.get(field):
                yield invalid(f"{path}.{field}", driver.get(field), "field is immutable")


def check_capacity(capacity: Mapping[str, Any]) -> Faults:
    """Yield the faults of a CSIStorageCapacity."""
    if capacity.get("nodeTopology") is not None:
        yield from validate_label_selector(capacity["nodeTopology"], "nodeTopology")
    name = capacity.get("storageClassName") or ""
    if not name:
        yield required("storageClassName")
    else:
        yield from all_invalid("storageClassName", name, dns_subdomain_faults(name))
    for field in ("capacity", "maximumVolumeSize"):
        amount = capacity.get(field)
        if amount is not None and parse_quantity(str(amount)).nano < 0:
            yield invalid(field, str(amount), NOT_NEGATIVE)


def check_capacity_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of changing what a capacity is about."""
    for field in ("nodeTopology", "storageClassName"):
        yield from check_immutable(field, new.get(field), old.get(field))


CLASS_RULES = make_rules(check_class, check_class_update, set_defaults=set_class_defaults)
ATTRIBUTES_CLASS_RULES = make_rules(check_attributes_class, check_attributes_class_update)
ATTACHMENT_RULES = make_rules(check_attachment, check_attachment_update, prepare_create=prepare_create_attachment)
DRIVER_RULES = make_rules(check_driver, check_driver_update, set_defaults=set_driver_defaults)
NODE_RULES = make_rules(check_node, check_node_update, set_defaults=set_node_defaults)
CAPACITY_RULES = make_rules(check_capacity, check_capacity_update)
