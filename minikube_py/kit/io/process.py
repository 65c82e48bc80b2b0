"""Running a program of the host (nft, mount, modprobe): bounded in time and output."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

OUTPUT_BYTES_MAX = 1 << 20
"""Output beyond this is cut off, unless the caller expects more."""
_PIECE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended."""

    exit_code: int
    stdout: str
    stderr: str


class ProcessError(Exception):
    """A program could not be started, or did not end in time."""


async def run_program(
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    timeout_s: float = 30.0,
    output_bytes_max: int = OUTPUT_BYTES_MAX,
    variables: Mapping[str, str] | None = None,
) -> Finished:
    """Run `argv`, feed it `stdin`, and return how it ended; a non-zero exit code is not an error here.

    Args:
        argv: the program and its arguments, which everybody on the host can see.
        stdin: what it reads.
        timeout_s: it is killed then.
        output_bytes_max: output beyond this is read and dropped.
        variables: what is added to the environment; for its owner and root to see.

    Raises:
        ProcessError: the program is missing, or was killed at the deadline.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **variables} if variables else None,
        )
    except OSError as error:
        raise ProcessError(f"cannot run {argv[0]}: {error.strerror or error}") from error
    try:
        async with asyncio.timeout(timeout_s):
            out, err = await _communicate(process, stdin, output_bytes_max)
    except TimeoutError as error:
        raise ProcessError(f"{argv[0]} did not end within {timeout_s:g} s") from error
    finally:
        if process.returncode is None:
            kill_child(process.pid)
            await process.wait()
    assert process.returncode is not None
    return Finished(
        process.returncode,
        out.decode(errors="replace"),
        err.decode(errors="replace"),
    )


def keep_own_files() -> None:
    """Let no program that is started from now on have the files that this process was started with, but 0 to 2.

    One is the one file's mark that its runtime is in use. uvloop closes none, and SELinux, which would not let nft or
    iptables have it, tells of each.
    """
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the folder's own is closed by now
            if int(name) > 2:
                os.set_inheritable(int(name), False)


def kill_child(pid: int) -> None:
    """Kill a child that an event loop watches; fine when it has ended.

    Not Process.kill: outside uvloop it waits for a child that is just ending, and the loop, which then finds nobody
    to wait for, says "Unknown child process" and makes up an exit code.
    """
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


async def _communicate(process: asyncio.subprocess.Process, stdin: bytes, bytes_max: int) -> tuple[bytes, bytes]:
    """Feed and read to the end. Not Process.communicate: under uvloop it fails when the program ends unread."""
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.TaskGroup() as group:
        out = group.create_task(_read(process.stdout, bytes_max))
        err = group.create_task(_read(process.stderr, bytes_max))
        if process.stdin is not None:
            # RuntimeError is uvloop's way to say that the pipe is closed.
            with suppress(ConnectionError, RuntimeError):
                process.stdin.write(stdin)
                await process.stdin.drain()
                process.stdin.close()
        await process.wait()
    return out.result(), err.result()


async def _read(stream: asyncio.StreamReader, bytes_max: int) -> bytes:
    """Read to the end, so that the program is not held up, and return the beginning."""
    kept = bytearray()
    while piece := await stream.read(_PIECE_BYTES):
        kept += piece[: bytes_max - len(kept)]
    return bytes(kept)
