"""A long computation on another thread, which can be given up in the middle.

Python stops no thread, but it lets one thread raise an exception in another, where it is met at the next step
(PyThreadState_SetAsyncExc). What is half done then is lost: fit for pure functions only. A call into C is not
interrupted, so those must be short (apiserver.weight bounds what one parses).
"""

import ctypes
from collections.abc import Callable
from threading import Lock, get_ident
from typing import Generic, TypeVar

T = TypeVar("T")


class GivenUp(BaseException):
    """Nobody waits for this computation any more."""


class Computation(Generic[T]):
    """What is computed when it is called, once."""

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute = compute
        self._lock = Lock()
        self._thread_id: int | None = None
        """Where it is being done."""
        self._given_up = False

    def __call__(self) -> T:
        """Compute.

        Raises:
            GivenUp: nobody wants to know any more.
        """
        try:
            with self._lock:
                if self._given_up:
                    raise GivenUp
                self._thread_id = get_ident()
            try:
                return self._compute()
            finally:
                self._leave()
        except GivenUp:
            self._leave()  # it may have come while the computation was leaving already
            raise

    def give_up(self) -> None:
        """Let the computation end at its next step; fine when it has not begun, or has ended."""
        with self._lock:
            if self._thread_id is not None and not self._given_up:
                _raise_in(self._thread_id, ctypes.py_object(GivenUp))
            self._given_up = True

    def _leave(self) -> None:
        """Make sure that the thread's next work is left alone."""
        with self._lock:
            self._thread_id = None
            _raise_in(get_ident(), None)


def _raise_in(thread_id: int, error: "ctypes.py_object[type[BaseException]] | None") -> None:
    """Let the thread meet this at its next step; None takes back what it has not met yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), error)
