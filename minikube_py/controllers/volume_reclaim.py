"""What becomes of volumes: available, bound, released when their claim is gone, and then kept or deleted.

A volume that a provisioner made is deleted by that provisioner (for `local-path`: by the kubelet of its node). Of
those made by hand with policy Delete only a hostPath below /tmp is deleted with its directory, on the master's
machine, as upstream does for tests; the others fail, since what they lead to is not this program's to delete. Those
with policy Recycle are emptied by a pod (volume_recycler). A released volume stays reserved for the claim that had
it, so that nobody else gets it.

Upstream: pv_controller.go syncVolume, reclaimVolume.
"""

from dataclasses import dataclass

from minikube_py.api.meta import Obj, annotations_of, is_deleting, key_of, name_of, uid_of
from minikube_py.api.persistent_volumes import PROVISIONED_BY, phase_of, spec_of
from minikube_py.api.resources import PERSISTENT_VOLUMES
from minikube_py.controllers.plan import (
    NOTHING,
    Action,
    Delete,
    Plan,
    RemoveDirectory,
    Target,
)
from minikube_py.controllers.volume_binder import volume_phase
from minikube_py.controllers.volume_recycler import RecycleView, fail, recycle, unbind


@dataclass(frozen=True, slots=True)
class VolumeView:
    """One volume, and the claim that its claimRef names."""

    volume: Obj
    claim: Obj | None
    recycling: RecycleView | None = None
    """Of a volume with the policy Recycle."""


def reconcile_volume(seen: VolumeView, now_s: float) -> Plan:
    """Decide about a volume."""
    volume, ref = seen.volume, spec_of(seen.volume).get("claimRef")
    if not ref or not ref.get("uid"):
        return Plan(volume_phase(volume, "Available", now_s))
    claim = seen.claim if seen.claim is not None and uid_of(seen.claim) == ref["uid"] else None
    if claim is None:
        return _released(seen, now_s)
    named = spec_of(claim).get("volumeName")
    if named == name_of(volume):
        return Plan(volume_phase(volume, "Bound", now_s))
    if not named:
        return NOTHING
    return Plan(_let_go(volume, now_s))


def _let_go(volume: Obj, now_s: float) -> tuple[Action, ...]:
    """Take a claim that is bound elsewhere off the volume."""
    if PROVISIONED_BY in annotations_of(volume) and spec_of(volume).get("persistentVolumeReclaimPolicy") == "Delete":
        return volume_phase(volume, "Released", now_s)
    return unbind(volume, now_s)


def _released(seen: VolumeView, now_s: float) -> Plan:
    volume, has_failed = seen.volume, phase_of(seen.volume) == "Failed"
    if not has_failed and phase_of(volume) != "Released":
        # One step at a time: the next look goes on from a volume that everybody sees to be released.
        return Plan(volume_phase(volume, "Released", now_s))
    if seen.recycling is not None and not is_deleting(volume):
        return recycle(seen.recycling, now_s)
    by_hand = PROVISIONED_BY not in annotations_of(volume)
    if not has_failed and by_hand and spec_of(volume).get("persistentVolumeReclaimPolicy") == "Delete":
        return Plan(_delete(volume, now_s))
    return NOTHING


def _delete(volume: Obj, now_s: float) -> tuple[Action, ...]:
    host_path = spec_of(volume).get("hostPath")
    if host_path is None:
        why = (
            f'error getting deleter volume plugin for volume "{name_of(volume)}": no deletable volume plugin matched'
        )
        return fail(volume, "VolumeFailedDelete", why, now_s)
    path = str(host_path.get("path") or "")
    _, top, *below = path.split("/") if path.count("/") > 1 else ("", "", "")
    if top != "tmp" or set(below) <= {"", "."} or ".." in below:
        why = f"host_path deleter only supports /tmp/.+ but received provided {path}"
        return fail(volume, "VolumeFailedDelete", why, now_s)
    return (RemoveDirectory(path), Delete(PERSISTENT_VOLUMES, Target(key_of(volume), uid_of(volume))))
