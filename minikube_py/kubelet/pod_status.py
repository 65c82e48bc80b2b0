"""The status of a pod: phase, conditions, container statuses, addresses; a pure function of what was observed.

Phase (upstream getPhase): Failed when an init container failed and may not try again; Pending while initialization
goes on or a regular container was never made; Running while one runs or will run again; Succeeded or Failed when all
have ended for good. A terminal phase never changes any more. A pod that was killed ends Succeeded only if every
regular container ended with 0.

Upstream: kubelet_pods.go generateAPIPodStatus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from minikube_py.api.meta import Obj, format_time
from minikube_py.kubelet.container_status import GONE, WaitingReason, container_statuses
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_actions import ProbeLookup
from minikube_py.kubelet.pod_conditions import OWNED, pod_conditions, with_times
from minikube_py.kubelet.pod_runtime_status import PodRuntimeStatus
from minikube_py.kubelet.resources import qos_class

TERMINAL = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class PodFailure:
    """Why the node gave the whole pod up: DeadlineExceeded, Evicted, OutOfcpu, NodePorts, ..."""

    reason: str
    message: str
    disruption: bool = False
    """The node made the pod go to save itself: the condition DisruptionTarget says so."""
    rejected: bool = False
    """The node never took the pod: nothing of it was made, and the status says nothing of containers."""


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """What a status is made from, besides the pod and the runtime's records."""

    host_ip: str
    pod_ip: str
    now_wall_s: float
    start_time_s: float
    """When this kubelet first saw the pod."""
    previous: Obj
    """The status that was written last, or that the API holds."""
    waiting: Mapping[str, WaitingReason] = field(default_factory=dict)
    failure: PodFailure | None = None
    blocked: PodFailure | None = None
    """Why the node does not start the pod now, though it may later (AppArmor)."""
    resize: Sequence[Obj] = ()
    """The conditions of a resize, without times."""
    ended: bool = False
    """The pod was killed for good and none of its containers is left running: the phase must be terminal."""


def generate_pod_status(pod: Pod, status: PodRuntimeStatus, probe: ProbeLookup, facts: StatusFacts) -> Obj:
    """Return the whole `status` of a pod."""
    previous = facts.previous
    if facts.failure is not None and facts.failure.rejected:
        return _rejected(pod, facts, facts.failure)
    init = container_statuses(pod, pod.init_containers, status, facts.waiting, probe, previous)
    regular = container_statuses(pod, pod.containers, status, facts.waiting, probe, previous)
    ephemeral = container_statuses(pod, pod.ephemeral_containers, status, facts.waiting, probe, previous)
    if facts.ended:
        for entry in init + regular + ephemeral:
            _settle(entry)
    phase = _phase(pod, init, regular, facts)
    old_conditions: Sequence[Mapping[str, Any]] = previous.get("conditions") or ()
    sandbox = status.sandbox
    conditions = pod_conditions(
        pod,
        phase,
        init,
        regular,
        sandbox_ready=sandbox is not None and sandbox.ready and bool(facts.pod_ip),
        others=[c for c in old_conditions if c["type"] not in OWNED],
    )
    if facts.failure is not None and facts.failure.disruption:
        conditions.append(_disruption(facts.failure))
    conditions = [*facts.resize, *conditions]
    now = format_time(facts.now_wall_s)
    result: Obj = {}
    if pod.generation:
        result["observedGeneration"] = pod.generation
    result["phase"] = phase
    result["conditions"] = with_times(conditions, old_conditions, now, pod.generation)
    result |= _reason(facts, previous)
    result |= _addresses(facts, previous)
    result["startTime"] = previous.get("startTime") or format_time(facts.start_time_s)
    if init:
        result["initContainerStatuses"] = init
    result["containerStatuses"] = regular
    if ephemeral:
        result["ephemeralContainerStatuses"] = ephemeral
    result["qosClass"] = previous.get("qosClass") or qos_class(pod)
    return result


def _rejected(pod: Pod, facts: StatusFacts, failure: PodFailure) -> Obj:
    """Return the status of a pod that the node does not take (upstream: rejectPod)."""
    result: Obj = {"observedGeneration": pod.generation} if pod.generation else {}
    start = facts.previous.get("startTime") or format_time(facts.start_time_s)
    quality = facts.previous.get("qosClass") or qos_class(pod)
    said = {"reason": failure.reason, "message": failure.message}
    return {**result, "phase": "Failed", **said, "startTime": start, "qosClass": quality}


def _disruption(failure: PodFailure) -> Obj:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}
    return {**condition, "message": failure.message}


def _settle(entry: Obj) -> None:
    """Turn what a dead container is said to do into an end, since nothing of the pod runs any more."""
    if "terminated" in entry["state"]:
        return
    ended = (entry.get("lastState") or {}).get("terminated")
    never_made = "containerID" not in entry and ended is None
    if "waiting" in entry["state"] and not never_made and ended is not None:
        entry["state"] = {"terminated": ended}
    elif not never_made:
        entry["state"] = {"terminated": {**GONE, "containerID": entry.get("containerID", "")}}
    entry["ready"] = entry["started"] = False


def _reason(facts: StatusFacts, previous: Obj) -> Obj:
    said = facts.failure or facts.blocked
    if said is not None:
        return {"reason": said.reason, "message": said.message}
    if previous.get("phase") in TERMINAL:
        return {k: previous[k] for k in ("reason", "message") if previous.get(k)}
    return {}


def _addresses(facts: StatusFacts, previous: Obj) -> Obj:
    result: Obj = {"hostIP": facts.host_ip, "hostIPs": [{"ip": facts.host_ip}]}
    # The address of a pod that is over stays readable, as upstream keeps it.
    pod_ip = facts.pod_ip or previous.get("podIP") or ""
    if pod_ip:
        result["podIP"] = pod_ip
        result["podIPs"] = [{"ip": pod_ip}]
    return result


def _phase(
    pod: Pod, init: Sequence[Mapping[str, Any]], regular: Sequence[Mapping[str, Any]], facts: StatusFacts
) -> str:
    before = facts.previous.get("phase")
    if before in TERMINAL:
        return str(before)
    if facts.failure is not None:
        return "Failed"
    pending, failed = _count_init(pod, init, regular)
    if failed:
        return "Failed"
    if facts.ended:
        done = bool(regular) and all(_exit_code(entry) == 0 for entry in regular)
        return "Succeeded" if done else "Failed"
    return "Pending" if pending else _running_phase(pod, regular)


def _running_phase(pod: Pod, regular: Sequence[Mapping[str, Any]]) -> str:
    by_name = {c.name: c for c in pod.containers}
    never_ran = alive = 0
    codes: list[int] = []
    for entry in regular:
        code = _exit_code(entry)
        if "running" in entry["state"]:
            alive += 1
        elif code is None:
            never_ran += 1
        else:
            codes.append(code)
            alive += by_name[entry["name"]].restarts_after(code, pod.restart_policy)
    if never_ran or not regular:
        return "Pending"
    if alive:
        return "Running"
    return "Failed" if any(codes) else "Succeeded"


def _count_init(pod: Pod, init: Sequence[Mapping[str, Any]], regular: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Return how many init containers are still to end (sidecars: to start), and how many have failed for good."""
    by_name = {c.name: c for c in pod.init_containers}
    initialized = any("containerID" in entry for entry in regular)
    pending = failed = 0
    for entry in init:
        container = by_name[entry["name"]]
        if container.is_sidecar:
            pending += not initialized and not entry.get("started")
            continue
        code = _exit_code(entry)
        if code is None:
            pending += not initialized
        elif code:
            failed += not container.restarts_after(code, pod.restart_policy)
            pending += 1
    return pending, failed


def _exit_code(entry: Mapping[str, Any]) -> int | None:
    state = entry["state"]
    ended = state.get("terminated")
    if ended is None and "waiting" in state:
        ended = (entry.get("lastState") or {}).get("terminated")
    return None if ended is None else int(ended["exitCode"])


def status_patch(new: Mapping[str, Any], old: Mapping[str, Any]) -> Obj:
    """Return what a merge patch must carry to turn `old` into `new`; empty when nothing differs.

    Conditions are one list for a merge patch: those of others are carried over from `old`.
    """
    wanted = dict(new)
    ours = {*OWNED, *(c["type"] for c in new.get("conditions") or ())}
    foreign = [c for c in old.get("conditions") or () if c["type"] not in ours]
    wanted["conditions"] = list(new.get("conditions") or ()) + foreign
    if not wanted["conditions"]:
        del wanted["conditions"]
    patch: Obj = {k: v for k, v in wanted.items() if old.get(k) != v}
    for stale in ("reason", "message", "podIP", "podIPs", "conditions"):
        if old.get(stale) and stale not in wanted:
            patch[stale] = None
    return patch
