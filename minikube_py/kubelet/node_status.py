"""The Node object of this host: capacity, conditions, addresses, labels, and whether a write is due.

Conditions of others (NetworkUnavailable, node problem detectors) and taints are not touched. Upstream:
kubelet/nodestatus/setters.go, kubelet_node_status.go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import Obj, format_micro_time, format_time
from minikube_py.api.quantity import NANO, Quantity, parse_quantity
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ImageRecord, RuntimeVersion
from minikube_py.kubelet.eviction_thresholds import MEMORY, NODE_FS, hard_reservation

IMAGES_MAX = 50
"""Images listed in a Node's status; the biggest ones."""
IMAGE_NAMES_MAX = 5
_EVENTS: Mapping[tuple[str, str], str] = {
    ("MemoryPressure", "True"): "NodeHasInsufficientMemory",
    ("MemoryPressure", "False"): "NodeHasSufficientMemory",
    ("DiskPressure", "True"): "NodeHasDiskPressure",
    ("DiskPressure", "False"): "NodeHasNoDiskPressure",
    ("PIDPressure", "True"): "NodeHasInsufficientPID",
    ("PIDPressure", "False"): "NodeHasSufficientPID",
    ("Ready", "True"): "NodeReady",
    ("Ready", "False"): "NodeNotReady",
}
_HUGE_PAGE_NAMES: Mapping[int, str] = {2 << 20: "hugepages-2Mi", 1 << 30: "hugepages-1Gi"}
"""Sizes that a node shows even when it has no page of them."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What the host is; sizes in bytes."""

    hostname: str
    architecture: str
    """As Go names it: amd64, arm64."""
    kernel: str
    os_image: str
    machine_id: str
    system_uuid: str
    boot_id: str
    cpus: int
    memory_bytes: int
    disk_bytes: int
    huge_pages: tuple[tuple[int, int], ...] = ()
    """(size of one page in bytes, how many there are)."""
    has_swap: bool = False
    """Some memory may be written to the disk."""


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """What the Ready condition says: no faults means ready."""

    faults: tuple[str, ...]


def capacity(config: KubeletConfig, host: HostFacts) -> Mapping[str, str]:
    """Return what the host has, as quantities."""
    return {
        "cpu": str(host.cpus),
        "ephemeral-storage": f"{host.disk_bytes // 1024}Ki",
        **{name: str(Quantity(amount * NANO, "BinarySI")) for name, amount in sorted(_huge_pages(host).items())},
        "memory": f"{host.memory_bytes // 1024}Ki",
        "pods": str(config.max_pods),
    }


def _huge_pages(host: HostFacts) -> dict[str, int]:
    found = dict.fromkeys(_HUGE_PAGE_NAMES.values(), 0)
    for size, count in host.huge_pages:
        name = _HUGE_PAGE_NAMES.get(size) or f"hugepages-{Quantity(size * NANO, 'BinarySI')}"
        found[name] = size * count
    return found


def reserved(config: KubeletConfig) -> dict[str, int]:
    """Return what is set aside for the node itself, in nanos by resource."""
    total: dict[str, int] = {}
    for name, text in (*config.kube_reserved, *config.system_reserved):
        total[name] = total.get(name, 0) + parse_quantity(text).nano
    return total


def allocatable(config: KubeletConfig, host: HostFacts) -> Mapping[str, str]:
    """Return what pods may request: the capacity less what is reserved and what hard eviction keeps free."""
    aside = reserved(config)
    # Huge pages are taken out of the memory that other pages can be made of.
    memory = host.memory_bytes - sum(_huge_pages(host).values()) - aside.get("memory", 0) // NANO
    memory -= hard_reservation(config.eviction_hard, MEMORY, host.memory_bytes)
    disk = host.disk_bytes - aside.get("ephemeral-storage", 0) // NANO
    disk -= hard_reservation(config.eviction_hard, NODE_FS, host.disk_bytes)
    cpu = Quantity(max(host.cpus * NANO - aside.get("cpu", 0), 0))
    return {
        **capacity(config, host),
        "cpu": str(cpu),
        "memory": f"{max(memory, 0) // 1024}Ki",
        "ephemeral-storage": str(max(disk, 0)),
    }


@dataclass(frozen=True, slots=True)
class NodeView:
    """What a status is made from."""

    host: HostFacts
    version: RuntimeVersion | None
    """None while the engine does not answer."""
    images: tuple[ImageRecord, ...]
    health: NodeHealth
    now_wall_s: float
    pressures: tuple[str, ...] = ()
    """What eviction sees: MemoryPressure, DiskPressure, PIDPressure."""


def node_status(config: KubeletConfig, view: NodeView, previous: Mapping[str, Any]) -> Obj:
    """Return the `status` of the Node, given the one that the API has."""
    return {
        "capacity": dict(capacity(config, view.host)),
        "allocatable": dict(allocatable(config, view.host)),
        "conditions": _conditions(view, previous.get("conditions") or ()),
        "addresses": _addresses(config),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": config.kubelet_port}},
        "nodeInfo": _node_info(config, view, previous),
        "images": _images(view.images),
    }


def _addresses(config: KubeletConfig) -> list[Obj]:
    external = [{"type": "ExternalIP", "address": config.node_external_ip}] if config.node_external_ip else []
    return [
        {"type": "InternalIP", "address": config.node_ip},
        *external,
        {"type": "Hostname", "address": config.node_name},
    ]


def _node_info(config: KubeletConfig, view: NodeView, previous: Mapping[str, Any]) -> Obj:
    host = view.host
    before = (previous.get("nodeInfo") or {}).get("containerRuntimeVersion", "docker://Unknown")
    return {
        "machineID": host.machine_id,
        "systemUUID": host.system_uuid,
        "bootID": host.boot_id,
        "kernelVersion": host.kernel,
        "osImage": host.os_image,
        "containerRuntimeVersion": f"docker://{view.version.version}" if view.version else before,
        "kubeletVersion": config.kubelet_version,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": host.architecture,
    }


def _images(images: Sequence[ImageRecord]) -> list[Obj]:
    named = [image for image in images if image.repo_tags or image.repo_digests]
    biggest = sorted(named, key=lambda image: (-image.size_bytes, image.id))[:IMAGES_MAX]
    return [
        {"names": list(image.repo_digests + image.repo_tags)[:IMAGE_NAMES_MAX], "sizeBytes": image.size_bytes}
        for image in biggest
    ]


@dataclass(frozen=True, slots=True)
class _Fact:
    type: str
    is_true: bool
    reason: str
    message: str


def _facts(view: NodeView) -> tuple[_Fact, ...]:
    memory, disk, pids = (f"{what}Pressure" in view.pressures for what in ("Memory", "Disk", "PID"))
    ready = not view.health.faults
    return (
        _Fact(
            "MemoryPressure",
            memory,
            "KubeletHasInsufficientMemory" if memory else "KubeletHasSufficientMemory",
            f"kubelet has {'insufficient' if memory else 'sufficient'} memory available",
        ),
        _Fact(
            "DiskPressure",
            disk,
            "KubeletHasDiskPressure" if disk else "KubeletHasNoDiskPressure",
            f"kubelet has {'disk' if disk else 'no disk'} pressure",
        ),
        _Fact(
            "PIDPressure",
            pids,
            "KubeletHasInsufficientPID" if pids else "KubeletHasSufficientPID",
            f"kubelet has {'insufficient' if pids else 'sufficient'} PID available",
        ),
        _Fact(
            "Ready",
            ready,
            "KubeletReady" if ready else "KubeletNotReady",
            "kubelet is posting ready status" if ready else ", ".join(view.health.faults),
        ),
    )


def _conditions(view: NodeView, previous: Sequence[Mapping[str, Any]]) -> list[Obj]:
    now = format_time(view.now_wall_s)
    before = {c["type"]: c for c in previous}
    facts = _facts(view)
    own = {fact.type for fact in facts}
    result: list[Obj] = [dict(c) for c in previous if c["type"] not in own]
    for fact in facts:
        old = before.get(fact.type)
        status = "True" if fact.is_true else "False"
        since = old["lastTransitionTime"] if old is not None and old.get("status") == status else now
        result.append(
            {
                "type": fact.type,
                "status": status,
                "lastHeartbeatTime": now,
                "lastTransitionTime": since,
                "reason": fact.reason,
                "message": fact.message,
            }
        )
    return result


def node_events(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the reasons of the events that tell what changed in the conditions (NodeReady, ...)."""
    before = {c["type"]: c.get("status") for c in old.get("conditions") or ()}
    reasons = [
        _EVENTS[(c["type"], c["status"])]
        for c in new.get("conditions") or ()
        if (c["type"], c["status"]) in _EVENTS and before.get(c["type"]) != c["status"]
    ]
    return tuple(reasons)


def status_is_due(new: Mapping[str, Any], old: Mapping[str, Any], since_report_s: float, report_s: float) -> bool:
    """Return whether the status must be written: it changed (heartbeat times aside), or it is time again."""
    return since_report_s >= report_s or _without_times(new) != _without_times(old)


def _without_times(status: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions = [{k: v for k, v in c.items() if k != "lastHeartbeatTime"} for c in status.get("conditions") or ()]
    keys = ("capacity", "allocatable", "addresses", "daemonEndpoints", "nodeInfo", "images")
    return {**{k: status.get(k) for k in keys}, "conditions": sorted(conditions, key=lambda c: str(c["type"]))}


def node_lease(config: KubeletConfig, now_wall_s: float, owner_uid: str) -> Obj:
    """Return this node's Lease, renewed now."""
    lease: Obj = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": config.node_name, "namespace": "kube-node-lease"},
        "spec": {
            "holderIdentity": config.node_name,
            "leaseDurationSeconds": config.lease_duration_s,
            "renewTime": format_micro_time(now_wall_s),
        },
    }
    if owner_uid:
        owner = {"apiVersion": "v1", "kind": "Node", "name": config.node_name, "uid": owner_uid}
        lease["metadata"]["ownerReferences"] = [owner]
    return lease
