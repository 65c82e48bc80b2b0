"""Which PersistentVolume fits which claim, and which node can use a volume: what binder and scheduler agree on.

Upstream: component-helpers/storage/volume (FindMatchingVolume, IsVolumeBoundToClaim, CheckNodeAffinity).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import Obj, annotations_of, is_deleting, labels_of, name_of, namespace_of, uid_of
from minikube_py.api.object_selectors import compile_expressions, compile_label_selector, selects
from minikube_py.api.quantity import parse_quantity
from minikube_py.api.selectors import matches_labels

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
LOCAL_PATH_CLASS = "local-path"
LOCAL_PATH_PROVISIONER = "rancher.io/local-path"
"""The name that k3s gives it, which manifests of its users name."""
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node, as node affinity sees it."""

    name: str
    labels: Mapping[str, str]


def spec_of(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the spec, empty when there is none."""
    spec: Mapping[str, Any] = obj.get("spec") or {}
    return spec


def phase_of(obj: Mapping[str, Any]) -> str:
    """Return the phase, empty when there is none."""
    return str((obj.get("status") or {}).get("phase") or "")


def class_of(obj: Mapping[str, Any]) -> str:
    """Return the storage class of a claim or volume; empty for none."""
    return annotations_of(obj).get(_OLD_CLASS) or str(spec_of(obj).get("storageClassName") or "")


def has_class_field(claim: Mapping[str, Any]) -> bool:
    """Return whether a claim says anything about a class; an empty name says "none"."""
    return _OLD_CLASS in annotations_of(claim) or spec_of(claim).get("storageClassName") is not None


def waits_for_consumer(storage_class: Mapping[str, Any] | None) -> bool:
    """Return whether claims of a class are bound only when a pod that uses them is scheduled."""
    return storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"


def is_bound(claim: Mapping[str, Any]) -> bool:
    """Return whether a claim is bound to its volume for good."""
    return bool(spec_of(claim).get("volumeName")) and BIND_COMPLETED in annotations_of(claim)


def is_reserved_for(volume: Mapping[str, Any], claim: Mapping[str, Any]) -> bool:
    """Return whether a volume's claimRef means this claim."""
    ref = spec_of(volume).get("claimRef")
    if not ref or (ref.get("namespace"), ref.get("name")) != (namespace_of(claim), name_of(claim)):
        return False
    return not ref.get("uid") or ref["uid"] == uid_of(claim)


def capacity_of(volume: Mapping[str, Any]) -> int:
    """Return the bytes that a volume holds."""
    return parse_quantity(str((spec_of(volume).get("capacity") or {}).get("storage") or "0")).value


def request_of(claim: Mapping[str, Any]) -> int:
    """Return the bytes that a claim asks for."""
    requests = (spec_of(claim).get("resources") or {}).get("requests") or {}
    return parse_quantity(str(requests.get("storage") or "0")).value


def mode_of(obj: Mapping[str, Any]) -> str:
    """Return Filesystem or Block."""
    return str(spec_of(obj).get("volumeMode") or "Filesystem")


def misfit(volume: Mapping[str, Any], claim: Mapping[str, Any]) -> str:
    """Return why a volume that a claim names cannot be it; empty when it can."""
    if capacity_of(volume) < request_of(claim):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if mode_of(volume) != mode_of(claim):
        return "incompatible volumeMode"
    if not _offers_modes(volume, claim):
        return "incompatible accessMode"
    return ""


def _offers_modes(volume: Mapping[str, Any], claim: Mapping[str, Any]) -> bool:
    return set(spec_of(claim).get("accessModes") or ()) <= set(spec_of(volume).get("accessModes") or ())


def fits_node(volume: Mapping[str, Any], node: NodeFacts) -> bool:
    """Return whether a volume can be used on a node."""
    required = (spec_of(volume).get("nodeAffinity") or {}).get("required")
    if required is None:
        return True
    return any(_term_matches(term, node) for term in required.get("nodeSelectorTerms") or ())


def _term_matches(term: Mapping[str, Any], node: NodeFacts) -> bool:
    labels = compile_expressions(term.get("matchExpressions"))
    fields = compile_expressions(term.get("matchFields"))
    if labels is None or fields is None or not (labels or fields):
        return False
    return matches_labels(labels, node.labels) and matches_labels(fields, {"metadata.name": node.name})


def find_volume(
    claim: Mapping[str, Any],
    volumes: Iterable[Obj],
    node: NodeFacts | None = None,
    taken: Collection[str] = frozenset(),
    *,
    only_reserved: bool = False,
) -> Obj | None:
    """Return the volume to bind to a claim: the one that is reserved for it, else the smallest that is big enough.

    Args:
        claim: a claim that names no volume.
        volumes: all volumes.
        node: the volume must be usable there; None: anywhere.
        taken: names of volumes that are given away already.
        only_reserved: no other volume will do (a claim that waits for its first consumer).
    """
    best: tuple[int, str, Obj] | None = None
    selector = spec_of(claim).get("selector")
    chosen = compile_label_selector(selector) if selector is not None else ()
    for volume in volumes:
        if not _may_serve(volume, claim) or name_of(volume) in taken:
            continue
        usable = node is None or fits_node(volume, node)
        if is_reserved_for(volume, claim):
            return volume if usable else None
        if only_reserved or spec_of(volume).get("claimRef") or phase_of(volume) != "Available" or not usable:
            continue
        if class_of(volume) != class_of(claim) or not selects(chosen, labels_of(volume)):
            continue
        found = (capacity_of(volume), name_of(volume), volume)
        if best is None or found[:2] < best[:2]:
            best = found
    return None if best is None else best[2]


def _may_serve(volume: Mapping[str, Any], claim: Mapping[str, Any]) -> bool:
    return (
        not is_deleting(volume)
        and capacity_of(volume) >= request_of(claim)
        and mode_of(volume) == mode_of(claim)
        and _offers_modes(volume, claim)
    )
