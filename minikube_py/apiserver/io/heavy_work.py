"""Long computations beside the event loop, one at a time: the loop also carries heartbeats, probes and watches.

A thread does not make Python compute faster, but the interpreter lets the loop in between, every SLICE_S. One thread
is enough for that; more of them would only take turns with one another and hold the memory of several such works at
once. What has no place in the queue is answered with 429, so that waiting works are bounded too.

Works are pure functions of values that nobody changes meanwhile. Where one needs what only the loop may touch (the
addresses that are free), it asks by way of `Asking`.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from threading import BoundedSemaphore
from typing import Any, TypeVar

from minikube_py.api.errors import TooManyRequestsError
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Fields
from minikube_py.apiserver.decisions import Complete, complete_nothing
from minikube_py.apiserver.io.byte_turns import ByteTurns

T = TypeVar("T")

BYTES_MAX = 3 << 20
"""Requests with heavy bodies, or for heavy objects, go on at one time while they have no more bytes than this."""
WORKS_MAX = 100
"""Works that wait or are done at one time; a further one is refused with 429."""
SLICE_S = 0.001
"""While a work is being done, the loop waits so long at most for its turn (Python's own: 5 ms)."""
ASK_TIMEOUT_S = 10.0
"""A work that asks the loop gives up after this: the loop has ended."""


class HeavyWork:
    """Does works in their order."""

    def __init__(self, works_max: int = WORKS_MAX) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="apiserver-heavy")
        self._places = BoundedSemaphore(works_max)
        self._turns = ByteTurns(BYTES_MAX, works_max)

    def turn(self, size_bytes: int) -> AbstractAsyncContextManager[None]:
        """Return the turn of a whole request with so many bytes, from the first of its works to the last.

        Between two works it holds what the first has made, which would otherwise add up.
        """
        return self._turns.turn(size_bytes)

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` gives; whoever stops waiting takes a work that has not begun out of the queue.

        Raises:
            TooManyRequestsError: too many works wait.
        """
        if not self._places.acquire(blocking=False):
            raise TooManyRequestsError("too many requests, please try again later.", retry_after_s=1)
        future = self._executor.submit(_in_slices, work)
        future.add_done_callback(self._done)
        try:
            return await asyncio.wrap_future(future)
        finally:
            # An error refers by its traceback to this frame, and to all that the work has made: without the way back
            # to the error it is free at once, and not when the collector comes.
            del future

    async def run_if(self, heavy: bool, work: Callable[[], T]) -> T:  # reads as a condition
        """Return what `work` gives; what is not heavy is done at once, on the loop."""
        return await self.run(work) if heavy else work()

    def _done(self, _: "Future[Any]") -> None:
        self._places.release()

    def close(self) -> None:
        """Begin no work any more."""
        self._executor.shutdown(wait=False, cancel_futures=True)


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
