"""The client's side of an exec or attach, the same for WebSocket and SPDY, and the run of a command against it."""

from collections.abc import AsyncIterator, Awaitable, Callable

from minikube_py.api.errors import InternalError, StatusError
from minikube_py.api.streams import ContainerRef, ExecOptions, PodStreams, TerminalSize
from minikube_py.kit.io.mailbox import Mailbox, MailboxClosedError, OnFull
from minikube_py.streaming.remote_command import STDERR, STDOUT, ClientMessage, Input, InputEnd, Resized

STDIN_MESSAGES_MAX = 64
"""Messages that a container has not read yet; then the client is not read from any more."""
RESIZES_MAX = 4
"""Only the newest sizes matter; older ones are dropped."""


class RemoteSession:
    """Implements api.streams.RemoteStreams over a function that sends bytes on a channel."""

    def __init__(self, send: Callable[[int, bytes], Awaitable[None]]) -> None:
        self._send = send
        self._stdin = Mailbox[bytes](STDIN_MESSAGES_MAX, OnFull.BLOCK)
        self._resizes = Mailbox[TerminalSize](RESIZES_MAX, OnFull.DROP_OLDEST)

    async def take(self, message: ClientMessage) -> None:
        """Take what the client sent; waits while the container does not read."""
        match message:
            case Input(data):
                await self._stdin.put(data)
            case InputEnd():
                self._stdin.close()
            case Resized(size):
                self._resizes.put_nowait(size)
            case None:
                pass

    def close(self) -> None:
        """The client sends nothing more."""
        self._stdin.close()
        self._resizes.close()

    async def stdin(self) -> AsyncIterator[bytes]:
        """Yield what the client types."""
        while True:
            try:
                data = await self._stdin.get()
            except MailboxClosedError:
                return
            yield data

    async def resizes(self) -> AsyncIterator[TerminalSize]:
        """Yield terminal sizes."""
        while True:
            try:
                size = await self._resizes.get()
            except MailboxClosedError:
                return
            yield size

    async def write_stdout(self, data: bytes) -> None:
        """Send output."""
        await self._send(STDOUT, data)

    async def write_stderr(self, data: bytes) -> None:
        """Send error output."""
        await self._send(STDERR, data)


async def run_command(
    session: RemoteSession, ref: ContainerRef, options: ExecOptions, streams: PodStreams
) -> int | StatusError:
    """Run the command, or attach when there is none, and return how it ended."""
    try:
        if options.command:
            return await streams.exec(ref, options, session)
        await streams.attach(ref, options, session)
    except StatusError as error:
        return error
    except ConnectionError:
        return InternalError("the client closed the connection")
    return 0
