"""The rows of the volume controllers: which changes concern which claims and volumes, and what is looked at.

`persistentvolume-binder` binds claims and follows volumes (rules in volume_binder, volume_reclaim, volume_recycler);
`ephemeral-volume` makes the claims of pods' ephemeral volumes. Upstream: persistentvolume-binder-controller,
ephemeral-volume-controller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from minikube_py.api.meta import Obj, ObjectKey, annotations_of, is_deleting, metadata, name_of, namespace_of, uid_of
from minikube_py.api.persistent_volumes import DEFAULT_CLASS, class_of, is_bound, phase_of, spec_of
from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS
from minikube_py.api.table.storage_v1 import STORAGE_CLASSES
from minikube_py.client.interface import Change
from minikube_py.controllers.plan import (
    NOTHING,
    Action,
    Create,
    Failure,
    Item,
    Listers,
    Plan,
    Record,
    latest_item,
    owner_reference,
)
from minikube_py.controllers.pod_state import is_terminal
from minikube_py.controllers.spec import ControllerSpec, Index, Watch
from minikube_py.controllers.volume_binder import ClaimView, reconcile_claim
from minikube_py.controllers.volume_protection import CLAIM, claims_of
from minikube_py.controllers.volume_reclaim import VolumeView, reconcile_volume
from minikube_py.controllers.volume_recycler import NAME_PREFIX, Recycler, RecycleView

UNBOUND = "controllers/unbound-claims"
"""The claims that are not bound, under one value."""
_ALL = "all"


def _unbound(claim: Obj) -> Sequence[str]:
    return () if is_bound(claim) else (_ALL,)


def _claim_items(claims: Sequence[Obj]) -> tuple[Item, ...]:
    keys = (ObjectKey(namespace_of(claim), name_of(claim)) for claim in claims)
    return tuple(Item(PERSISTENT_VOLUME_CLAIMS.qualified, key) for key in keys)


def _on_claim(change: Change, listers: Listers) -> Sequence[Item]:
    named = spec_of(change.latest).get("volumeName")
    volumes = (Item(PERSISTENT_VOLUMES.qualified, ObjectKey("", str(named))),) if named else ()
    return (latest_item(PERSISTENT_VOLUME_CLAIMS, change), *volumes)


def _on_volume(change: Change, listers: Listers) -> Sequence[Item]:
    volume, items = change.latest, [latest_item(PERSISTENT_VOLUMES, change)]
    ref = spec_of(volume).get("claimRef")
    if ref:
        items.append(Item(PERSISTENT_VOLUME_CLAIMS.qualified, ObjectKey(str(ref.get("namespace")), str(ref["name"]))))
    elif change.new is not None and phase_of(volume) == "Available":
        waiting = listers.by_index(PERSISTENT_VOLUME_CLAIMS, UNBOUND, _ALL)
        items += _claim_items([c for c in waiting if class_of(c) == class_of(volume)])
    return items


def _on_class(change: Change, listers: Listers) -> Sequence[Item]:
    return _claim_items(listers.by_index(PERSISTENT_VOLUME_CLAIMS, UNBOUND, _ALL))


def _on_pod(change: Change, listers: Listers) -> Sequence[Item]:
    name = name_of(change.latest)
    if not name.startswith(NAME_PREFIX):
        return ()
    return (Item(PERSISTENT_VOLUMES.qualified, ObjectKey("", name.removeprefix(NAME_PREFIX))),)


def default_class(classes: Sequence[Mapping[str, Any]]) -> str:
    """Return the name of the default class: of several, the newest; empty when there is none."""
    marked = [c for c in classes if annotations_of(c).get(DEFAULT_CLASS) == "true"]
    newest = sorted(marked, key=lambda c: (str(metadata(c).get("creationTimestamp") or ""), name_of(c)))
    return name_of(newest[-1]) if newest else ""


def _observe_volume(recyclers: Sequence[Recycler], listers: Listers, volume: Obj) -> VolumeView:
    ref = spec_of(volume).get("claimRef") or {}
    key = ObjectKey(str(ref.get("namespace") or ""), str(ref.get("name") or ""))
    claim = listers.get(PERSISTENT_VOLUME_CLAIMS, key)
    if spec_of(volume).get("persistentVolumeReclaimPolicy") != "Recycle":
        return VolumeView(volume, claim)
    recycler = next((r for r in recyclers if spec_of(volume).get(r.source)), None)
    pod = listers.get(PODS, recycler.pod_key(name_of(volume))) if recycler is not None else None
    # Another claim of the name has pods of its own.
    pods = listers.by_index(PODS, CLAIM, str(key)) if claim is None else ()
    users = tuple(f"{namespace_of(p)}/{name_of(p)}" for p in pods if not is_terminal(p))
    return VolumeView(volume, claim, RecycleView(volume, recycler, pod, users))


def _observe(
    recyclers: Sequence[Recycler], listers: Listers, item: Item, failure: Failure | None
) -> ClaimView | VolumeView | None:
    if item.resource == PERSISTENT_VOLUMES.qualified:
        volume = listers.get(PERSISTENT_VOLUMES, item.key)
        return None if volume is None else _observe_volume(recyclers, listers, volume)
    claim = listers.get(PERSISTENT_VOLUME_CLAIMS, item.key)
    if claim is None:
        return None
    named = str(spec_of(claim).get("volumeName") or "")
    return ClaimView(
        claim=claim,
        named=listers.get(PERSISTENT_VOLUMES, ObjectKey("", named)) if named else None,
        volumes=() if named else listers.list(PERSISTENT_VOLUMES),
        storage_class=listers.get(STORAGE_CLASSES, ObjectKey("", class_of(claim))),
        default_class=default_class(listers.list(STORAGE_CLASSES)),
    )


def _reconcile(seen: ClaimView | VolumeView, now_s: float) -> Plan:
    return reconcile_claim(seen, now_s) if isinstance(seen, ClaimView) else reconcile_volume(seen, now_s)


def binder_spec(recyclers: Sequence[Recycler]) -> ControllerSpec[ClaimView | VolumeView]:
    """Return the row of the binder; one item at a time, so that no volume is given away twice."""
    return ControllerSpec(
        name="persistentvolume-binder",
        component="persistentvolume-controller",
        watches=(
            Watch(PERSISTENT_VOLUME_CLAIMS, _on_claim),
            Watch(PERSISTENT_VOLUMES, _on_volume),
            Watch(STORAGE_CLASSES, _on_class),
            Watch(PODS, _on_pod),
        ),
        observe=partial(_observe, tuple(recyclers)),
        reconcile=_reconcile,
        indexes=(Index(PERSISTENT_VOLUME_CLAIMS, UNBOUND, _unbound), Index(PODS, CLAIM, claims_of)),
        workers_max=1,
    )


@dataclass(frozen=True, slots=True)
class EphemeralView:
    """A pod with ephemeral volumes, and the claims of their names that are there."""

    pod: Obj
    claims: Mapping[str, Obj | None]


def _ephemeral(pod: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    volumes = spec_of(pod).get("volumes") or ()
    return {f"{name_of(pod)}-{v['name']}": v["ephemeral"] for v in volumes if v.get("ephemeral")}


def reconcile_ephemeral(seen: EphemeralView, now_s: float) -> Plan:
    """Make the claims that are missing; they go with the pod."""
    actions: list[Action] = []
    for name, source in _ephemeral(seen.pod).items():
        found = seen.claims.get(name)
        if found is None:
            template = source.get("volumeClaimTemplate") or {}
            head = template.get("metadata") or {}
            meta: Obj = {
                "name": name,
                "namespace": namespace_of(seen.pod),
                "labels": dict(head.get("labels") or {}),
                "annotations": dict(head.get("annotations") or {}),
                "ownerReferences": [owner_reference(PODS, seen.pod)],
            }
            obj: Obj = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta}
            actions.append(Create(PERSISTENT_VOLUME_CLAIMS, {**obj, "spec": template.get("spec") or {}}, True))
        elif all(owner.get("uid") != uid_of(seen.pod) for owner in metadata(found).get("ownerReferences") or ()):
            why = f'PVC "{namespace_of(seen.pod)}/{name}" was not created for the pod, cannot use it for its volume'
            involved = {**seen.pod, "apiVersion": "v1", "kind": "Pod"}
            actions.append(Record(involved, "Warning", "EphemeralVolumeCreationFailed", why))
    return Plan(tuple(actions)) if actions else NOTHING


def _observe_ephemeral(listers: Listers, item: Item, failure: Failure | None) -> EphemeralView | None:
    pod = listers.get(PODS, item.key)
    if pod is None or is_deleting(pod) or not _ephemeral(pod):
        return None
    namespace = item.key.namespace
    claims = {n: listers.get(PERSISTENT_VOLUME_CLAIMS, ObjectKey(namespace, n)) for n in _ephemeral(pod)}
    return EphemeralView(pod, claims)


def _owner_items(change: Change) -> Sequence[Item]:
    namespace = namespace_of(change.latest)
    owners = metadata(change.latest).get("ownerReferences") or ()
    return tuple(Item(PODS.qualified, ObjectKey(namespace, o["name"])) for o in owners if o.get("kind") == "Pod")


def ephemeral_spec() -> ControllerSpec[EphemeralView]:
    """Return the row of the controller of ephemeral volumes."""
    return ControllerSpec(
        name="ephemeral-volume",
        component="ephemeral_volume",
        watches=(
            Watch(PODS, lambda change, _: (latest_item(PODS, change),) if _ephemeral(change.latest) else ()),
            Watch(PERSISTENT_VOLUME_CLAIMS, lambda change, _: _owner_items(change)),
        ),
        observe=_observe_ephemeral,
        reconcile=reconcile_ephemeral,
    )
