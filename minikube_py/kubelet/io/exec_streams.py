"""Commands in containers: to their end (probes, hooks), or connected to a client (`kubectl exec`, `attach`).

What Docker does not do for us:

- It cannot kill an exec. A probe that hangs would leave a process behind each period, until `docker stats` and
  stops hang as well; so at the deadline the process and its children are killed by their pids on the host.
- The exit code comes later than the end of the output, and the output may never end: a child that stays in the
  background keeps it open. The exec's own record is asked as well, and decides.
- A command that does not exist "runs": its text comes on standard output, with exit code 126 or 127.

Upstream: dockershim exec.go (NativeExecHandler), cri-dockerd core/exec.go.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from minikube_py.api.streams import RemoteStreams, TerminalSize
from minikube_py.kit.io.lifetime import finish_within
from minikube_py.kubelet.cri import ContainerRuntimeError, ExecResult, RuntimeErrorKind
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.hijacked_stream import STDERR, Frame, HijackedStream, read_with_deadline

EXEC_OUTPUT_BYTES_MAX = 10 << 10
"""More is read and dropped: the process must not block on a full pipe."""
ENDED_CHECK_S = 1.0
"""How often a silent exec is asked whether its process is gone while a child keeps the output open."""
EXIT_CODE_TRIES_MAX = 16
_EXIT_CODE_PAUSE_MAX_S = 0.5
KILL_TIMEOUT_S = 5.0
"""How long a caller that goes away is held up by the killing of what it leaves behind."""
RESIZE_TRIES_MAX = 10
EXIT_KILLED = 128 + signal.SIGKILL
_RESIZE_PAUSE_S = 0.02


async def exec_sync(api: DockerApi, container: str, command: Sequence[str], timeout_s: float) -> ExecResult:
    """Run a command to its end; at most EXEC_OUTPUT_BYTES_MAX of its output is kept.

    Raises:
        ContainerRuntimeError: TIMEOUT, its process is killed then; CONFLICT, the container does not run.
    """
    exec_id = await api.create_exec(container, list(command), tty=False, stdin=False)
    stream = await api.start_exec(exec_id)
    kept = bytearray()
    ended = False
    try:
        async with asyncio.timeout(timeout_s):
            async for frame in _frames_until_exit(api, exec_id, stream):
                kept += frame.data[: EXEC_OUTPUT_BYTES_MAX - len(kept)]
            code = await _exit_code(api, exec_id)
        ended = True
        return ExecResult(code, bytes(kept))
    except TimeoutError as error:
        raise ContainerRuntimeError(RuntimeErrorKind.TIMEOUT, f"command timed out after {timeout_s:g} s") from error
    finally:
        await _finish(api, container, exec_id, stream, ended=ended)


async def exec_stream(
    api: DockerApi, container: str, command: Sequence[str], *, tty: bool, stdin: bool, streams: RemoteStreams
) -> int:
    """Run a command connected to a client and return its exit code; the process is killed when the client leaves."""
    exec_id = await api.create_exec(container, list(command), tty=tty, stdin=stdin)
    stream = await api.start_exec(exec_id)
    ended = False
    try:
        frames = _frames_until_exit(api, exec_id, stream)
        await _join(stream, frames, streams, stdin=stdin, resize=_resizer(tty, api.resize_exec, exec_id))
        code = await _exit_code(api, exec_id)
        ended = True
        return code
    finally:
        await _finish(api, container, exec_id, stream, ended=ended)


async def attach_stream(api: DockerApi, container: str, *, tty: bool, stdin: bool, streams: RemoteStreams) -> None:
    """Connect a client to the container's own process until either ends; the process goes on without the client."""
    stream = await api.attach_container(container, stdin=stdin)
    try:
        await _join(
            stream, _frames(stream), streams, stdin=stdin, resize=_resizer(tty, api.resize_container, container)
        )
    finally:
        stream.close()


Resize = Callable[[TerminalSize], Coroutine[Any, Any, None]]


def _resizer(tty: bool, call: Callable[[str, int, int], Coroutine[Any, Any, None]], identity: str) -> Resize | None:
    async def resize(size: TerminalSize) -> None:
        # The first size comes while Docker is still starting the process, the last one maybe after its end.
        for attempt in range(1, RESIZE_TRIES_MAX + 1):
            with suppress(ContainerRuntimeError):
                await call(identity, size.width, size.height)
                return
            await asyncio.sleep(_RESIZE_PAUSE_S * attempt)

    return resize if tty else None


async def _join(
    stream: HijackedStream,
    frames: AsyncIterator[Frame],
    streams: RemoteStreams,
    *,
    stdin: bool,
    resize: Resize | None,
) -> None:
    """Carry bytes both ways until the output ends.

    Raises:
        ConnectionError: the client is gone.
    """
    beside = []
    try:
        async with asyncio.TaskGroup() as group:
            if stdin:
                beside.append(group.create_task(_carry_input(stream, streams)))
            if resize is not None:
                beside.append(group.create_task(_carry_sizes(streams, resize)))
            await _carry_output(frames, streams)
            for task in beside:
                task.cancel()
    except* ConnectionError as errors:
        raise _first(errors) from None
    except* ContainerRuntimeError as errors:
        raise _first(errors) from None


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    inner: BaseException = errors
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    return inner


async def _carry_output(frames: AsyncIterator[Frame], streams: RemoteStreams) -> None:
    async for frame in frames:
        if frame.stream == STDERR:
            await streams.write_stderr(frame.data)
        else:
            await streams.write_stdout(frame.data)


async def _carry_input(stream: HijackedStream, streams: RemoteStreams) -> None:
    async for data in streams.stdin():
        await stream.write(data)
    stream.close_input()


async def _carry_sizes(streams: RemoteStreams, resize: Resize) -> None:
    async for size in streams.resizes():
        await resize(size)


async def _frames(stream: HijackedStream) -> AsyncIterator[Frame]:
    while (frame := await stream.read()) is not None:
        yield frame


async def _frames_until_exit(api: DockerApi, exec_id: str, stream: HijackedStream) -> AsyncIterator[Frame]:
    """Yield output until it ends, or until it is silent and the process is gone."""
    while True:
        try:
            frame = await read_with_deadline(stream, ENDED_CHECK_S)
        except TimeoutError:
            if (await _record(api, exec_id)).get("Running"):
                continue
            return
        if frame is None:
            return
        yield frame


async def _record(api: DockerApi, exec_id: str) -> Mapping[str, Any]:
    """Return the exec's record; one that is gone with its container was killed with it."""
    try:
        return await api.inspect_exec(exec_id)
    except ContainerRuntimeError as error:
        if error.kind is RuntimeErrorKind.NOT_FOUND:
            return {"Running": False, "ExitCode": EXIT_KILLED}
        raise


async def _exit_code(api: DockerApi, exec_id: str) -> int:
    pause_s = 0.01
    for _ in range(EXIT_CODE_TRIES_MAX):
        record = await _record(api, exec_id)
        if not record.get("Running") and record.get("ExitCode") is not None:
            return int(record["ExitCode"])
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _EXIT_CODE_PAUSE_MAX_S)
    raise ContainerRuntimeError(RuntimeErrorKind.TIMEOUT, "the command's output ended, but Docker says that it runs")


async def _finish(api: DockerApi, container: str, exec_id: str, stream: HijackedStream, *, ended: bool) -> None:
    """Close the stream and, when the command has not ended, kill it; even if the caller is being cancelled."""
    stream.close()
    if not ended:
        with suppress(ContainerRuntimeError):  # why the caller gave up is what it should hear of
            await finish_within(KILL_TIMEOUT_S, _kill_leftover(api, container, exec_id))


async def _kill_leftover(api: DockerApi, container: str, exec_id: str) -> None:
    record = await _record(api, exec_id)
    if record.get("Running") and int(record.get("Pid") or 0) > 0:
        await asyncio.to_thread(kill_process_tree, int(record["Pid"]), container)


def kill_process_tree(pid: int, container: str) -> None:
    """Kill a process of a container and its children, by their pids on this host.

    Nothing is done when the process does not belong to the container: its pid may have been given to another one.
    """
    if not _belongs_to(pid, container):
        return
    for each in (*_descendants(pid), pid):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _belongs_to(pid: int, container: str) -> bool:
    try:
        return container in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    pending = [pid]
    while pending:
        each = pending.pop()
        try:
            children = [int(child) for child in Path(f"/proc/{each}/task/{each}/children").read_text().split()]
        except OSError:
            continue
        found += children
        pending += children
    return found
