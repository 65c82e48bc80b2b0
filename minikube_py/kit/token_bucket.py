"""A rate limit with room for bursts, as arithmetic: no timer and no clock, time is passed in.

Upstream: client-go util/flowcontrol (TryAccept of a token bucket).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """Tokens left as of `at_s`."""

    tokens: float
    at_s: float

    def refilled(self, per_s: float, burst_max: float, now_s: float) -> "TokenBucket":
        """Return what is left by now: `per_s` tokens came a second, and no more than `burst_max` are kept."""
        return TokenBucket(min(burst_max, self.tokens + (now_s - self.at_s) * per_s), now_s)

    def taken(self) -> "TokenBucket | None":
        """Return what is left when one is taken, None when there is none."""
        return TokenBucket(self.tokens - 1, self.at_s) if self.tokens >= 1 else None
