"""How long an event loop stood still: by the clock, and in CPU time of its process.

A timer that comes late shows it, whatever the reason. On a busy machine the reason is mostly that the process did not
get a processor; so of each delay that part is told too in which the process was computing, in the loop's own thread
or in another one that did not let go of the interpreter.
"""

import asyncio
import time
from dataclasses import dataclass

PERIOD_S = 0.005


@dataclass
class LoopLag:
    """The longest delays since `reset`."""

    wall_s: float = 0.0
    computing_s: float = 0.0
    """The longest delay, or the CPU time that the process used in it, whichever was less."""

    def reset(self) -> None:
        """Forget."""
        self.wall_s = self.computing_s = 0.0

    async def measure(self) -> None:
        """Measure the running loop for ever."""
        while True:
            before_s, cpu_before_s = time.perf_counter(), time.process_time()
            await asyncio.sleep(PERIOD_S)
            late_s = time.perf_counter() - before_s - PERIOD_S
            self.wall_s = max(self.wall_s, late_s)
            self.computing_s = max(self.computing_s, min(late_s, time.process_time() - cpu_before_s))
