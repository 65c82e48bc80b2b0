"""How many writes begin in one turn of the event loop, so that timers and everybody else come in between.

The requests of many clients arrive together, and deciding upon one takes about half a millisecond. All of them in one
turn would keep heartbeats and probes waiting for as long as there are clients; in turns of TURN_S nobody notices.

It is told from the turns themselves how many are right: after one that took too long fewer begin in the next, after
one that was full and short one more does.
"""

import asyncio
from collections import deque

from minikube_py.kit.clock import Clock

TURN_S = 0.005
"""A turn of the loop in which writes begin is to take so long."""
FIRST = 8
"""So many begin in a turn before it is known how long they take."""
BEGINNING_MAX = 64
"""So many begin in a turn at most."""


class WritePace:
    """Lets writes begin, first come first served. Those that wait are bounded by the requests that are in flight."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._allowed = FIRST
        self._begun = 0
        """In this turn."""
        self._turn_began_s = 0.0

    async def begin(self) -> None:
        """Begin a write: at once, or in a later turn of the loop."""
        if self._waiting or self._begun >= self._allowed:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
            return
        if not self._begun:
            self._begin_turn()
        self._begun += 1

    def _begin_turn(self) -> None:
        self._turn_began_s = self._clock.now_s()
        asyncio.get_running_loop().call_soon(self._end_turn)

    def _end_turn(self) -> None:
        """Learn from the turn that has ended (this is the next one), and let those begin that wait."""
        took_s = self._clock.now_s() - self._turn_began_s
        if took_s > TURN_S:
            self._allowed = max(1, int(self._begun * TURN_S / took_s))
        elif self._begun >= self._allowed:
            self._allowed = min(BEGINNING_MAX, self._allowed + 1)
        self._begun = 0
        while self._waiting and self._begun < self._allowed:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                self._begun += 1
        if self._begun:
            self._begin_turn()
