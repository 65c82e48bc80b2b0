"""The state of one probe: when to run it, and when its outcome counts.

One machine for each (pod, container, kind), fed with what is observed; it holds no timer. A new run of the container
(another container id) starts it afresh: readiness from failure, liveness from success, startup from unknown. Liveness
and readiness rest until the startup probe has succeeded; the startup probe rests from then on; liveness and startup
rest when the pod is being deleted and after they have given a container up, until its next run.

Upstream: kubelet prober/worker.go doProbe.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

from minikube_py.kubelet.cri import ContainerId, ContainerPhase, ContainerRecord
from minikube_py.kubelet.handlers import Probe

ProbeKind = Literal["startup", "liveness", "readiness"]
PROBE_KINDS: tuple[ProbeKind, ...] = ("startup", "liveness", "readiness")

MESSAGE_BYTES_MAX = 10 << 10
"""Output of a failing probe beyond this is cut off in events."""


PLAIN_ANSWER = "http: server gave HTTP response to HTTPS client"
"""How the output of an HTTPS try ends when the server does not speak TLS."""


class ProbeResult(Enum):
    """What the last outcomes add up to."""

    UNKNOWN = "unknown"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """What one try gave: `result` UNKNOWN means that the probe itself could not be run, which changes nothing."""

    result: ProbeResult
    output: str = ""
    warns: bool = False
    """A success that somebody should hear of (event ProbeWarning): a redirect to another host was not followed."""
    answered: bool = False
    """An HTTP response came, whatever its code: that is all a hook asks for."""


INITIAL_RESULT: dict[ProbeKind, ProbeResult] = {
    "startup": ProbeResult.UNKNOWN,
    "liveness": ProbeResult.SUCCESS,
    "readiness": ProbeResult.FAILURE,
}


@dataclass(frozen=True, slots=True)
class ProbeState:
    """What a probe remembers between tries."""

    kind: ProbeKind
    container_id: ContainerId | None
    """The run that the rest is about."""
    result: ProbeResult
    """What is published."""
    last: ProbeResult = ProbeResult.UNKNOWN
    streak: int = 0
    """How often `last` came in a row."""
    on_hold: bool = False


class ProbeStep(Enum):
    """What to do at this tick."""

    RUN = "run"
    REST = "rest"


def initial_state(kind: ProbeKind) -> ProbeState:
    """Return the state before any run was seen."""
    return ProbeState(kind, None, INITIAL_RESULT[kind])


def observe(
    state: ProbeState,
    probe: Probe,
    run: ContainerRecord | None,
    *,
    started: bool,
    deleting: bool,
    now_wall_s: float,
) -> tuple[ProbeState, ProbeStep]:
    """Return the state for the run that is there now, and whether to try it.

    Args:
        state: what was remembered.
        probe: the probe's definition.
        run: the newest run of the container.
        started: whether its startup probe (if any) has succeeded.
        deleting: whether the pod is being deleted.
        now_wall_s: wall clock, since the start of the run is one.
    """
    if run is None:
        return state, ProbeStep.REST
    if run.id != state.container_id:
        state = replace(initial_state(state.kind), container_id=run.id)
    if run.phase is not ContainerPhase.RUNNING:
        return replace(state, result=ProbeResult.FAILURE, last=ProbeResult.UNKNOWN, streak=0), ProbeStep.REST
    if deleting and state.kind != "readiness":
        # A container that is being stopped must not be restarted by its own probes.
        return replace(state, result=ProbeResult.SUCCESS), ProbeStep.REST
    waits = now_wall_s - run.started_at_s < probe.initial_delay_s
    gated = started if state.kind == "startup" else not started
    return state, ProbeStep.REST if state.on_hold or waits or gated else ProbeStep.RUN


def record(state: ProbeState, probe: Probe, outcome: ProbeOutcome) -> ProbeState:
    """Return the state after one try; `result` changes only when a threshold is reached."""
    if outcome.result is ProbeResult.UNKNOWN:
        return state
    streak = state.streak + 1 if outcome.result is state.last else 1
    state = replace(state, last=outcome.result, streak=streak)
    threshold = probe.failure_threshold if outcome.result is ProbeResult.FAILURE else probe.success_threshold
    if streak < threshold:
        return state
    gives_up = outcome.result is ProbeResult.FAILURE and state.kind != "readiness"
    return replace(
        state,
        result=outcome.result,
        on_hold=gives_up,
        streak=0 if gives_up else streak,
    )


def probe_event(kind: ProbeKind, outcome: ProbeOutcome) -> tuple[str, str] | None:
    """Return reason and message of the Warning event that an outcome is worth, or None."""
    cut = outcome.output.encode()[:MESSAGE_BYTES_MAX].decode(errors="ignore")
    name = kind.capitalize()
    if outcome.result is ProbeResult.FAILURE:
        return "Unhealthy", f"{name} probe failed: {cut}"
    if outcome.result is ProbeResult.UNKNOWN:
        return "Unhealthy", f"{name} probe errored and resulted in unknown state: {cut}"
    return ("ProbeWarning", f"{name} probe warning: {cut}") if outcome.warns else None
