"""Looks into the kernel's log (/dev/kmsg), which keeps the last few thousand lines since the boot."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

from minikube_py.kubelet.oom_kills import oom_victim

_RECORD_BYTES_MAX = 8192
"""The kernel gives one record at a time, and none is longer."""
_RECORDS_MAX = 50_000
"""A log that is written faster than it is read is given up here."""


class KernelLog:
    """One for the runtime; a host that does not show its log (in a container of its own, say) has an empty one."""

    def __init__(self, path: Path = Path("/dev/kmsg")) -> None:
        self._path = path

    async def tells_oom_kill(self, container: str) -> bool:
        """Return whether the kernel killed a process of the container for want of memory."""
        return await asyncio.to_thread(self._tells_oom_kill, container)

    def _tells_oom_kill(self, container: str) -> bool:
        try:
            log = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            return any(oom_victim(line) == container for line in _lines(log))
        finally:
            os.close(log)


def _lines(log: int) -> Iterator[str]:
    for _ in range(_RECORDS_MAX):
        try:
            record = os.read(log, _RECORD_BYTES_MAX)
        except BrokenPipeError:
            continue  # overwritten since the last read: the next one goes on after the gap
        except OSError:
            break  # EAGAIN: that was all
        if not record:
            break
        yield from record.decode(errors="replace").splitlines()
