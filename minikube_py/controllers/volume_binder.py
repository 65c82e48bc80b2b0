"""Binds claims to volumes: one volume, one claim, each pointing at the other, whatever fails in between.

A binding is four writes, in this order: the volume's claimRef, the volume's phase, the claim's volumeName with the
mark bind-completed, the claim's phase. Each can be the last before a crash; the next look goes on from there, since a
volume whose claimRef means a claim is that claim's. A claim that was bound and lost its volume is Lost for good.

Claims of a class that waits for its first consumer are left to the scheduler, until it has chosen a volume or a node.
A claim that said nothing about a class gets the default one as soon as there is one.

Upstream: pkg/controller/volume/persistentvolume (pv_controller.go).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import Obj, annotations_of, format_time, is_deleting, key_of, name_of, namespace_of, uid_of
from minikube_py.api.persistent_volumes import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    NO_PROVISIONER,
    SELECTED_NODE,
    STORAGE_PROVISIONER,
    class_of,
    find_volume,
    has_class_field,
    is_bound,
    is_reserved_for,
    misfit,
    phase_of,
    spec_of,
    waits_for_consumer,
)
from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
from minikube_py.client.events import EventType
from minikube_py.controllers.plan import NOTHING, Action, Patch, Plan, Record

YES = "yes"
_OLD_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One claim, and what it may be bound to."""

    claim: Obj
    named: Obj | None
    """The volume that the claim names."""
    volumes: tuple[Obj, ...]
    storage_class: Obj | None
    default_class: str
    """The name of the default class; empty when there is none."""


def reconcile_claim(seen: ClaimView, now_s: float) -> Plan:
    """Decide about a claim."""
    if is_bound(seen.claim) or BIND_COMPLETED in annotations_of(seen.claim):
        return _keep_bound(seen, now_s)
    if spec_of(seen.claim).get("volumeName"):
        return _bind_named(seen, now_s)
    if is_deleting(seen.claim):
        return NOTHING
    if not has_class_field(seen.claim) and seen.default_class:
        patch = {"spec": {"storageClassName": seen.default_class}}
        return Plan((_patch_claim(seen.claim, patch),))
    delayed = waits_for_consumer(seen.storage_class)
    volume = find_volume(seen.claim, seen.volumes, only_reserved=delayed)
    if volume is not None:
        return Plan(bind(volume, seen.claim, now_s))
    waits = delayed and SELECTED_NODE not in annotations_of(seen.claim)
    return Plan((*_set_phase(seen.claim, "Pending"), *_why_unbound(seen, waits=waits)))


def _why_unbound(seen: ClaimView, *, waits: bool) -> tuple[Action, ...]:
    claim, name = seen.claim, class_of(seen.claim)
    if waits:
        return (_say(claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding"),)
    if not name:
        why = "no persistent volumes available for this claim and no storage class is set"
        return (_say(claim, "FailedBinding", why),)
    if seen.storage_class is None:
        return (_say(claim, "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found', "Warning"),)
    provisioner = str(seen.storage_class.get("provisioner") or "")
    if provisioner == NO_PROVISIONER:
        return (_say(claim, "ProvisioningFailed", f"no volume plugin matched name: {provisioner}", "Warning"),)
    actions: list[Action] = []
    if annotations_of(claim).get(STORAGE_PROVISIONER) != provisioner:
        marks = {STORAGE_PROVISIONER: provisioner, _OLD_PROVISIONER: provisioner}
        actions.append(_patch_claim(claim, {"metadata": {"annotations": marks}}))
    why = (
        f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the "
        "system administrator. If volume creation is delayed, please verify that the provisioner is running and "
        "correctly registered."
    )
    return (*actions, _say(claim, "ExternalProvisioning", why))


def _bind_named(seen: ClaimView, now_s: float) -> Plan:
    claim, volume = seen.claim, seen.named
    pending = _set_phase(claim, "Pending")
    if volume is None:
        return Plan(pending)
    if spec_of(volume).get("claimRef") and not is_reserved_for(volume, claim):
        name, ref = name_of(volume), spec_of(volume)["claimRef"]
        why = f'volume "{name}" already bound to a different claim: {ref.get("namespace")}/{ref.get("name")}.'
        return Plan((*pending, _say(claim, "FailedBinding", why, "Warning")))
    if not spec_of(volume).get("claimRef") and (why := misfit(volume, claim)):
        text = f'Cannot bind to requested volume "{name_of(volume)}": {why}'
        return Plan((*pending, _say(claim, "VolumeMismatch", text, "Warning")))
    return Plan(bind(volume, claim, now_s))


def _keep_bound(seen: ClaimView, now_s: float) -> Plan:
    claim, volume = seen.claim, seen.named
    if not spec_of(claim).get("volumeName"):
        return _lose(
            claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
        )
    if volume is None:
        return _lose(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
    ref = spec_of(volume).get("claimRef")
    if ref and ref.get("uid") != uid_of(claim) and not is_reserved_for(volume, claim):
        why = "Two claims are bound to the same volume, this one is bound incorrectly"
        return _lose(claim, "ClaimMisbound", why)
    return Plan(bind(volume, claim, now_s))


def _lose(claim: Obj, reason: str, message: str) -> Plan:
    if phase_of(claim) == "Lost":
        return NOTHING
    return Plan((*_set_phase(claim, "Lost"), _say(claim, reason, message, "Warning")))


def bind(volume: Obj, claim: Obj, now_s: float) -> tuple[Action, ...]:
    """Return what is left to do until volume and claim are each other's; nothing when they are."""
    return (*_bind_volume(volume, claim), *volume_phase(volume, "Bound", now_s), *_bind_claim(volume, claim))


def _bind_volume(volume: Obj, claim: Obj) -> tuple[Action, ...]:
    ref = spec_of(volume).get("claimRef") or {}
    if ref.get("uid") == uid_of(claim) and ref.get("name") == name_of(claim):
        return ()
    meta = claim["metadata"]
    wanted = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "namespace": namespace_of(claim),
        "name": name_of(claim),
        "uid": uid_of(claim),
        "resourceVersion": meta.get("resourceVersion"),
    }
    head: Obj = {"resourceVersion": volume["metadata"]["resourceVersion"]}
    if not ref:
        # A volume that somebody reserved for the claim stays reserved when the binding is undone.
        head["annotations"] = {BOUND_BY_CONTROLLER: YES}
    patch = {"metadata": head, "spec": {"claimRef": wanted}}
    return (Patch(PERSISTENT_VOLUMES, key_of(volume), patch, uid_of(volume)),)


def _bind_claim(volume: Obj, claim: Obj) -> tuple[Action, ...]:
    actions: list[Action] = []
    named = spec_of(claim).get("volumeName")
    if named != name_of(volume) or BIND_COMPLETED not in annotations_of(claim):
        marks = {BIND_COMPLETED: YES} if named else {BIND_COMPLETED: YES, BOUND_BY_CONTROLLER: YES}
        patch = {"metadata": {"annotations": marks}, "spec": {"volumeName": name_of(volume)}}
        actions.append(_patch_claim(claim, patch))
    modes, capacity = spec_of(volume).get("accessModes"), spec_of(volume).get("capacity")
    status = claim.get("status") or {}
    if phase_of(claim) != "Bound" or status.get("accessModes") != modes or not status.get("capacity"):
        new = {"phase": "Bound", "accessModes": modes, "capacity": capacity}
        actions.append(_patch_claim(claim, {"status": new}, "status"))
    return tuple(actions)


def volume_phase(volume: Obj, phase: str, now_s: float, why: tuple[str, str] = ("", "")) -> tuple[Action, ...]:
    """Return the write of a volume's phase, nothing when it has it; `why`: reason and message of a failure."""
    reason, message = why
    status = volume.get("status") or {}
    if phase_of(volume) == phase and (status.get("message") or "") == message:
        return ()
    new: Mapping[str, Any] = {
        "phase": phase,
        "reason": reason or None,
        "message": message or None,
        "lastPhaseTransitionTime": format_time(now_s),
    }
    return (Patch(PERSISTENT_VOLUMES, key_of(volume), {"status": new}, uid_of(volume), subresource="status"),)


def _set_phase(claim: Obj, phase: str) -> tuple[Action, ...]:
    if phase_of(claim) == phase:
        return ()
    return (_patch_claim(claim, {"status": {"phase": phase}}, "status"),)


def _patch_claim(claim: Obj, patch: Obj, subresource: str = "") -> Patch:
    return Patch(PERSISTENT_VOLUME_CLAIMS, key_of(claim), patch, uid_of(claim), subresource=subresource)


def _say(claim: Obj, reason: str, message: str, kind: EventType = "Normal") -> Record:
    return Record({**claim, "apiVersion": "v1", "kind": "PersistentVolumeClaim"}, kind, reason, message)
