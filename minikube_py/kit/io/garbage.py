"""Python's collector of cycles, kept from holding up the event loop.

By default it looks at every object that is alive whenever their number has grown by a quarter: with 10,000 decoded
pods that is a quarter of a second in which no heartbeat is sent. What lives long here (objects as JSON) has no
cycles. So only young objects are looked at (kit.kept_objects says when, for those that take the places of others);
what has outlived it is set aside at short intervals (gc.freeze: it is still freed when nobody refers to it any more),
and all are looked at a few times a day, for the cycles that died old.
"""

import gc
import logging

from minikube_py.kit.clock import Clock

log = logging.getLogger("kit.garbage")

THRESHOLDS = (5_000, 3, 1_000_000)
"""New objects before the youngest are looked at (a millisecond), and how often before the next older are: when all of
them live, as while objects are written, those are some 20,000 (a few milliseconds; by default 25 ms)."""
SET_ASIDE_S = 20.0
LOOK_AT_ALL_S = 8 * 3600.0


class Garbage:
    """The collector's timetable for this process; `run` ends by cancellation and leaves the default behind."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_full_s = clock.now_s() + LOOK_AT_ALL_S

    async def run(self) -> None:
        """Keep the timetable."""
        before = gc.get_threshold()
        gc.set_threshold(*THRESHOLDS)
        try:
            while True:
                self.set_aside()
                await self._clock.sleep(SET_ASIDE_S)
        finally:
            gc.unfreeze()
            gc.set_threshold(*before)

    def set_aside(self) -> None:
        """Look at the young, and set the rest aside; at its time look at everything first."""
        now_s = self._clock.now_s()
        if now_s >= self._next_full_s:
            self._next_full_s = now_s + LOOK_AT_ALL_S
            gc.unfreeze()
            found = gc.collect()
            log.info("looked at all objects: %d were garbage, in %.3f s", found, self._clock.now_s() - now_s)
        else:
            gc.collect(1)
        gc.freeze()
