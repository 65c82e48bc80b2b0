"""How long the event loop is held at a time, in CPU time of its thread: a busy machine does not make it longer.

Every step of every task, every timer and every event of a socket is one callback of asyncio's own loop (uvloop has
no such seam). The time that a callback waits for the processor, or for the interpreter's lock, is not counted.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_SEAM = "_run"
"""The method through which every callback of a loop goes; asyncio has no public one."""


@dataclass
class CallbackTimes:
    """The longest callback since `reset`."""

    worst_s: float = 0.0
    worst: str = ""
    """What it was."""

    def reset(self) -> None:
        """Forget."""
        self.worst_s, self.worst = 0.0, ""

    def note(self, handle: asyncio.Handle, took_s: float) -> None:
        """Take a callback that has ended."""
        if took_s > self.worst_s:
            self.worst_s, self.worst = took_s, repr(handle)[:300]


@contextmanager
def callback_times() -> Iterator[CallbackTimes]:
    """Measure the callbacks of asyncio's loops while the context lasts."""
    times = CallbackTimes()
    run = getattr(asyncio.Handle, _SEAM)

    def measured(handle: asyncio.Handle) -> None:
        before_s = time.thread_time()
        run(handle)
        times.note(handle, time.thread_time() - before_s)

    setattr(asyncio.Handle, _SEAM, measured)
    try:
        yield times
    finally:
        setattr(asyncio.Handle, _SEAM, run)
