"""Values for logs, exec and port-forward: what a client asks of a pod (upstream: PodLogOptions, PodExecOptions)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PodRef:
    """One pod."""

    namespace: str
    pod: str
    pod_uid: str


@dataclass(frozen=True, slots=True)
class ContainerRef:
    """One container of one pod."""

    namespace: str
    pod: str
    pod_uid: str
    container: str
    container_id: str = ""
    """The runtime's id, where it has been looked up already."""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which part of a container's log; None means no limit (field meanings as in PodLogOptions)."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since_s: float | None = None
    """Wall clock, seconds since the epoch: only lines at or after this time."""
    tail_lines: int | None = None
    limit_bytes: int | None = None
    stream: str = "All"
    """`All`, `Stdout` or `Stderr`."""


@dataclass(frozen=True, slots=True)
class ExecOptions:
    """What to run or attach to, and which streams the client wants."""

    command: tuple[str, ...]
    """Empty for attach."""
    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


@dataclass(frozen=True, slots=True)
class TerminalSize:
    """Columns and rows of the client's terminal."""

    width: int
    height: int


class RemoteStreams(Protocol):
    """The client's side of an exec or attach, whatever protocol carries it (WebSocket v4/v5, SPDY/3.1)."""

    def stdin(self) -> AsyncIterator[bytes]:
        """Yield what the client types; ends when the client closes its side."""
        ...

    def resizes(self) -> AsyncIterator[TerminalSize]:
        """Yield terminal sizes as they change."""
        ...

    async def write_stdout(self, data: bytes) -> None:
        """Send output; waits while the client is slow; raises ConnectionError when the client is gone."""
        ...

    async def write_stderr(self, data: bytes) -> None:
        """Send error output; as write_stdout."""
        ...


class PodConnection(Protocol):
    """One TCP connection to a port of a pod: one task reads, another one writes."""

    async def read(self) -> bytes:
        """Return what the pod sent, nothing at its end; raises ConnectionError when the connection broke."""
        ...

    async def write(self, data: bytes) -> None:
        """Send; waits while the pod does not read; raises ConnectionError when it is gone."""
        ...

    def write_eof(self) -> None:
        """Let the pod read the end; what it sends still comes."""
        ...

    def close(self) -> None:
        """Close both directions; fine when they are closed."""
        ...


class PodStreams(Protocol):
    """Logs, exec and port-forward of the pods of one node: implemented by the kubelet, used by the API server.

    All methods raise api.errors.StatusError with upstream's texts (`container "x" in pod "y" is waiting to start:
    ContainerCreating`, `previous terminated container "x" in pod "y" not found`, `container not found ("x")`).
    """

    def logs(self, ref: ContainerRef, options: LogOptions) -> AsyncIterator[bytes]:
        """Yield the log as bytes (whole lines, no frames); with follow it ends when the container ends.

        The first piece is empty and comes as soon as it is known that there is a log, so that a client who follows a
        silent container is answered at once; faults come before it.
        """
        ...

    async def exec(self, ref: ContainerRef, options: ExecOptions, streams: RemoteStreams) -> int:
        """Run a command in the container and return its exit code."""
        ...

    async def attach(self, ref: ContainerRef, options: ExecOptions, streams: RemoteStreams) -> None:
        """Join the container's own streams until it ends or the client leaves."""
        ...

    async def port_forward(self, ref: PodRef, port: int) -> PodConnection:
        """Connect to a port as a process inside the pod would, by its localhost."""
        ...
