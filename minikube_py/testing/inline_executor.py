"""Work for threads, done at once on the loop: virtual time does not wait for a thread, so in a test that has it there
must be none. How far the time has gone when a thread is done would depend on how busy the machine is.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class InlineExecutor(ThreadPoolExecutor):
    """What `asyncio.to_thread` uses where it is a loop's default executor."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do it, and return how it ended."""
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - it is that of who waits for the work
            done.set_exception(error)
        return done
