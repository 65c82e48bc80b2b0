"""An API server in a process of its own, so that what it takes of the machine can be measured from outside.

`python -m minikube_py.testing.server_process` prints the port and serves until its standard input ends. To each line
there it prints how long its loop stood still at most since the last one (testing.loop_lag), and the longest callback,
in milliseconds, and what that was.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from minikube_py.kit.io.garbage import Garbage
from minikube_py.kit.io.process import kill_child
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.callback_times import CallbackTimes, callback_times
from minikube_py.testing.loop_lag import LoopLag
from minikube_py.testing.memory_api_server import memory_api_server, serving


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running one."""

    url: str
    pid: int
    process: asyncio.subprocess.Process

    async def longest_callback(self) -> tuple[float, str]:
        """Return the longest callback since the last question, in milliseconds of CPU, and what it was."""
        _, took_ms, what = await self._ask()
        return took_ms, what

    async def stood_still_ms(self) -> float:
        """Return for how long the loop stood still at most since the last question, while the process computed."""
        return (await self._ask())[0]

    async def _ask(self) -> tuple[float, float, str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"\n")
        still_ms, took_ms, what = (await self.process.stdout.readline()).decode().strip().split(" ", 2)
        return float(still_ms), float(took_ms), what

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Return what it holds (VmRSS), or held at most since `forget_peak` (VmHWM)."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
        raise ValueError(f"the kernel tells no {field}")

    def forget_peak(self) -> None:
        """Let VmHWM begin anew."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@asynccontextmanager
async def server_process(*, measured: bool = False) -> AsyncIterator[ServerProcess]:
    """Run one while the context lasts; `measured`: on asyncio's own loop, with its callbacks measured."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "minikube_py.testing.server_process",
        *(("measured",) if measured else ()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(120):
            port = int(await process.stdout.readline())
        yield ServerProcess(f"http://127.0.0.1:{port}", process.pid, process)
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            kill_child(process.pid)
            await process.wait()


async def _serve(times: CallbackTimes) -> None:
    lag = LoopLag()
    async with serving(memory_api_server(), None) as url:
        sys.stdout.write(f"{url.rpartition(':')[2]}\n")
        sys.stdout.flush()
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(work) for work in (Garbage(SystemClock()).run(), lag.measure())]
            while await asyncio.to_thread(sys.stdin.buffer.readline):
                sys.stdout.write(f"{lag.computing_s * 1000:.1f} {times.worst_s * 1000:.1f} {times.worst or '-'}\n")
                sys.stdout.flush()
                times.reset()
                lag.reset()
            for task in beside:
                task.cancel()


if __name__ == "__main__":
    if sys.argv[1:] == ["measured"]:
        with callback_times() as measured_times:
            asyncio.run(_serve(measured_times))
    else:
        uvloop.run(_serve(CallbackTimes()))
