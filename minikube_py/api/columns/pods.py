"""Columns of Pod: one word for the state of a pod out of its phase, its containers and its deletion.

Which word wins, from weak to strong: the phase; status.reason; SchedulingGated; the first init container that is not
done; the containers, backwards; Running for pods in which something still runs; and the deletion.

Upstream: printers/internalversion printPod.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from minikube_py.api.columns.ages import AGE, NAME, NONE, since
from minikube_py.api.columns.workloads import spec_of, status_of
from minikube_py.api.meta import Obj, is_deleting
from minikube_py.api.resource import Column

_TERMINAL = ("Succeeded", "Failed")
_COMPLETED: Mapping[str, tuple[Obj, ...]] = {
    "Succeeded": (
        {
            "type": "Completed",
            "status": "True",
            "reason": "Succeeded",
            "message": "The pod has completed successfully.",
        },
    ),
    "Failed": ({"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."},),
}


@dataclass(frozen=True, slots=True)
class _Restarts:
    """How often containers started again, and when last (empty: never)."""

    count: int = 0
    last: str = ""

    def plus(self, status: Mapping[str, Any]) -> "_Restarts":
        ended = ((status.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""
        return _Restarts(self.count + int(status.get("restartCount", 0)), max(self.last, ended))


_NEVER = _Restarts()


class _Summary(NamedTuple):
    """What the first columns say of a pod."""

    ready: int
    total: int
    reason: str
    restarts: _Restarts


@dataclass(frozen=True, slots=True)
class _InitSummary:
    """What the init containers say: `reason` is empty when all that must end have ended."""

    reason: str
    ready: int
    restarts: _Restarts
    sidecar_restarts: _Restarts


_NO_INIT = _InitSummary("", 0, _NEVER, _NEVER)


def _sidecars(pod: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the init containers that keep running."""
    inits = spec_of(pod).get("initContainers")
    return frozenset(c["name"] for c in inits if c.get("restartPolicy") == "Always") if inits else frozenset()


def _ended(prefix: str, terminated: Mapping[str, Any]) -> str:
    if terminated.get("reason"):
        return prefix + str(terminated["reason"])
    if terminated.get("signal"):
        return f"{prefix}Signal:{terminated['signal']}"
    return f"{prefix}ExitCode:{terminated.get('exitCode', 0)}"


def _init_reason(index: int, total: int, state: Mapping[str, Any]) -> str:
    terminated, waiting = state.get("terminated"), state.get("waiting") or {}
    if terminated is not None:
        return _ended("Init:", terminated)
    if waiting.get("reason", "") not in ("", "PodInitializing"):
        return f"Init:{waiting['reason']}"
    return f"Init:{index}/{total}"


def _summarize_init(pod: Mapping[str, Any]) -> _InitSummary:
    statuses = status_of(pod).get("initContainerStatuses")
    if not statuses:
        return _NO_INIT
    sidecars = _sidecars(pod)
    restarts, sidecar_restarts, ready, reason = _NEVER, _NEVER, 0, ""
    for index, status in enumerate(statuses):
        state, is_sidecar = status.get("state") or {}, status.get("name") in sidecars
        restarts = restarts.plus(status)
        if is_sidecar:
            sidecar_restarts = sidecar_restarts.plus(status)
        terminated = state.get("terminated")
        if terminated is not None and terminated.get("exitCode", 0) == 0:
            continue
        if is_sidecar and status.get("started"):
            ready += bool(status.get("ready"))
            continue
        reason = _init_reason(index, len(spec_of(pod).get("initContainers") or ()), state)
        break
    return _InitSummary(reason, ready, restarts, sidecar_restarts)


def _condition(pod: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    for condition in status_of(pod).get("conditions") or ():
        if condition.get("type") == kind:
            found: Mapping[str, Any] = condition
            return found
    return {}


def _summarize_containers(pod: Mapping[str, Any], before: _Summary) -> _Summary:
    ready, reason, restarts, running = before.ready, before.reason, before.restarts, False
    for status in reversed(status_of(pod).get("containerStatuses") or ()):
        restarts = restarts.plus(status)
        state = status.get("state") or {}
        waiting, terminated = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif terminated is not None:
            reason = _ended("", terminated)
        elif status.get("ready") and state.get("running") is not None:
            running = True
            ready += 1
    if reason == "Completed" and running:
        reason = "Running" if _condition(pod, "Ready").get("status") == "True" else "NotReady"
    return _Summary(ready, before.total, reason, restarts)


def _summarize(pod: Mapping[str, Any]) -> _Summary:
    status = status_of(pod)
    phase = str(status.get("phase", ""))
    reason = str(status.get("reason") or phase)
    if _condition(pod, "PodScheduled").get("reason") == "SchedulingGated":
        reason = "SchedulingGated"
    init = _summarize_init(pod)
    total = len(spec_of(pod).get("containers") or ()) + len(_sidecars(pod))
    if not init.reason or _condition(pod, "Initialized").get("status") == "True":
        before = _Summary(init.ready, total, init.reason or reason, init.sidecar_restarts)
        summary = _summarize_containers(pod, before) if status.get("containerStatuses") else before
    else:
        summary = _Summary(init.ready, total, init.reason, init.restarts)
    if not is_deleting(pod):
        return summary
    if status.get("reason") == "NodeLost":
        return _Summary(summary.ready, total, "Unknown", summary.restarts)
    if phase not in _TERMINAL:
        return _Summary(summary.ready, total, "Terminating", summary.restarts)
    return summary


def _restarts(summary: _Summary, wall_s: float) -> str:
    restarts = summary.restarts
    if restarts.count and restarts.last:
        return f"{restarts.count} ({since(restarts.last, wall_s)} ago)"
    return str(restarts.count)


def first_ip(pod: Mapping[str, Any]) -> str:
    """Return a pod's first address, or an empty text."""
    addresses = status_of(pod).get("podIPs") or ()
    return (addresses[0].get("ip") if addresses else status_of(pod).get("podIP")) or ""


def _ip(pod: Mapping[str, Any], _: float) -> str:
    return first_ip(pod) or NONE


def _readiness_gates(pod: Mapping[str, Any], _: float) -> str:
    gates = [gate["conditionType"] for gate in spec_of(pod).get("readinessGates") or ()]
    if not gates:
        return NONE
    passed = sum(_condition(pod, gate).get("status") == "True" for gate in gates)
    return f"{passed}/{len(gates)}"


def pod_row_conditions(pod: Mapping[str, Any]) -> tuple[Obj, ...]:
    """Return the row's Completed condition for pods that ended, nothing for others."""
    return _COMPLETED.get(status_of(pod).get("phase", ""), ())


POD_COLUMNS = (
    NAME,
    Column(
        "Ready",
        lambda summary, _: f"{summary.ready}/{summary.total}",
        description="How many of the pod's containers are ready.",
        of=_summarize,
    ),
    Column(
        "Status", lambda summary, _: summary.reason, description="The state of the pod in one word.", of=_summarize
    ),
    Column(
        "Restarts",
        _restarts,
        description="How often containers of the pod started again, and when last.",
        of=_summarize,
    ),
    AGE,
    Column("IP", _ip, description="The pod's primary address.", priority=1),
    Column(
        "Node",
        lambda pod, _: spec_of(pod).get("nodeName") or NONE,
        description="The node that the pod is bound to.",
        priority=1,
    ),
    Column(
        "Nominated Node",
        lambda pod, _: status_of(pod).get("nominatedNodeName") or NONE,
        description="The node on which room is being made for the pod.",
        priority=1,
    ),
    Column(
        "Readiness Gates",
        _readiness_gates,
        description="How many of the pod's readiness gates are passed.",
        priority=1,
    ),
)
