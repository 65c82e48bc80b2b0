"""Exponential back-off as arithmetic: no timer, no clock, no state but the values passed in and out.

Upstream: client-go util/flowcontrol Backoff. A key that has been quiet for `reset_after_s` starts again.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackoffPolicy:
    """How delays grow: initial_s, initial_s*2, ... up to maximum_s."""

    initial_s: float
    maximum_s: float
    reset_after_s: float


@dataclass(frozen=True, slots=True)
class BackoffState:
    """The delay that the last failure earned, and when that failure was."""

    delay_s: float
    failed_at_s: float

    def ready_at_s(self) -> float:
        """Return the moment from which the next try is allowed."""
        return self.failed_at_s + self.delay_s


def next_backoff(policy: BackoffPolicy, previous: BackoffState | None, now_s: float) -> BackoffState:
    """Return the state after one more failure at `now_s`."""
    if previous is None or now_s - previous.failed_at_s > policy.reset_after_s:
        return BackoffState(policy.initial_s, now_s)
    return BackoffState(min(previous.delay_s * 2, policy.maximum_s), now_s)
