"""Claims and volumes that are deleted while something uses them stay until nothing does.

The API server gives each a finalizer; this takes it away when its object is being deleted and

- a claim: no pod that has been scheduled names it (pods that ended count, until they are deleted);
- a volume: it is not bound to a claim.

A pod that is scheduled after the claim has been marked keeps nothing: its kubelet does not start a pod whose claim is
being deleted.

Upstream: pkg/controller/volume/{pvcprotection,pvprotection}.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from minikube_py.api.meta import Obj, ObjectKey, is_deleting, key_of, metadata, name_of, namespace_of, uid_of
from minikube_py.api.resource import Resource
from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS
from minikube_py.api.rules.core_storage import PV_PROTECTION, PVC_PROTECTION
from minikube_py.client.interface import Change
from minikube_py.controllers.plan import NOTHING, Failure, Item, Listers, Patch, Plan, latest_item
from minikube_py.controllers.spec import ControllerSpec, Index, Watch

CLAIM = "controllers/claim"
"""`namespace/name` of each claim that a scheduled pod uses."""
_FINALIZERS = {
    PERSISTENT_VOLUME_CLAIMS.qualified: (PERSISTENT_VOLUME_CLAIMS, PVC_PROTECTION),
    PERSISTENT_VOLUMES.qualified: (PERSISTENT_VOLUMES, PV_PROTECTION),
}


@dataclass(frozen=True, slots=True)
class ProtectedView:
    """One claim or volume that is being deleted."""

    resource: Resource
    obj: Obj
    finalizer: str
    used: bool


def claims_of(pod: Obj) -> Sequence[str]:
    """Return the claims that a pod keeps in use: by name, and those that are made for its ephemeral volumes."""
    spec = pod.get("spec") or {}
    if not spec.get("nodeName"):
        return ()
    names = []
    for volume in spec.get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            names.append(volume["persistentVolumeClaim"].get("claimName"))
        elif volume.get("ephemeral"):
            names.append(f"{name_of(pod)}-{volume.get('name')}")
    return tuple(f"{namespace_of(pod)}/{name}" for name in names)


def observe(listers: Listers, item: Item, failure: Failure | None) -> ProtectedView | None:
    """Look up who uses a claim or volume that is being deleted."""
    resource, finalizer = _FINALIZERS[item.resource]
    obj = listers.get(resource, item.key)
    if obj is None or not is_deleting(obj) or finalizer not in (metadata(obj).get("finalizers") or ()):
        return None
    if resource is PERSISTENT_VOLUMES:
        return ProtectedView(resource, obj, finalizer, used=(obj.get("status") or {}).get("phase") == "Bound")
    return ProtectedView(resource, obj, finalizer, used=bool(listers.by_index(PODS, CLAIM, str(item.key))))


def reconcile(seen: ProtectedView, now_s: float) -> Plan:
    """Decide whether the protection ends."""
    if seen.used:
        return NOTHING
    meta = metadata(seen.obj)
    kept = [name for name in meta.get("finalizers") or () if name != seen.finalizer]
    patch: Obj = {"metadata": {"resourceVersion": meta.get("resourceVersion", ""), "finalizers": kept or None}}
    return Plan((Patch(seen.resource, key_of(seen.obj), patch, uid=uid_of(seen.obj)),))


def _items_of(resource: Resource, change: Change) -> Sequence[Item]:
    return (latest_item(resource, change),) if is_deleting(change.latest) else ()


def _items_of_pod(change: Change, listers: Listers) -> Sequence[Item]:
    """Return the claims that a pod has given up."""
    before = set(claims_of(change.old)) if change.old is not None else set()
    after = set(claims_of(change.new)) if change.new is not None else set()
    keys = [ObjectKey(*claim.split("/", 1)) for claim in sorted(before - after)]
    return [Item(PERSISTENT_VOLUME_CLAIMS.qualified, key) for key in keys]


def spec() -> ControllerSpec[ProtectedView]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="volume-protection",
        component="pvc-protection-controller",
        watches=(
            Watch(PERSISTENT_VOLUME_CLAIMS, lambda change, listers: _items_of(PERSISTENT_VOLUME_CLAIMS, change)),
            Watch(PERSISTENT_VOLUMES, lambda change, listers: _items_of(PERSISTENT_VOLUMES, change)),
            Watch(PODS, _items_of_pod),
        ),
        observe=observe,
        reconcile=reconcile,
        indexes=(Index(PODS, CLAIM, claims_of),),
    )
