"""Long computations beside the event loop, one at a time: the loop also carries heartbeats, probes and watches.

A thread does not make Python compute faster, but the interpreter lets the loop in between, every SLICE_S. One thread
is enough for that; more of them would only take turns with one another and hold the memory of several such works at
once. Users come one after the other, what has no place in the queue is answered with 429, and a work that nobody
waits for any more is given up: nobody keeps the thread from others by what he has sent.

Works are pure functions of values that nobody changes meanwhile. Where one needs what only the loop may touch (the
addresses that are free), it asks by way of `asking`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Fields
from minikube_py.apiserver.decisions import Complete, complete_nothing
from minikube_py.apiserver.io.byte_turns import ByteTurns, user_in_turn
from minikube_py.apiserver.io.computation import Computation
from minikube_py.apiserver.io.fair_room import FairRoom

T = TypeVar("T")

BYTES_MAX = 3 << 20
"""Requests with heavy bodies, or for heavy objects, go on at one time while they have no more bytes than this."""
ASIDE_BYTES_MAX = 3 << 20
"""While those that wait for webhooks have more bytes than this, no further one begins."""
WORKS_MAX = 100
"""Works, and requests for a turn, that wait at one time; a further one is refused with 429."""
LISTS_MAX = 2
"""Long lists that are gone through on the loop at one time."""
LISTS_WAITING_MAX = 400
"""Long lists that wait for that; a further one is refused with 429."""
LIGHT_LIST_MAX = 50
"""Lists of no more objects do not wait: they are done in one slice."""
SLICE_S = 0.001
"""While a work is being done, the loop waits so long at most for its turn (Python's own: 5 ms)."""
ASK_TIMEOUT_S = 10.0
"""A work that asks the loop gives up after this: the loop has ended."""


class HeavyWork:
    """Does works, those of one user after those of the other."""

    def __init__(self, works_max: int = WORKS_MAX) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="apiserver-heavy")
        self._thread = FairRoom(1, works_max)
        self._turns = ByteTurns(BYTES_MAX, ASIDE_BYTES_MAX, works_max)
        self._lists = FairRoom(LISTS_MAX, LISTS_WAITING_MAX)
        self._doing: Computation[Any] | None = None

    def turn(self, user: str, size_bytes: int) -> AbstractAsyncContextManager[None]:
        """Return the turn of a whole request with so many bytes, from the first of its works to the last.

        Between two works it holds what the first has made, which would otherwise add up.
        """
        return self._turns.turn(user, size_bytes)

    @asynccontextmanager
    async def list_turn(self, user: str, objects: int) -> AsyncIterator[None]:
        """Wait for the turn of a list whose objects are compared or rendered on the loop, slice by slice.

        Slices of many lists take turns with one another, whosever they are: without this a user who asks for a
        hundred lists would leave others a hundredth of the time.

        Raises:
            TooManyRequestsError: too many lists wait.
        """
        if objects <= LIGHT_LIST_MAX:
            yield
            return
        await self._lists.take(user, 1)
        try:
            yield
        finally:
            self._lists.give_back(1)

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` gives; when whoever asked stops waiting, it is not begun, or given up.

        Raises:
            TooManyRequestsError: too many works wait.
        """
        await self._thread.take(user_in_turn(), 1)
        computation = self._doing = Computation(work)
        loop = asyncio.get_running_loop()
        future = self._executor.submit(_in_slices, computation)
        future.add_done_callback(lambda _: self._done(loop))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            computation.give_up()
            raise
        finally:
            # An error refers by its traceback to this frame, and to all that the work has made: without the way back
            # to the error it is free at once, and not when the collector comes.
            del future

    async def run_if(self, heavy: bool, work: Callable[[], T]) -> T:  # reads as a condition
        """Return what `work` gives; what is not heavy is done at once, on the loop."""
        return await self.run(work) if heavy else work()

    def _done(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(self._next)

    def _next(self) -> None:
        self._doing = None
        self._thread.give_back(1)

    def close(self) -> None:
        """Begin no work any more, and give up that which is being done."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self._doing is not None:
            self._doing.give_up()


def _in_slices(work: Callable[[], T]) -> T:
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(SLICE_S)
    try:
        return work()
    finally:
        sys.setswitchinterval(usual_s)


@contextmanager
def asking(complete: Complete) -> Iterator[Complete]:
    """Give `complete` in a form that works may call: it is done on the loop, and not after the context has ended."""
    if complete is complete_nothing:
        yield complete
        return
    loop, ended = asyncio.get_running_loop(), False

    def ask(new: Obj, old: Mapping[str, Any] | None) -> Fields:
        answer: Future[Fields] = Future()

        def on_loop() -> None:
            if ended:
                answer.cancel()
                return
            answer.set_result(complete(new, old))

        loop.call_soon_threadsafe(on_loop)
        return answer.result(ASK_TIMEOUT_S)

    try:
        yield ask
    finally:
        ended = True
