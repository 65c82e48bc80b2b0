"""Namespaces that are missing or going, marks on nodes, volumes and pods at the beginning of their lives.

Upstream: apiserver admission/plugin/namespace/lifecycle, plugin/pkg/admission/{nodetaint,
storage/storageobjectinuseprotection, podtopologylabels}.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import not_found
from minikube_py.api.meta import Obj, is_deleting, labels_of
from minikube_py.api.resources import NAMESPACES, NODES
from minikube_py.api.rules.core_cluster import NOT_READY
from minikube_py.api.rules.core_storage import PV_PROTECTION, PVC_PROTECTION
from minikube_py.apiserver.deletion import IMMORTAL_NAMESPACES
from minikube_py.apiserver.plugins.plugin import Asked, Plugin

TOPOLOGY_LABELS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")
"""What a pod gets to know of the node that it is bound to."""
_ACCESS_REVIEW = "localsubjectaccessreviews.authorization.k8s.io"


def _check_namespace(asked: Asked) -> None:
    """Refuse to create in a namespace that is missing or going."""
    attributes = asked.attributes
    name = attributes.namespace
    if not attributes.resource.namespaced or attributes.resource.qualified == _ACCESS_REVIEW:
        return
    namespace = asked.lookups.get(NAMESPACES, "", name)
    if namespace is None:
        raise not_found("", NAMESPACES.plural, name)
    if not is_deleting(namespace):
        return
    error = asked.refusal(f"unable to create new content in namespace {name} because it is being terminated")
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {name} is being terminated",
        "field": "metadata.namespace",
    }
    error.details["causes"] = [cause]
    raise error


def _check_immortal(asked: Asked) -> None:
    if asked.attributes.name in IMMORTAL_NAMESPACES:
        raise asked.refusal("this namespace may not be deleted")


def _taint_node(asked: Asked) -> None:
    """A new node gets no pods until it has said that it is ready."""
    spec = asked.new.setdefault("spec", {})
    taints = list(spec.get("taints") or ())
    if not any(all(taint.get(field) == NOT_READY[field] for field in NOT_READY) for taint in taints):
        spec["taints"] = [*taints, dict(NOT_READY)]


def _protect_claim(asked: Asked) -> None:
    _add_finalizer(asked.new, PVC_PROTECTION)


def _protect_volume(asked: Asked) -> None:
    _add_finalizer(asked.new, PV_PROTECTION)


def _add_finalizer(obj: Obj, finalizer: str) -> None:
    meta = obj.setdefault("metadata", {})
    finalizers = list(meta.get("finalizers") or ())
    if finalizer not in finalizers:
        meta["finalizers"] = [*finalizers, finalizer]


def _label_pod(asked: Asked) -> None:
    node = (asked.new.get("spec") or {}).get("nodeName") or ""
    _add_topology(asked, node)


def _label_binding(asked: Asked) -> None:
    target: Mapping[str, Any] = asked.new.get("target") or {}
    if target.get("kind") == "Node":
        _add_topology(asked, str(target.get("name") or ""))


def _add_topology(asked: Asked, node_name: str) -> None:
    node = asked.lookups.get(NODES, "", node_name) if node_name else None
    known = labels_of(node) if node is not None else {}
    found = {label: known[label] for label in TOPOLOGY_LABELS if label in known}
    if found:
        meta = asked.new.setdefault("metadata", {})
        meta["labels"] = {**found, **(meta.get("labels") or {})}


PLUGINS = (
    Plugin("NamespaceLifecycle", ("*",), ("CREATE",), mutate=_check_namespace),
    Plugin("NamespaceLifecycle", ("namespaces",), ("DELETE",), mutate=_check_immortal),
    Plugin("TaintNodesByCondition", ("nodes",), ("CREATE",), mutate=_taint_node),
    Plugin("StorageObjectInUseProtection", ("persistentvolumeclaims",), ("CREATE",), mutate=_protect_claim),
    Plugin("StorageObjectInUseProtection", ("persistentvolumes",), ("CREATE",), mutate=_protect_volume),
    Plugin("PodTopologyLabels", ("pods",), ("CREATE",), mutate=_label_pod),
    Plugin("PodTopologyLabels", ("pods/binding",), ("CREATE",), mutate=_label_binding),
)
