"""Nodes that are not heard of: condition Unknown, taints, and their pods no longer Ready.

1. Silence longer than the grace period sets Ready and the pressure conditions to Unknown, and the pods' Ready to
   False, so that no endpoint leads there.
2. The conditions become taints: `not-ready` (False), `unreachable` (Unknown), pressure, network, unschedulable. New
   pods stay away by NoSchedule; NoExecute starts the clock of the pods' tolerations (`taint_eviction`).
3. NoExecute is given at a pace (`eviction_pace`): when no node at all is Ready, it is likelier that we are cut off
   than that all have died, and none has it then.

Upstream: pkg/controller/nodelifecycle. A node that reports Ready=False is alive: its kubelet speaks for its pods.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from minikube_py.api.meta import Obj, ObjectKey, format_time, is_deleting, key_of, metadata, name_of, uid_of
from minikube_py.api.resources import LEASES, NODES, PODS
from minikube_py.api.taints import (
    NO_EXECUTE,
    NO_SCHEDULE,
    NOT_READY,
    UNREACHABLE,
    UNSCHEDULABLE,
    taints_of,
)
from minikube_py.client.interface import STRATEGIC, Change
from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.eviction_pace import EvictionPace, ZoneView, eviction_rate, view_zone, zone_of
from minikube_py.controllers.indexes import NODE_NAME, PODS_BY_NODE
from minikube_py.controllers.node_health import NodeHealth
from minikube_py.controllers.plan import Action, Failure, Item, Listers, Patch, Plan, Record, Update, latest_item
from minikube_py.controllers.pod_state import condition_of, is_ready, is_terminal
from minikube_py.controllers.spec import ControllerSpec, Watch

LEASE_NAMESPACE = "kube-node-lease"
_CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_PRESSURE_TAINTS = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
_MANAGED_KEYS = frozenset({NOT_READY, UNREACHABLE, UNSCHEDULABLE, *_PRESSURE_TAINTS.values()})


@dataclass(frozen=True, slots=True)
class NodeView:
    """One node, its lease, its pods."""

    node: Obj
    lease: Obj | None
    pods: tuple[Obj, ...]
    zone: ZoneView | None = None
    """The zone of a node that is not Ready."""
    may_evict: bool = True
    """Its pods may go: it was given up before, or it is its turn."""
    is_new: bool = False
    """Seen for the first time by this process."""
    silent_s: float = 0.0
    """How long it has not been heard of."""


def _ready_status(node: Obj) -> str:
    return str((condition_of(node, "Ready") or {}).get("status", "Unknown"))


def sign_of_life(node: Obj, lease: Obj | None) -> Hashable:
    """Return what changes whenever the node's kubelet is alive."""
    renewed = (lease.get("spec") or {}).get("renewTime") if lease is not None else None
    return (uid_of(node), renewed, (condition_of(node, "Ready") or {}).get("lastHeartbeatTime"))


def decide(seen: NodeView, config: ControllersConfig, now_s: float) -> Plan:
    """Decide what the node's silence and its conditions mean."""
    actions: list[Action] = []
    name = name_of(seen.node)
    if seen.is_new:
        message = f"Node {name} event: Registered Node {name} in Controller"
        actions.append(Record(seen.node, "Normal", "RegisteredNode", message))
    reported = condition_of(seen.node, "Ready") is not None
    grace_s = config.node_monitor_grace_period_s if reported else config.node_startup_grace_period_s
    conditions = _unknown_conditions(seen.node, now_s) if seen.silent_s > grace_s else None
    if conditions is not None:
        if _ready_status(seen.node) == "True":
            message = f"Node {name} status is now: NodeNotReady"
            actions.append(Record(seen.node, "Normal", "NodeNotReady", message))
        status = {**(seen.node.get("status") or {}), "conditions": conditions}
        actions.append(Update(NODES, {**seen.node, "status": status}, subresource="status"))
    else:
        taints = compute_taints(seen.node, now_s, evict=seen.may_evict)
        if taints != list(taints_of(seen.node)):
            patch: Obj = {"metadata": {"resourceVersion": metadata(seen.node).get("resourceVersion", "")}}
            patch["spec"] = {"taints": taints or None}
            actions.append(Patch(NODES, key_of(seen.node), patch, uid=uid_of(seen.node)))
        if reported and _ready_status(seen.node) == "Unknown":
            actions += _pods_not_ready(seen, now_s)
    return Plan(tuple(actions), requeue_after_s=config.look_every_s)


def _unknown_conditions(node: Obj, now_s: float) -> list[Obj] | None:
    """Return the conditions with all that the kubelet reports set to Unknown; None when they are already."""
    conditions: list[Obj] = [dict(c) for c in (node.get("status") or {}).get("conditions") or ()]
    changed = False
    for kind in _CONDITIONS:
        current = next((c for c in conditions if c.get("type") == kind), None)
        if current is None:
            created = metadata(node).get("creationTimestamp")
            current = {"type": kind, "lastHeartbeatTime": created}
            current |= {"reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status."}
            conditions.append(current)
        elif current.get("status") != "Unknown":
            current |= {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
        if current.get("status") != "Unknown":
            current |= {"status": "Unknown", "lastTransitionTime": format_time(now_s)}
            changed = True
    return conditions if changed else None


def compute_taints(node: Obj, now_s: float, *, evict: bool) -> list[Obj]:
    """Return the node's taints: those of others as they are, ours as the conditions say."""
    wanted: list[tuple[str, str]] = []
    if (node.get("spec") or {}).get("unschedulable"):
        wanted.append((UNSCHEDULABLE, NO_SCHEDULE))
    for kind, key in _PRESSURE_TAINTS.items():
        if (condition_of(node, kind) or {}).get("status") == "True":
            wanted.append((key, NO_SCHEDULE))
    ready = _ready_status(node)
    if ready != "True":
        key = UNREACHABLE if ready == "Unknown" and condition_of(node, "Ready") is not None else NOT_READY
        wanted.append((key, NO_SCHEDULE))
        if evict:
            wanted.append((key, NO_EXECUTE))
    present = {(taint.get("key"), taint.get("effect")) for taint in taints_of(node)}
    kept = [
        taint
        for taint in taints_of(node)
        if taint.get("key") not in _MANAGED_KEYS or (taint["key"], taint.get("effect")) in wanted
    ]
    added = [
        {"key": key, "effect": effect, "timeAdded": format_time(now_s)}
        for key, effect in wanted
        if (key, effect) not in present
    ]
    return kept + added


def _pods_not_ready(seen: NodeView, now_s: float) -> list[Action]:
    actions: list[Action] = []
    for pod in seen.pods:
        if not is_ready(pod) or is_terminal(pod):
            continue
        condition = {"type": "Ready", "status": "False", "lastTransitionTime": format_time(now_s)}
        patch = {"status": {"conditions": [condition]}}
        actions.append(Patch(PODS, key_of(pod), patch, uid=uid_of(pod), patch_type=STRATEGIC, subresource="status"))
        actions.append(Record(pod, "Warning", "NodeNotReady", "Node is not ready"))
    return actions


def _items_of_lease(change: Change, listers: Listers) -> Sequence[Item]:
    if metadata(change.latest).get("namespace") != LEASE_NAMESPACE:
        return ()
    return (Item(NODES.qualified, ObjectKey("", name_of(change.latest))),)


def _items_of_pod(change: Change, listers: Listers) -> Sequence[Item]:
    """A pod that says Ready on a node that is Unknown (its status was late)."""
    name = str((change.latest.get("spec") or {}).get("nodeName", ""))
    if change.new is None or not name or not is_ready(change.new):
        return ()
    node = listers.get(NODES, ObjectKey("", name))
    unknown = node is not None and _ready_status(node) == "Unknown"
    return (Item(NODES.qualified, ObjectKey("", name)),) if unknown else ()


def _may_evict(seen: NodeView, config: ControllersConfig, pace: EvictionPace, now_s: float) -> bool:
    """Return whether a node that is not Ready has NoExecute: it keeps it, or it is its turn."""
    if seen.zone is None:
        return True
    given = {t.get("key") for t in taints_of(seen.node) if t.get("effect") == NO_EXECUTE}
    if given & {NOT_READY, UNREACHABLE}:
        return seen.zone.any_ready
    if condition_of(seen.node, "Ready") is None:
        return False  # it is just starting
    return pace.take_turn(seen.zone.zone, eviction_rate(seen.zone, config), now_s)


def spec(config: ControllersConfig) -> ControllerSpec[NodeView]:
    """Return the row of the table of controllers; it carries the memory of when nodes were heard of."""
    health, pace = NodeHealth(config.look_every_s), EvictionPace()

    def observe(listers: Listers, item: Item, failure: Failure | None) -> NodeView | None:
        node = listers.get(NODES, item.key)
        if node is None or is_deleting(node):
            health.forget(item.key.name)
            return None
        lease = listers.get(LEASES, ObjectKey(LEASE_NAMESPACE, item.key.name))
        pods = listers.by_index(PODS, NODE_NAME, item.key.name)
        zone = None
        if _ready_status(node) != "True":
            nodes = ((zone_of(other), _ready_status(other) == "True") for other in listers.list(NODES))
            zone = view_zone(zone_of(node), nodes)
        return NodeView(node, lease, pods, zone)

    def reconcile(seen: NodeView, now_s: float) -> Plan:
        name = name_of(seen.node)
        is_new = not health.is_known(name)
        heard = health.look(name, sign_of_life(seen.node, seen.lease), now_s)
        silent_s = now_s - heard.heard_s
        may_evict = _may_evict(seen, config, pace, now_s)
        return decide(replace(seen, is_new=is_new, silent_s=silent_s, may_evict=may_evict), config, now_s)

    return ControllerSpec(
        name="node-lifecycle",
        component="node-controller",
        watches=(
            Watch(NODES, lambda change, listers: (latest_item(NODES, change),)),
            Watch(LEASES, _items_of_lease),
            Watch(PODS, _items_of_pod),
        ),
        observe=observe,
        reconcile=reconcile,
        indexes=(PODS_BY_NODE,),
    )
