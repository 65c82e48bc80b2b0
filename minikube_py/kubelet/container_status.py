"""The `containerStatuses` of a pod: what each container does, did last, and waits for.

A container that does not run and will be started again shows the error of its last start as `waiting`, and its last
end moves to `lastState`. What the runtime no longer has comes from the status that the API holds: restart counts
never go back, and a container that vanished while it was said to run is shown as ended in an unknown way.

Upstream: kubelet_pods.go convertToAPIContainerStatuses and prober_manager.go UpdatePodStatus.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import Obj, format_time
from minikube_py.kubelet.container import Container, VolumeMount
from minikube_py.kubelet.cri import ContainerPhase, ContainerRecord
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_actions import ProbeLookup, should_restart
from minikube_py.kubelet.pod_resize import shown_resources
from minikube_py.kubelet.pod_runtime_status import PodRuntimeStatus, restart_count_of
from minikube_py.kubelet.probes import ProbeResult

CONTAINER_ID_PREFIX = "docker://"

GONE = {
    "exitCode": 137,
    "reason": "ContainerStatusUnknown",
    "message": "The container could not be located when the pod was terminated",
    "startedAt": None,
    "finishedAt": None,
}


@dataclass(frozen=True, slots=True)
class WaitingReason:
    """Why the last try to start a container did not go through: `reason` is one word for programs."""

    reason: str
    message: str


_OF_A_RUN = ("state", "lastState", "restartCount", "imageID", "containerID")
"""What a container status says of one run."""


def container_statuses(
    pod: Pod,
    containers: tuple[Container, ...],
    status: PodRuntimeStatus,
    waiting: Mapping[str, WaitingReason],
    probe: ProbeLookup,
    previous: Obj,
) -> list[Obj]:
    """Return the statuses of the init, the regular or the ephemeral containers, in their order.

    Args:
        pod: the pod.
        containers: which of its containers.
        status: what the runtime has.
        waiting: the errors of the last tries to start, by container name.
        probe: the probes' results.
        previous: the pod's status as the API (or the last write) has it.
    """
    known = {
        entry["name"]: entry
        for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
        for entry in previous.get(field) or ()
    }
    return [
        _status(pod, container, status, waiting.get(container.name), probe, known.get(container.name) or {})
        for container in containers
    ]


def _status(
    pod: Pod,
    container: Container,
    status: PodRuntimeStatus,
    waiting: WaitingReason | None,
    probe: ProbeLookup,
    known: Obj,
) -> Obj:
    runs = status.runs(container.name)
    run = runs[0] if runs else None
    entry = _entry(pod, container, known) if run is None else _entry_of_run(container, run, known)
    if len(runs) > 1 and runs[1].phase is ContainerPhase.EXITED:
        entry["lastState"] = {"terminated": terminated_state(runs[1])}
    if waiting is not None and (run is None or should_restart(pod, container, run)):
        ended = entry["state"].get("terminated")
        if ended:
            entry["lastState"] = {"terminated": ended}
        entry["state"] = {"waiting": _waiting(waiting)}
    entry |= _ended_for_good(pod, container, entry, known)
    entry["started"], entry["ready"] = _health(container, run, entry, probe)
    return entry | _given(container, run)


def _ended_for_good(pod: Pod, container: Container, entry: Obj, known: Obj) -> Obj:
    """Return what stays of the last status of an init container that runs once more in a new sandbox.

    It shows as ended until it has ended again: the API server takes nothing else for a container that its pod's
    policy starts no more (upstream's kubelet gives up the whole update: checkContainerStateTransition).
    """
    ended = (known.get("state") or {}).get("terminated")
    if not ended or "terminated" in entry["state"]:
        return {}
    if container.restarts_after(int(ended["exitCode"]), pod.restart_policy):
        return {}
    return {key: known[key] for key in _OF_A_RUN if key in known}


def _given(container: Container, run: ContainerRecord | None) -> Obj:
    """Return what the container was given: resources, mounts, its user."""
    given: Obj = {}
    if container.kind != "ephemeral":
        if container.requests:
            given["allocatedResources"] = dict(container.requests)
        given["resources"] = shown_resources(container, run)
    if container.volume_mounts:
        given["volumeMounts"] = [_mounted(mount) for mount in container.volume_mounts]
    if run is not None and run.user is not None:
        user = run.user
        given["user"] = {
            "linux": {"uid": user.uid, "gid": user.gid, "supplementalGroups": list(user.groups) or [user.gid]}
        }
    if run is not None and container.stop_signal:
        given["stopSignal"] = container.stop_signal
    return given


def _mounted(mount: VolumeMount) -> Obj:
    shown: Obj = {"name": mount.name, "mountPath": mount.mount_path}
    if mount.read_only:
        shown |= {"readOnly": True, "recursiveReadOnly": "Disabled"}
    return shown


def _waiting(reason: WaitingReason) -> Obj:
    return {"reason": reason.reason, "message": reason.message} if reason.message else {"reason": reason.reason}


def _entry(pod: Pod, container: Container, known: Obj) -> Obj:
    """Return the entry of a container of which the runtime has nothing."""
    initializing = bool(pod.init_containers) and container.kind != "ephemeral"
    entry: Obj = {
        "name": container.name,
        "state": {"waiting": {"reason": "PodInitializing" if initializing else "ContainerCreating"}},
        "lastState": known.get("lastState") or {},
        "ready": False,
        "restartCount": int(known.get("restartCount") or 0),
        "image": container.image,
        "imageID": "",
    }
    state = known.get("state") or {}
    if "terminated" in state:
        # The runtime forgot it (garbage collection); what was reported stays true.
        return {**entry, **{k: known[k] for k in ("state", "image", "imageID", "containerID") if k in known}}
    if "running" in state:
        entry["lastState"] = {"terminated": {**GONE, "containerID": known.get("containerID", "")}}
        entry["restartCount"] += 1
    return entry


def _entry_of_run(container: Container, run: ContainerRecord, known: Obj) -> Obj:
    state: Obj
    if run.phase is ContainerPhase.RUNNING:
        state = {"running": {"startedAt": format_time(run.started_at_s)}}
    elif run.phase is ContainerPhase.EXITED:
        state = {"terminated": terminated_state(run)}
    else:
        state = {"waiting": {"reason": "ContainerCreating"}}
    same_run = known.get("containerID") == CONTAINER_ID_PREFIX + run.id
    last_state = known.get("lastState") or {}
    ended_before = (known.get("state") or {}).get("terminated")
    if not same_run and ended_before:
        last_state = {"terminated": ended_before}
    return {
        "name": container.name,
        "state": state,
        "lastState": last_state,
        "ready": False,
        "restartCount": max(restart_count_of(run), int(known.get("restartCount") or 0) if same_run else 0),
        "image": run.image or container.image,
        "imageID": run.image_id,
        "containerID": CONTAINER_ID_PREFIX + run.id,
    }


def terminated_state(run: ContainerRecord) -> Obj:
    """Return the `terminated` state of a run that ended."""
    state: Obj = {
        "exitCode": run.exit_code,
        "reason": run.reason or ("Completed" if run.exit_code == 0 else "Error"),
        "startedAt": format_time(run.started_at_s or run.created_at_s),
        "finishedAt": format_time(run.finished_at_s or run.created_at_s),
        "containerID": CONTAINER_ID_PREFIX + run.id,
    }
    if run.message:
        state["message"] = run.message
    return state


def _health(container: Container, run: ContainerRecord | None, entry: Obj, probe: ProbeLookup) -> tuple[bool, bool]:
    """Return (started, ready)."""
    if container.kind == "init" and not container.is_sidecar:
        ended: Mapping[str, Any] = entry["state"].get("terminated") or {"exitCode": -1}
        return "running" in entry["state"], ended["exitCode"] == 0
    if run is None or "running" not in entry["state"]:
        return False, False
    started = container.startup is None or probe(run, "startup") is ProbeResult.SUCCESS
    ready = started and (container.readiness is None or probe(run, "readiness") is ProbeResult.SUCCESS)
    return started, ready
