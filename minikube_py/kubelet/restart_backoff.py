"""How long a container that keeps ending must wait: the first restart is immediate, then 10 s, 20 s, ... 5 min.

Upstream: kuberuntime doBackOff over client-go flowcontrol.Backoff. The wait counts from the moment when the last run
ended, and a run that ended more than ten minutes (twice the longest wait) after the last step starts the series anew.
The state is memory only: after a restart of the kubelet the series begins again.

Worked example (exits after 1 s each): ends at 1, restarts at 1 (10 s noted); ends at 2, may restart at 12 (20 s
noted); ends at 13, may restart at 33.
"""

from dataclasses import dataclass

INITIAL_S = 10.0
MAXIMUM_S = 300.0
RESET_AFTER_S = 2 * MAXIMUM_S


@dataclass(frozen=True, slots=True)
class RestartBackoff:
    """The wait that the last restart earned, and when that was noted."""

    delay_s: float
    noted_at_s: float


@dataclass(frozen=True, slots=True)
class RestartVerdict:
    """Whether a container may start now; when not, at what time it may, and what wait to show."""

    allowed: bool
    state: RestartBackoff
    ready_at_s: float = 0.0


def judge_restart(state: RestartBackoff | None, finished_at_s: float, now_s: float) -> RestartVerdict:
    """Return whether a container whose last run ended at `finished_at_s` may be started at `now_s`."""
    if state is not None and finished_at_s - state.noted_at_s > RESET_AFTER_S:
        state = None
    if state is None:
        return RestartVerdict(allowed=True, state=RestartBackoff(INITIAL_S, now_s))
    ready_at_s = finished_at_s + state.delay_s
    if now_s < ready_at_s:
        return RestartVerdict(allowed=False, state=state, ready_at_s=ready_at_s)
    return RestartVerdict(allowed=True, state=RestartBackoff(min(state.delay_s * 2, MAXIMUM_S), now_s))


def format_delay(seconds: float) -> str:
    """Return a duration as Go prints whole seconds: `10s`, `1m20s`, `5m0s`, `1h0m0s`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s"


def back_off_message(state: RestartBackoff, container: str, pod_full_name: str) -> str:
    """Return the message of a container that waits in CrashLoopBackOff."""
    return f"back-off {format_delay(state.delay_s)} restarting failed container={container} pod={pod_full_name}"
