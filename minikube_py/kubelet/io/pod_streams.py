"""Logs, exec, attach and port-forward of this node's pods (api.streams.PodStreams; upstream: the kubelet's server).

Everything is found anew at the engine by labels, so that it works for pods that the agent has adopted, and while the
kubelet loop is busy.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from minikube_py.api.errors import InternalError, NotFoundError, StatusError, TimeoutStatusError, UnavailableError
from minikube_py.api.streams import (
    ContainerRef,
    ExecOptions,
    LogOptions,
    PodConnection,
    PodRef,
    RemoteStreams,
    TerminalSize,
)
from minikube_py.kubelet.container_choice import choose_for_logs, choose_running
from minikube_py.kubelet.cri import (
    ContainerId,
    ContainerRecord,
    ContainerRuntimeError,
    RuntimeErrorKind,
    RuntimeListing,
)
from minikube_py.kubelet.io.container_logs import read_container_log
from minikube_py.kubelet.io.pod_ports import connect_localhost

ENDED_CHECK_S = 1.0
"""How often a follower asks the engine whether the container still runs, when no event told."""

WaitingReason = Callable[[str, str], str]
"""(pod uid, container name) -> the reason of its waiting state in the pod's status, or empty."""

T = TypeVar("T")


class StreamingRuntime(Protocol):
    """What this needs of the runtime beyond CRI: DockerRuntime has it."""

    async def listing(self, pod_uid: str = "") -> RuntimeListing:
        """Return the pod's sandboxes (with their pids) and containers."""
        ...

    async def exec_stream(
        self, container: ContainerId, command: tuple[str, ...], *, tty: bool, stdin: bool, streams: RemoteStreams
    ) -> int:
        """Run a command connected to a client."""
        ...

    async def attach_stream(self, container: ContainerId, *, tty: bool, stdin: bool, streams: RemoteStreams) -> None:
        """Connect a client to the container's own process."""
        ...

    async def log_file(self, container: ContainerId) -> str:
        """Return where the engine writes the log."""
        ...

    async def is_running(self, container: ContainerId) -> bool:
        """Return whether the container's process runs."""
        ...

    async def wait_death(self, container: ContainerId, timeout_s: float) -> bool:
        """Wait for an event of its death for at most `timeout_s`, and return whether it came."""
        ...


class DockerPodStreams:
    """The streams of one node's pods."""

    def __init__(
        self,
        runtime: StreamingRuntime,
        waiting_reason: WaitingReason,
        worker_uid: Callable[[str], str] = lambda uid: uid,
        ended_id: Callable[[str, str], str] = lambda uid, name: "",
    ) -> None:
        """`worker_uid` turns the uid of a mirror pod into that of the static pod that the engine knows.

        `ended_id` gives the id of the ended container that a pod's status shows: its log may be gone.
        """
        self._ended_id = ended_id
        self._runtime = runtime
        self._waiting_reason = waiting_reason
        self._worker_uid = worker_uid

    async def logs(self, ref: ContainerRef, options: LogOptions) -> AsyncIterator[bytes]:
        """Yield the log; with follow it ends when the container ends."""
        record, path = await _translated(self._find_log(ref, options))
        yield b""
        if not path:
            return
        pieces = read_container_log(path, options, _EndWatch(self._runtime, record.id).wait_ended)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def find_running(self, ref: ContainerRef) -> ContainerRef:
        """Return `ref` with the id of the container that runs now; exec and attach then need not look it up again.

        Raises:
            StatusError: it does not run, or the runtime does not answer.
        """
        if ref.container_id:
            return ref
        listing = await _translated(self._runtime.listing(self._worker_uid(ref.pod_uid)))
        return replace(ref, container_id=choose_running(ref, listing.containers).id)

    async def exec(self, ref: ContainerRef, options: ExecOptions, streams: RemoteStreams) -> int:
        """Run a command in the container and return its exit code."""
        running = await self.find_running(ref)
        return await _translated(
            self._runtime.exec_stream(
                ContainerId(running.container_id),
                options.command,
                tty=options.tty,
                stdin=options.stdin,
                streams=_Wanted(streams, options),
            )
        )

    async def attach(self, ref: ContainerRef, options: ExecOptions, streams: RemoteStreams) -> None:
        """Join the container's own streams until it ends or the client leaves."""
        running = await self.find_running(ref)
        await _translated(
            self._runtime.attach_stream(
                ContainerId(running.container_id),
                tty=options.tty,
                stdin=options.stdin,
                streams=_Wanted(streams, options),
            )
        )

    async def port_forward(self, ref: PodRef, port: int) -> PodConnection:
        """Connect to a port of the pod's localhost."""
        sandboxes = (await _translated(self._runtime.listing(self._worker_uid(ref.pod_uid)))).sandboxes
        running = [sandbox for sandbox in sandboxes if sandbox.ready and sandbox.pid]
        if not running:
            raise NotFoundError(f'pod "{ref.pod}" has no running sandbox')
        newest = max(running, key=lambda sandbox: sandbox.created_at_s)
        return await connect_localhost(ref, newest.pid, port)

    async def _find_log(self, ref: ContainerRef, options: LogOptions) -> tuple[ContainerRecord, str]:
        listing = await self._runtime.listing(self._worker_uid(ref.pod_uid))
        record = choose_for_logs(
            ref,
            listing.containers,
            previous=options.previous,
            waiting_reason=self._waiting_reason(ref.pod_uid, ref.container),
            ended_id=self._ended_id(ref.pod_uid, ref.container),
        )
        return record, await self._runtime.log_file(record.id)


class _EndWatch:
    """Knows whether a container has ended, without asking the engine at every look at the log."""

    def __init__(self, runtime: StreamingRuntime, container: ContainerId) -> None:
        self._runtime = runtime
        self._container = container
        self._unasked_s = ENDED_CHECK_S

    async def wait_ended(self, seconds: float) -> bool:
        """Wait for the container's end for at most `seconds`, and return whether it has come."""
        if seconds and await self._runtime.wait_death(self._container, seconds):
            return True
        self._unasked_s += seconds
        if self._unasked_s < ENDED_CHECK_S:
            return False
        self._unasked_s = 0.0
        try:
            return not await self._runtime.is_running(self._container)
        except ContainerRuntimeError as error:
            if error.kind in (RuntimeErrorKind.TIMEOUT, RuntimeErrorKind.UNAVAILABLE):
                return False  # the engine is away; the log is still there to be followed
            raise


class _Wanted:
    """The client's side with only the output streams that it asked for."""

    def __init__(self, streams: RemoteStreams, options: ExecOptions) -> None:
        self._streams = streams
        self._options = options

    def stdin(self) -> AsyncIterator[bytes]:
        return self._streams.stdin()

    def resizes(self) -> AsyncIterator[TerminalSize]:
        return self._streams.resizes()

    async def write_stdout(self, data: bytes) -> None:
        if self._options.stdout:
            await self._streams.write_stdout(data)

    async def write_stderr(self, data: bytes) -> None:
        if self._options.stderr:
            await self._streams.write_stderr(data)


async def _translated(work: Coroutine[Any, Any, T]) -> T:
    """Await `work`; what the runtime says goes to the user as a Status."""
    try:
        return await work
    except ContainerRuntimeError as error:
        kinds: dict[RuntimeErrorKind, type[StatusError]] = {
            RuntimeErrorKind.TIMEOUT: TimeoutStatusError,
            RuntimeErrorKind.UNAVAILABLE: UnavailableError,
        }
        raise kinds.get(error.kind, InternalError)(error.message) from error
