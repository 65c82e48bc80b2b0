"""Which nodes the volumes of a pod allow, and what must be bound there before the pod is.

A bound claim allows the nodes that its volume can be used on (node affinity, zone labels). A claim that waits for its
first consumer allows every node where a volume is free for it or where its class can make one; what is chosen is
written before the pod is bound: a static volume's claimRef, or the node on which the provisioner is to make one.

Upstream: plugins volumebinding, volumezone, volumerestrictions. Limits of attachable volumes (nodevolumelimits)
concern CSI drivers only, of which there are none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minikube_py.api.meta import Obj, ObjectKey, annotations_of, is_deleting, key_of, labels_of, name_of
from minikube_py.api.persistent_volumes import (
    NO_PROVISIONER,
    SELECTED_NODE,
    NodeFacts,
    class_of,
    find_volume,
    fits_node,
    is_bound,
    phase_of,
    request_of,
    spec_of,
    waits_for_consumer,
)
from minikube_py.scheduler.terms import NodeTerm, compile_node_term

NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
NOTHING_TO_BIND = "node(s) didn't find available persistent volumes to bind"
ZONE_CONFLICT = "node(s) had no available volume zone"
ONE_POD_ONLY = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
_ZONES = (
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
)


@dataclass(frozen=True, slots=True)
class Storage:
    """Claims, volumes and classes at one moment."""

    claims: Mapping[ObjectKey, Obj] = field(default_factory=dict)
    volumes: Mapping[str, Obj] = field(default_factory=dict)
    classes: Mapping[str, Obj] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    """Volumes that decisions before this one gave away."""


NO_STORAGE = Storage()


@dataclass(frozen=True, slots=True)
class PodVolumes:
    """What the claims of one pod ask for."""

    fault: str = ""
    """Why no node can take the pod now."""
    bound: tuple[Obj, ...] = ()
    """The volumes of its bound claims."""
    waiting: tuple[Obj, ...] = ()
    """Its claims that are bound with the pod."""
    exclusive: frozenset[ObjectKey] = frozenset()
    """Its claims that only one pod may use."""
    storage: Storage = NO_STORAGE


NO_VOLUMES = PodVolumes()


@dataclass(frozen=True, slots=True)
class VolumeDecision:
    """What is written before a pod is bound: (claim, volume) pairs, and claims to provision on the node."""

    static: tuple[tuple[Obj, Obj], ...] = ()
    provision: tuple[Obj, ...] = ()


NOTHING_TO_BIND_FIRST = VolumeDecision()


def claims_of(pod: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
    """Return the names of the claims that a pod uses, and whether each is made for the pod."""
    found: list[tuple[str, bool]] = []
    for volume in spec_of(pod).get("volumes") or ():
        if claim := volume.get("persistentVolumeClaim"):
            found.append((str(claim.get("claimName")), False))
        elif volume.get("ephemeral") is not None:
            found.append((f"{name_of(pod)}-{volume.get('name')}", True))
    return tuple(found)


def read_volumes(pod: Mapping[str, Any], namespace: str, storage: Storage) -> PodVolumes:
    """Return what a pod's claims ask for."""
    bound: list[Obj] = []
    waiting: list[Obj] = []
    exclusive: set[ObjectKey] = set()
    for name, own in claims_of(pod):
        claim = storage.claims.get(ObjectKey(namespace, name))
        if claim is None or is_deleting(claim):
            return PodVolumes(_missing(name, claim, own=own))
        if "ReadWriteOncePod" in (spec_of(claim).get("accessModes") or ()):
            exclusive.add(key_of(claim))
        volume = storage.volumes.get(str(spec_of(claim).get("volumeName") or ""))
        if phase_of(claim) == "Lost":
            gone = spec_of(claim).get("volumeName")
            return PodVolumes(f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{gone}"')
        if is_bound(claim):
            if volume is None:
                return PodVolumes("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)")
            bound.append(volume)
        elif waits_for_consumer(storage.classes.get(class_of(claim))) and not spec_of(claim).get("volumeName"):
            waiting.append(claim)
        else:
            return PodVolumes("pod has unbound immediate PersistentVolumeClaims")
    return PodVolumes("", tuple(bound), tuple(waiting), frozenset(exclusive), storage)


def _missing(name: str, claim: Obj | None, *, own: bool) -> str:
    if claim is not None:
        return f'persistentvolumeclaim "{name}" is being deleted'
    if own:
        return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
    return f'persistentvolumeclaim "{name}" not found'


def refuse_node(volumes: PodVolumes, node: NodeFacts, used: frozenset[ObjectKey]) -> str:
    """Return why the pod's volumes rule a node out; empty when they do not. `used`: claims of the pods there."""
    if volumes.exclusive & used:
        return ONE_POD_ONLY
    if not all(fits_node(volume, node) for volume in volumes.bound):
        return NODE_CONFLICT
    if not all(_in_zone(volume, node) for volume in volumes.bound):
        return ZONE_CONFLICT
    if volumes.waiting and decide_volumes(volumes, node) is None:
        return NOTHING_TO_BIND
    return ""


def _in_zone(volume: Obj, node: NodeFacts) -> bool:
    labels = labels_of(volume)
    return all(node.labels.get(key) in labels[key].split("__") for key in _ZONES if key in labels)


def decide_volumes(volumes: PodVolumes, node: NodeFacts) -> VolumeDecision | None:
    """Return what to bind and to provision for a pod on a node; None when that cannot be."""
    storage, taken = volumes.storage, set(volumes.storage.taken)
    static: list[tuple[Obj, Obj]] = []
    provision: list[Obj] = []
    # The smallest first, as upstream, so that a big volume is not spent on a small claim.
    for claim in sorted(volumes.waiting, key=request_of):
        selected = annotations_of(claim).get(SELECTED_NODE)
        if selected is not None and selected != node.name:
            return None
        volume = None if selected else find_volume(claim, storage.volumes.values(), node, taken)
        if volume is not None:
            taken.add(name_of(volume))
            static.append((claim, volume))
        elif _can_be_made(storage.classes[class_of(claim)], node):
            provision.append(claim)
        else:
            return None
    return VolumeDecision(tuple(static), tuple(provision))


def _can_be_made(storage_class: Obj, node: NodeFacts) -> bool:
    if storage_class.get("provisioner") in (None, "", NO_PROVISIONER):
        return False
    topologies = storage_class.get("allowedTopologies") or ()
    terms = [_topology_term(topology) for topology in topologies]
    return not terms or any(term.matches(node.name, node.labels) for term in terms)


def _topology_term(topology: Mapping[str, Any]) -> NodeTerm:
    expressions = [
        {"key": e.get("key"), "operator": "In", "values": e.get("values")}
        for e in topology.get("matchLabelExpressions") or ()
    ]
    return compile_node_term({"matchExpressions": expressions})
