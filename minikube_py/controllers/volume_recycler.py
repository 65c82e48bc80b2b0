"""Empties released volumes of the policy Recycle by a pod, and makes them available again.

The pod mounts the volume, deletes all that it holds and ends; what becomes of it decides about the volume. It is
known by its owner, the volume, so that another pod of its name proves nothing: such a one is deleted, as upstream
does with any. The pod is told to go before the volume is given away: whatever is interrupted, no later release takes
an old pod's word. A failed one stays for a while, which is the pace of trying again.

Upstream says of hostPath that this works on clusters of one node only, since its pod may land anywhere. Here the pod
goes where the volume's node affinity points.

Upstream: pv_controller.go recycleVolumeOperation, volume/plugins.go NewPersistentVolumeRecyclerPodTemplate,
volume/util/recyclerclient (the pod's Events are repeated on the volume).
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import (
    Obj,
    ObjectKey,
    annotations_of,
    is_deleting,
    key_of,
    metadata,
    name_of,
    namespace_of,
    uid_of,
)
from minikube_py.api.persistent_volumes import BOUND_BY_CONTROLLER, capacity_of, spec_of
from minikube_py.api.resources import PERSISTENT_VOLUMES, PODS
from minikube_py.client.events import EventType
from minikube_py.controllers.plan import (
    NOTHING,
    Action,
    Create,
    Delete,
    Patch,
    Plan,
    Record,
    RepeatEvents,
    Target,
    owner_reference,
)
from minikube_py.controllers.pod_state import phase_of
from minikube_py.controllers.timestamps import seconds_of
from minikube_py.controllers.volume_binder import volume_phase

NAME_PREFIX = "recycler-for-"
IMAGE = "registry.k8s.io/build-image/debian-base:bookworm-v1.0.2"
EVENTS_S = 5.0
"""The Events of a pod that runs, or cannot, are looked for this often."""
RETRY_S = 15.0
"""At least so long from one recycler pod to the next (upstream: --pvclaimbinder-sync-period)."""
GIB = 1 << 30
_SCRUB = 'find /scrub -mindepth 1 -maxdepth 1 -exec rm -rf -- {} + && test -z "$(ls -A /scrub)"'
"""What every image with a shell can do (upstream's `find -delete` is not in every busybox)."""
DEFAULT_TEMPLATE: Mapping[str, Any] = {
    "metadata": {"namespace": "default"},
    "spec": {
        "restartPolicy": "Never",
        "volumes": [{"name": "vol"}],
        "containers": [
            {
                "name": "pv-recycler",
                "image": IMAGE,
                "command": ["/bin/sh"],
                "args": ["-c", _SCRUB],
                "volumeMounts": [{"name": "vol", "mountPath": "/scrub"}],
            }
        ],
    },
}


@dataclass(frozen=True, slots=True)
class Recycler:
    """How volumes of one source are emptied."""

    source: str
    """`hostPath` or `nfs`."""
    minimum_timeout_s: int
    timeout_increment_s: int
    """For each GiB of the volume; the pod gets the greater of the two."""
    template: Mapping[str, Any]
    """A pod; its first volume is replaced by the volume's source."""

    def pod_key(self, volume: str) -> ObjectKey:
        """Return where the pod for a volume of that name is."""
        return ObjectKey(str(metadata(self.template).get("namespace") or "default"), NAME_PREFIX + volume)


@dataclass(frozen=True, slots=True)
class RecycleView:
    """A released volume of the policy Recycle, and what is being done about it."""

    volume: Obj
    recycler: Recycler | None
    """None: nobody here can empty such a volume."""
    pod: Obj | None
    """The pod of the recycler's name."""
    users: Sequence[str]
    """The pods (`namespace/name`) that still use the volume, which only one without protection can have."""


def recycle(seen: RecycleView, now_s: float) -> Plan:
    """Decide what is next."""
    volume, pod, recycler = seen.volume, seen.pod, seen.recycler
    if recycler is None:
        return Plan(fail(volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!", now_s))
    if seen.users:
        text = f"Volume is used by pods: {','.join(sorted(seen.users))}"
        return Plan((_say(volume, "Normal", "VolumeFailedRecycle", text),), requeue_after_s=RETRY_S)
    if pod is None:
        return Plan((Create(PODS, _pod(volume, recycler), exists_is_fine=True),))
    return NOTHING if is_deleting(pod) else _by_pod(volume, pod, now_s)


def _by_pod(volume: Obj, pod: Obj, now_s: float) -> Plan:
    if not any(owner.get("uid") == uid_of(volume) for owner in metadata(pod).get("ownerReferences") or ()):
        return Plan((_delete(pod),))
    if phase_of(pod) == "Succeeded":
        told = _say(volume, "Normal", "VolumeRecycled", "Volume recycled")
        return Plan((_repeat(volume, pod), _delete(pod), told, *unbind(volume, now_s)))
    if phase_of(pod) == "Failed":
        return _after_failure(volume, pod, now_s)
    return Plan((_repeat(volume, pod),), requeue_after_s=EVENTS_S)


def _after_failure(volume: Obj, pod: Obj, now_s: float) -> Plan:
    message = (pod.get("status") or {}).get("message") or "pod failed, pod.Status.Message unknown"
    failed = fail(volume, "VolumeFailedRecycle", f"Recycle failed: failed to recycle volume: {message}", now_s)
    waits_s = seconds_of(metadata(pod).get("creationTimestamp")) + RETRY_S - now_s
    if waits_s > 0:
        return Plan((_repeat(volume, pod), *failed), requeue_after_s=waits_s)
    return Plan((_repeat(volume, pod), *failed, _delete(pod)))


def unbind(volume: Obj, now_s: float) -> tuple[Action, ...]:
    """Take the claim off a volume, which is then there for others; one that was reserved by hand stays reserved."""
    by_us = BOUND_BY_CONTROLLER in annotations_of(volume)
    ref = None if by_us else {"uid": None, "resourceVersion": None}
    patch: Obj = {"spec": {"claimRef": ref}}
    if by_us:
        patch["metadata"] = {"annotations": {BOUND_BY_CONTROLLER: None}}
    done = Patch(PERSISTENT_VOLUMES, key_of(volume), patch, uid_of(volume))
    return (done, *volume_phase(volume, "Available", now_s))


def fail(volume: Obj, reason: str, message: str, now_s: float) -> tuple[Action, ...]:
    """Return what makes a volume Failed, and says why; nothing when that is known."""
    failed = volume_phase(volume, "Failed", now_s, (reason, message))
    return (*failed, _say(volume, "Warning", reason, message)) if failed else ()


def _pod(volume: Obj, recycler: Recycler) -> Obj:
    key = recycler.pod_key(name_of(volume))
    spec: Obj = copy.deepcopy(dict(spec_of(recycler.template)))
    spec["activeDeadlineSeconds"] = max(
        recycler.minimum_timeout_s, capacity_of(volume) // GIB * recycler.timeout_increment_s
    )
    source = spec_of(volume)[recycler.source]
    known = {field: source[field] for field in ("server", "path") if field in source}
    spec["volumes"][0] = {"name": spec["volumes"][0]["name"], recycler.source: known}
    required = (spec_of(volume).get("nodeAffinity") or {}).get("required")
    if required:
        spec["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    meta: Obj = {
        **metadata(recycler.template),
        "name": key.name,
        "namespace": key.namespace,
        "ownerReferences": [owner_reference(PERSISTENT_VOLUMES, volume)],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _repeat(volume: Obj, pod: Obj) -> RepeatEvents:
    return RepeatEvents(_target(pod), _as_involved(volume), "RecyclerPod", "Recycler pod: ")


def _delete(pod: Obj) -> Delete:
    return Delete(PODS, _target(pod))


def _target(pod: Obj) -> Target:
    return Target(ObjectKey(namespace_of(pod), name_of(pod)), uid_of(pod))


def _say(volume: Obj, kind: EventType, reason: str, message: str) -> Record:
    return Record(_as_involved(volume), kind, reason, message)


def _as_involved(volume: Obj) -> Obj:
    return {**volume, "apiVersion": "v1", "kind": "PersistentVolume"}
