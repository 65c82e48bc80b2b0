"""Threads that the loop stands still for: their work is done when `asyncio.to_thread` first lets others run.

Virtual time does not wait for a thread: how far it has gone when one is done depends on how busy the machine is. So
in a test with virtual time no thread works beside the loop.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class AwaitedExecutor(ThreadPoolExecutor):
    """To be a loop's default executor."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Return a work that has been done."""
        done = super().submit(fn, *args, **kwargs)
        wait((done,))
        return done
