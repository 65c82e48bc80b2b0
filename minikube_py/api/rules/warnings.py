"""What writers of Services, Ingresses and volumes are warned of: what has no effect, or a successor.

Upstream: pkg/api/service/warnings.go, pkg/api/persistentvolume and persistentvolumeclaim (GetWarningsFor*), and
WarningsOnCreate of the kinds' strategies.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from minikube_py.api.meta import metadata
from minikube_py.api.rules.faults import items, part
from minikube_py.api.rules.pod_warnings import DEPRECATED_VOLUMES, Warnings, warn_of_amounts, warn_of_node_term

_Node: TypeAlias = Mapping[str, Any]

_STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class"
_USE_FIELD = 'deprecated since v1.8; use "storageClassName" attribute instead'
_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
_INGRESS_CLASS = "kubernetes.io/ingress.class"
_TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"
_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"


def warn_of_service(service: _Node, old: _Node | None) -> Warnings:
    """Yield what is said of a Service, made or changed."""
    spec = part(service, "spec")
    kind, external = spec.get("type") or "ClusterIP", spec.get("externalIPs")
    headless = kind == "ClusterIP" and spec.get("clusterIP") == "None"
    if _TOPOLOGY_HINTS in _annotations(service):
        yield f"annotation {_TOPOLOGY_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
    if headless:
        if spec.get("loadBalancerIP"):
            yield "spec.loadBalancerIP is ignored for headless services"
        if external:
            yield "spec.externalIPs is ignored for headless services"
        if spec.get("sessionAffinity") != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    elif external and kind != "ExternalName":
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if kind == "ExternalName" and external:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if kind != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def warn_of_ingress(ingress: _Node, old: _Node | None) -> Warnings:
    """Yield what the maker of an Ingress is warned of."""
    has_class = part(ingress, "spec").get("ingressClassName") is not None
    if old is None and _INGRESS_CLASS in _annotations(ingress) and not has_class:
        yield f"annotation \"{_INGRESS_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"


def warn_of_claim(claim: _Node, old: _Node | None) -> Warnings:
    """Yield what is said of a PersistentVolumeClaim, made or changed."""
    yield from _warn_of_storage_class(claim)
    resources = part(part(claim, "spec"), "resources")
    for field in ("requests", "limits"):
        yield from warn_of_amounts(part(resources, field), ("storage",), f"spec.resources.{field}")


def warn_of_volume(volume: _Node, old: _Node | None) -> Warnings:
    """Yield what is said of a PersistentVolume, made or changed."""
    spec = part(volume, "spec")
    yield from _warn_of_storage_class(volume)
    if _MOUNT_OPTIONS in _annotations(volume):
        yield f'metadata.annotations[{_MOUNT_OPTIONS}]: deprecated since v1.31; use "mountOptions" attribute instead'
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield (
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated."
            " Instead, the recommended approach is to use dynamic provisioning."
        )
    for kind in spec.keys() & DEPRECATED_VOLUMES.keys():
        yield f"spec.{kind}: {DEPRECATED_VOLUMES[kind]}"
    for index, term in enumerate(items(part(part(spec, "nodeAffinity"), "required"), "nodeSelectorTerms")):
        yield from warn_of_node_term(term, f"spec.nodeAffinity.required.nodeSelectorTerms[{index}]")


def warn_of_service_account(account: _Node, old: _Node | None) -> Warnings:
    """Yield what is said of a ServiceAccount, made or changed."""
    if _MOUNTABLE in _annotations(account):
        yield (
            f"metadata.annotations[{_MOUNTABLE}]: deprecated in v1.32+;"
            " prefer separate namespaces to isolate access to mounted secrets"
        )


def _annotations(obj: _Node) -> _Node:
    annotations: _Node = metadata(obj).get("annotations") or {}
    return annotations


def _warn_of_storage_class(obj: _Node) -> Warnings:
    if _STORAGE_CLASS in _annotations(obj):
        yield f"metadata.annotations[{_STORAGE_CLASS}]: {_USE_FIELD}"
