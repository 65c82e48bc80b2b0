"""What time it is, as a seam.

Rules take `now_s` as an argument; only `io/` holds a Clock. Production wires `kit.io.system_clock.SystemClock`,
simulations wire a clock of their own, so that an hour of retries takes milliseconds.
"""

from typing import Protocol


class Clock(Protocol):
    """A source of time; all values are in seconds."""

    def now_s(self) -> float:
        """Return monotonic seconds: for intervals, timers and deadlines."""
        ...

    def wall_s(self) -> float:
        """Return seconds since the Unix epoch: for timestamps that people or other hosts read."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep for at least `seconds`; returns at once for zero or less."""
        ...
