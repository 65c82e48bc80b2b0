"""Says how far a pull is while it lasts; `pull_progress` decides when and in which words."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.io.interrupt import run_beside
from minikube_py.kubelet.pull_progress import PullProgress, next_wait_s, progress_message

T = TypeVar("T")


class PullReporter:
    """One for each pull of an image; `told` is what its runtime tells."""

    def __init__(self, image: str, clock: Clock, say: Callable[[str], None]) -> None:
        self._image = image
        self._clock = clock
        self._say = say
        self._progress: PullProgress | None = None

    def told(self, progress: PullProgress) -> None:
        """Take over how far it is."""
        self._progress = progress

    async def report(self, pull: Coroutine[Any, Any, T]) -> T:
        """Return what the pull returns, and meanwhile say how far it is whenever that has changed."""
        return await run_beside(self._report(), pull)

    async def _report(self) -> None:
        begun_s, said = self._clock.now_s(), ""
        while True:
            await self._clock.sleep(next_wait_s(self._clock.now_s() - begun_s))
            message = progress_message(self._image, self._progress)
            if message != said:
                self._say(message)
                said = message
