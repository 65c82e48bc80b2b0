"""A SPDY/3.1 connection that a client made: its frames in order, and sending on its streams.

What the streams mean is the business of its users: exec's streams by type (spdy_command), pairs of streams for each
forwarded connection (port_forward).
"""

from collections.abc import Awaitable, Callable

from minikube_py.kit.io.mailbox import Mailbox, MailboxClosedError, OnFull
from minikube_py.streaming.io.spdy_link import SpdyLink
from minikube_py.streaming.spdy import Frame, Ping, SpdyCodec, SpdyError

FRAMES_MAX = 256
"""Client frames not handled yet; beyond it the link is paused."""
DATA_FRAME_BYTES = 32 << 10


class SpdyConnection:
    """One connection; the client opens all streams."""

    def __init__(self, link: Callable[["SpdyConnection"], SpdyLink]) -> None:
        self._codec = SpdyCodec()
        self._frames = Mailbox[Frame](FRAMES_MAX, OnFull.BLOCK)
        self._last_stream_id = 0
        self._link = link(self)

    def receive(self, data: bytes) -> bool:
        """Take bytes of the client; False when they are no SPDY."""
        try:
            frames = self._codec.feed(data)
        except SpdyError:
            self.lost()
            return False
        for frame in frames:
            if not self._frames.put_nowait(frame):
                # Bounded by one read beyond FRAMES_MAX: no more is read until the other side has caught up.
                self._link.pause_reading()
                self._frames.put_over_bound(frame)
        return True

    def lost(self) -> None:
        """The client is gone."""
        self._frames.close()

    async def run(self, take: Callable[[Frame], Awaitable[None]]) -> None:
        """Hand on the client's frames until it is gone; pings are answered here."""
        while True:
            try:
                frame = await self._frames.get()
            except MailboxClosedError:
                return
            if len(self._frames) == 0:
                self._link.resume_reading()
            if isinstance(frame, Ping):
                await self._send(self._codec.ping(frame.ping_id))
            else:
                await take(frame)

    async def accept(self, stream_id: int) -> None:
        """Accept a stream that the client has opened."""
        self._last_stream_id = max(self._last_stream_id, stream_id)
        await self._send(self._codec.syn_reply(stream_id))

    async def reset(self, stream_id: int) -> None:
        """Give a stream up, or refuse it."""
        await self._send(self._codec.reset(stream_id))

    async def send(self, stream_id: int, data: bytes, *, fin: bool = False) -> None:
        """Send data on a stream; waits while the client is slow.

        Raises:
            ConnectionError: the client is gone.
        """
        for start in range(0, max(len(data), 1), DATA_FRAME_BYTES):
            part = data[start : start + DATA_FRAME_BYTES]
            last = start + DATA_FRAME_BYTES >= len(data)
            await self._send(self._codec.data(stream_id, part, fin=fin and last))

    async def _send(self, frame: bytes) -> None:
        if self._link.is_closing():
            raise ConnectionResetError("the client closed the connection")
        await self._link.send(frame)

    async def close(self) -> None:
        """Say that this is the end, and close when all is sent."""
        if not self._link.is_closing():
            await self._link.send(self._codec.go_away(self._last_stream_id))
            await self._link.close()
