"""Waits until a pause process has left the host's network, by what the kernel says of it.

It takes a tenth of a millisecond; a process that has not left within WAIT_S never will. The caller removes the
sandbox then: nothing may be put into it.
"""

import asyncio
import os
from pathlib import Path

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.pause_network import Departure, judge_departure

WAIT_S = 5.0
_FIRST_PAUSE_S = 0.0005
_LONGEST_PAUSE_S = 0.05


class PauseNetwork:
    """Reads the kernel's files about processes."""

    def __init__(self, clock: Clock, proc: Path = Path("/proc")) -> None:
        self._clock = clock
        self._proc = proc

    async def wait_departure(self, pid: int) -> None:
        """Return once process `pid` has left the host's network.

        Raises:
            ContainerRuntimeError: REFUSED, it has ended or has not left within WAIT_S.
        """
        deadline_s, pause_s = self._clock.now_s() + WAIT_S, _FIRST_PAUSE_S
        while True:
            how = await asyncio.to_thread(self._look, pid)
            if how is Departure.LEFT:
                return
            if how is Departure.ENDED or self._clock.now_s() > deadline_s:
                why = "ended" if how is Departure.ENDED else f"has not done so within {WAIT_S:g} s"
                raise ContainerRuntimeError(
                    RuntimeErrorKind.REFUSED, f"the pause process must leave the host's network, but {why}"
                )
            await self._clock.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _look(self, pid: int) -> Departure:
        host = {name for name in map(self._netns, ("self", "1")) if name}
        try:
            status = (self._proc / str(pid) / "status").read_text()
        except OSError:
            status = ""
        return judge_departure(self._netns(str(pid)) if pid else "", status, host)

    def _netns(self, process: str) -> str:
        try:
            return os.readlink(self._proc / process / "ns" / "net")
        except OSError:
            return ""
