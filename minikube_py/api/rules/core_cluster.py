"""Namespaces and Nodes: the two kinds of core/v1 that belong to no namespace.

Upstream: registry/core/{namespace,node} strategy.go, pkg/apis/core/validation, admission TaintNodesByCondition.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj
from minikube_py.api.names import dns_label_faults, label_value_faults, qualified_name_faults
from minikube_py.api.resource import Rules
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_choice,
    forbidden,
    indexed,
    items,
    part,
)
from minikube_py.api.rules.metadata import validate_finalizer, validate_metadata, validate_metadata_update
from minikube_py.api.rules.scheduling import TAINT_EFFECTS

NAME_LABEL = "kubernetes.io/metadata.name"
NAMESPACE_FINALIZER = "kubernetes"
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
_SET_ONCE = ("podCIDR", "podCIDRs", "providerID")


def set_namespace_defaults(namespace: Obj) -> None:
    """Label a Namespace with its name, so that selectors can find it."""
    meta = namespace.setdefault("metadata", {})
    if meta.get("name"):
        meta["labels"] = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}
    namespace.setdefault("spec", {})


def prepare_create_namespace(namespace: Obj) -> None:
    """Start active, with the finalizer that keeps it until it is empty."""
    finalizers = list(namespace["spec"].get("finalizers") or ())
    if NAMESPACE_FINALIZER not in finalizers:
        finalizers.append(NAMESPACE_FINALIZER)
    namespace["spec"]["finalizers"] = finalizers
    namespace["status"] = {"phase": "Active"}


def prepare_update_namespace(new: Obj, old: Mapping[str, Any]) -> None:
    """Keep the finalizers: only /finalize changes them."""
    if "finalizers" in part(old, "spec"):
        new["spec"]["finalizers"] = list(items(part(old, "spec"), "finalizers"))
    else:
        new["spec"].pop("finalizers", None)


def validate_namespace(namespace: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a Namespace."""
    return (*validate_metadata(namespace, dns_label_faults), *_validate_namespace_finalizers(namespace))


def validate_namespace_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed Namespace."""
    return (*validate_metadata_update(new, old, dns_label_faults), *_validate_namespace_finalizers(new))


def _validate_namespace_finalizers(namespace: Mapping[str, Any]) -> Faults:
    for path, finalizer in indexed(part(namespace, "spec"), "finalizers", "spec"):
        yield from validate_finalizer(finalizer, path)


def set_node_defaults(node: Obj) -> None:
    """Fill in a Node: what pods may use is what it has, unless it says otherwise."""
    node.setdefault("spec", {})
    status = node.setdefault("status", {})
    if status.get("capacity") and not status.get("allocatable"):
        status["allocatable"] = dict(status["capacity"])


def _start(node: Obj) -> None:
    """Change nothing: that a new Node gets no pods yet is admission's doing."""


def _keep(new: Obj, old: Mapping[str, Any]) -> None:
    """Change nothing: the verbs carry the status over."""


def validate_node(node: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a Node."""
    return (*validate_metadata(node), *_validate_taints(part(node, "spec")))


def validate_node_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed Node; its pod network and its provider's id are set once."""
    return (
        *validate_metadata_update(new, old),
        *_validate_taints(part(new, "spec")),
        *_validate_set_once(part(new, "spec"), part(old, "spec")),
    )


def _validate_set_once(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    for field in _SET_ONCE:
        if old.get(field) and new.get(field) != old[field]:
            yield forbidden(f"spec.{field}", f'node updates may not change {field} except from "" to valid')


def _validate_taints(spec: Mapping[str, Any]) -> Faults:
    """Yield the faults of taints, under the path that upstream gives them."""
    seen: set[tuple[str, str]] = set()
    for path, taint in indexed(spec, "taints", "metadata"):
        key, value, effect = taint.get("key") or "", taint.get("value") or "", taint.get("effect") or ""
        yield from all_invalid(f"{path}.key", key, qualified_name_faults(key))
        yield from all_invalid(f"{path}.value", value, label_value_faults(value))
        yield from check_choice(f"{path}.effect", effect, TAINT_EFFECTS)
        if (key, effect) in seen:
            detail = "taints must be unique by key and effect pair"
            yield FieldError("FieldValueDuplicate", path, detail, dict(taint))
        seen.add((key, effect))


NAMESPACE_RULES = Rules(
    set_namespace_defaults,
    prepare_create_namespace,
    prepare_update_namespace,
    validate_namespace,
    validate_namespace_update,
)
NODE_RULES = Rules(set_node_defaults, _start, _keep, validate_node, validate_node_update)
