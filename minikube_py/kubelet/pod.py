"""A pod as the kubelet needs it: frozen types, parsed from the API object once, at the border.

Only fields that some rule of this room reads are here; `Pod.object` keeps the whole (shared, read-only) API object
for events and for what is copied through unread. Upstream: core/v1 Pod.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minikube_py.api.meta import (
    Obj,
    ObjectKey,
    annotations_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    parse_time,
    uid_of,
)
from minikube_py.kubelet.container import Container, parse_containers
from minikube_py.kubelet.cri import PodIdentity
from minikube_py.kubelet.pod_volumes import Volume, parse_volume


@dataclass(frozen=True, slots=True)
class DnsConfig:
    """`dnsConfig`."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod of this node."""

    namespace: str
    name: str
    uid: str
    object: Obj
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0
    deletion_timestamp_s: float | None = None
    deletion_grace_s: float | None = None
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    ephemeral_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    restart_policy: str = "Always"
    termination_grace_s: float = 30.0
    active_deadline_s: float | None = None
    host_network: bool = False
    host_pid: bool = False
    host_ipc: bool = False
    share_process_namespace: bool = False
    hostname: str = ""
    subdomain: str = ""
    set_hostname_as_fqdn: bool = False
    hostname_override: str = ""
    runtime_class_name: str = ""
    dns_policy: str = "ClusterFirst"
    dns_config: DnsConfig = DnsConfig()
    host_aliases: tuple[tuple[str, tuple[str, ...]], ...] = ()
    node_name: str = ""
    service_account_name: str = ""
    enable_service_links: bool = True
    readiness_gates: tuple[str, ...] = ()
    image_pull_secrets: tuple[str, ...] = ()
    security: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    requests: Mapping[str, str] = field(default_factory=dict)
    """Of the pod as a whole (`spec.resources`)."""
    limits: Mapping[str, str] = field(default_factory=dict)
    overhead: Mapping[str, str] = field(default_factory=dict)
    """What its runtime class costs on top."""

    @property
    def key(self) -> ObjectKey:
        """Return namespace and name."""
        return ObjectKey(self.namespace, self.name)

    @property
    def identity(self) -> PodIdentity:
        """Return what the runtime keys its records by."""
        return PodIdentity(self.namespace, self.name, self.uid)

    @property
    def last_ip(self) -> str:
        """Return the address that its status gives it, empty when it has had none."""
        return str((self.object.get("status") or {}).get("podIP") or "")

    @property
    def all_containers(self) -> tuple[Container, ...]:
        """Return init, regular and ephemeral containers, in that order."""
        return self.init_containers + self.containers + self.ephemeral_containers

    @property
    def involved(self) -> Obj:
        """Return the object for events: items of a list may come without apiVersion and kind."""
        return {**self.object, "apiVersion": "v1", "kind": "Pod"}

    @property
    def is_deleting(self) -> bool:
        """Return whether somebody asked for its deletion."""
        return self.deletion_timestamp_s is not None

    @property
    def phase(self) -> str:
        """Return the phase that the API holds."""
        return str((self.object.get("status") or {}).get("phase", ""))

    def container(self, name: str) -> Container | None:
        """Return the container of that name, or None."""
        return next((c for c in self.all_containers if c.name == name), None)

    @property
    def full_name(self) -> str:
        """Return upstream's `name_namespace(uid)`, as it stands in messages."""
        return f"{self.name}_{self.namespace}({self.uid})"


def parse_pod(obj: Obj) -> Pod:
    """Return the pod of an API object (one that the API server has defaulted)."""
    spec: Mapping[str, Any] = obj.get("spec") or {}
    deletion = metadata(obj).get("deletionTimestamp")
    grace = metadata(obj).get("deletionGracePeriodSeconds")
    deadline = spec.get("activeDeadlineSeconds")
    termination_grace = spec.get("terminationGracePeriodSeconds")
    return Pod(
        namespace=namespace_of(obj),
        name=name_of(obj),
        uid=uid_of(obj),
        object=obj,
        labels=labels_of(obj),
        annotations=annotations_of(obj),
        generation=int(metadata(obj).get("generation") or 0),
        deletion_timestamp_s=parse_time(deletion) if deletion else None,
        deletion_grace_s=float(grace) if grace is not None else None,
        containers=parse_containers(spec, "regular"),
        init_containers=parse_containers(spec, "init"),
        ephemeral_containers=parse_containers(spec, "ephemeral"),
        volumes=tuple(parse_volume(v) for v in spec.get("volumes") or ()),
        restart_policy=str(spec.get("restartPolicy") or "Always"),
        termination_grace_s=30.0 if termination_grace is None else float(termination_grace),
        active_deadline_s=None if deadline is None else float(deadline),
        host_network=bool(spec.get("hostNetwork")),
        host_pid=bool(spec.get("hostPID")),
        host_ipc=bool(spec.get("hostIPC")),
        share_process_namespace=bool(spec.get("shareProcessNamespace")),
        hostname=str(spec.get("hostname") or ""),
        subdomain=str(spec.get("subdomain") or ""),
        set_hostname_as_fqdn=bool(spec.get("setHostnameAsFQDN")),
        hostname_override=str(spec.get("hostnameOverride") or ""),
        runtime_class_name=str(spec.get("runtimeClassName") or ""),
        dns_policy=str(spec.get("dnsPolicy") or "ClusterFirst"),
        dns_config=_dns_config(spec.get("dnsConfig") or {}),
        host_aliases=tuple((a["ip"], tuple(a.get("hostnames") or ())) for a in spec.get("hostAliases") or ()),
        node_name=str(spec.get("nodeName") or ""),
        service_account_name=str(spec.get("serviceAccountName") or ""),
        enable_service_links=spec.get("enableServiceLinks") is not False,
        readiness_gates=tuple(g["conditionType"] for g in spec.get("readinessGates") or ()),
        image_pull_secrets=tuple(s.get("name", "") for s in spec.get("imagePullSecrets") or ()),
        security=spec.get("securityContext") or {},
        priority=int(spec.get("priority") or 0),
        requests=_amounts(spec.get("resources"), "requests"),
        limits=_amounts(spec.get("resources"), "limits"),
        overhead=_amounts(spec, "overhead"),
    )


def _amounts(parent: Mapping[str, Any] | None, field_name: str) -> Mapping[str, str]:
    return {str(name): str(text) for name, text in ((parent or {}).get(field_name) or {}).items()}


def _dns_config(raw: Mapping[str, Any]) -> DnsConfig:
    return DnsConfig(
        nameservers=tuple(raw.get("nameservers") or ()),
        searches=tuple(raw.get("searches") or ()),
        options=tuple((o.get("name", ""), o.get("value")) for o in raw.get("options") or ()),
    )
