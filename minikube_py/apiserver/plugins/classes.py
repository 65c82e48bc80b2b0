"""The default class of a claim or an Ingress that names none, and whether a claim may grow.

Of several default classes the newest is taken, then the first by name. Upstream:
plugin/pkg/admission/storage/{storageclass/setdefault,persistentvolume/resize}, network/defaultingressclass.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.meta import annotations_of, metadata, name_of
from minikube_py.api.quantity import parse_quantity
from minikube_py.api.resource import Resource
from minikube_py.api.table.networking_v1 import INGRESS_CLASSES
from minikube_py.api.table.storage_v1 import STORAGE_CLASSES
from minikube_py.apiserver.plugins.plugin import Asked, Lookups, Plugin

DEFAULT_STORAGE_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
DEFAULT_INGRESS_CLASS = ("ingressclass.kubernetes.io/is-default-class",)
CLAIM_CLASS = "volume.beta.kubernetes.io/storage-class"
"""The annotation that came before the field; it still wins over it."""
INGRESS_CLASS = "kubernetes.io/ingress.class"


def _default(lookups: Lookups, resource: Resource, marks: Sequence[str]) -> str:
    """Return the name of the default class, an empty text when there is none."""
    marked = [c for c in lookups.list(resource) if any(annotations_of(c).get(mark) == "true" for mark in marks)]
    newest = max((str(metadata(c).get("creationTimestamp", "")) for c in marked), default="")
    return min((name_of(c) for c in marked if str(metadata(c).get("creationTimestamp", "")) == newest), default="")


def _class_of_claim(claim: Mapping[str, Any]) -> str:
    annotated = annotations_of(claim).get(CLAIM_CLASS)
    return str(annotated if annotated is not None else (claim.get("spec") or {}).get("storageClassName") or "")


def _default_claim(asked: Asked) -> None:
    spec = asked.new.setdefault("spec", {})
    if CLAIM_CLASS in annotations_of(asked.new) or spec.get("storageClassName") is not None:
        return
    name = _default(asked.lookups, STORAGE_CLASSES, DEFAULT_STORAGE_CLASS)
    if name:
        spec["storageClassName"] = name


def _default_ingress(asked: Asked) -> None:
    spec = asked.new.setdefault("spec", {})
    if spec.get("ingressClassName") is not None or INGRESS_CLASS in annotations_of(asked.new):
        return
    name = _default(asked.lookups, INGRESS_CLASSES, DEFAULT_INGRESS_CLASS)
    if name:
        spec["ingressClassName"] = name


def _requested(claim: Mapping[str, Any]) -> int:
    requests = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    return parse_quantity(str(requests.get("storage") or "0")).nano


def _check_growth(asked: Asked) -> None:
    old = asked.old or {}
    if _requested(asked.new) <= _requested(old):
        return
    name = _class_of_claim(asked.new)
    found = asked.lookups.get(STORAGE_CLASSES, "", name) if name and name == _class_of_claim(old) else None
    if found is None or not found.get("allowVolumeExpansion"):
        raise asked.refusal(
            "only dynamically provisioned pvc can be resized and "
            "the storageclass that provisions the pvc must support resize"
        )


PLUGINS = (
    Plugin("DefaultStorageClass", ("persistentvolumeclaims",), ("CREATE",), mutate=_default_claim),
    Plugin("PersistentVolumeClaimResize", ("persistentvolumeclaims",), ("UPDATE",), validate=_check_growth),
    Plugin("DefaultIngressClass", ("ingresses.networking.k8s.io",), ("CREATE",), mutate=_default_ingress),
)
