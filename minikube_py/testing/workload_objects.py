"""Builders of the objects that controllers and the scheduler look at; each says only what a test cares about."""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.meta import Obj

NOW_S = 1_767_225_600.0
"""2026-01-01T00:00:00Z"""
NOW = "2026-01-01T00:00:00Z"
LONG_AGO = "2025-12-31T00:00:00Z"
LABELS: Mapping[str, str] = {"app": "web"}


def an_owner(kind: str, name: str, uid: str, api_version: str = "apps/v1") -> Obj:
    """Return the reference to a controlling owner."""
    reference = {"apiVersion": api_version, "kind": kind, "name": name, "uid": uid}
    return {**reference, "controller": True, "blockOwnerDeletion": True}


def a_pod(
    name: str = "p",
    *,
    phase: str = "Running",
    ready: bool = True,
    since: str = LONG_AGO,
    node: str = "n1",
    ip: str = "",
    **more: Any,
) -> Obj:
    """Return a pod; `more`: labels, owner, deleting, spec, metadata (merged in)."""
    meta: Obj = {"name": name, "namespace": "default", "uid": f"uid-{name}", "creationTimestamp": LONG_AGO}
    meta["labels"] = dict(more.get("labels", LABELS))
    if more.get("owner"):
        meta["ownerReferences"] = [more["owner"]]
    if more.get("deleting"):
        meta["deletionTimestamp"] = NOW
    meta |= more.get("metadata", {})
    spec: Obj = {"containers": [{"name": "c", "image": "i:1"}], "schedulerName": "default-scheduler"}
    if node:
        spec["nodeName"] = node
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": since}
    status: Obj = {"phase": phase, "conditions": [condition]}
    if ip:
        status |= {"podIP": ip, "podIPs": [{"ip": ip}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": spec | more.get("spec", {}),
        "status": status,
    }


def a_replica_set(name: str = "rs", replicas: int = 3, *, image: str = "i:1", **more: Any) -> Obj:
    """Return a ReplicaSet; `more`: owner, annotations, status, spec, created (merged in)."""
    meta: Obj = {
        "name": name,
        "namespace": "default",
        "uid": f"uid-{name}",
        "generation": 1,
        "resourceVersion": "5",
        "creationTimestamp": more.get("created", LONG_AGO),
        "labels": dict(LABELS),
        "annotations": dict(more.get("annotations", {})),
    }
    if more.get("owner"):
        meta["ownerReferences"] = [more["owner"]]
    template = {"metadata": {"labels": dict(LABELS)}, "spec": {"containers": [{"name": "c", "image": image}]}}
    spec: Obj = {"replicas": replicas, "selector": {"matchLabels": dict(LABELS)}, "template": template}
    rs: Obj = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": spec | more.get("spec", {})}
    rs["status"] = more.get("status", {})
    return rs


def a_service(name: str = "web", **spec: Any) -> Obj:
    """Return a ClusterIP Service with one port."""
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}", "creationTimestamp": LONG_AGO}
    body: Obj = {"selector": dict(LABELS), "clusterIP": "10.96.0.9", "type": "ClusterIP"}
    body |= {"ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": body | spec}


def a_node(
    name: str = "n1",
    *,
    ready: str = "True",
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Obj] = (),
    allocatable: Mapping[str, str] | None = None,
    **spec: Any,
) -> Obj:
    """Return a node; `ready` is the status of its Ready condition, empty: it has none."""
    meta = {"name": name, "uid": f"uid-{name}", "resourceVersion": "5", "creationTimestamp": LONG_AGO}
    conditions = [{"type": "Ready", "status": ready, "lastHeartbeatTime": LONG_AGO}] if ready else []
    body: Obj = dict(spec)
    if taints:
        body["taints"] = list(taints)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {**meta, "labels": dict(labels or {"kubernetes.io/hostname": name})},
        "spec": body,
        "status": {
            "allocatable": dict(allocatable or {"cpu": "4", "memory": "8Gi", "pods": "110"}),
            "conditions": conditions,
        },
    }
