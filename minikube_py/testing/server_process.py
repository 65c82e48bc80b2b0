"""An API server in a process of its own, so that what it takes of the machine can be measured from outside.

`python -m minikube_py.testing.server_process` prints the port and serves until its standard input ends.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from minikube_py.testing.memory_api_server import memory_api_server, serving


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running one."""

    url: str
    pid: int

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
async def server_process() -> AsyncIterator[ServerProcess]:
    """Run one while the context lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "minikube_py.testing.server_process",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            port = int(await process.stdout.readline())
        yield ServerProcess(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _serve() -> None:
    async with serving(memory_api_server(), None) as url:
        sys.stdout.write(f"{url.rpartition(':')[2]}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    uvloop.run(_serve())
