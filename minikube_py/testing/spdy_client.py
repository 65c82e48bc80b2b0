"""A client of SPDY/3.1 as kubectl before 1.30 is one, for tests: upgrades a request and opens streams."""

import asyncio
import struct
import zlib
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from minikube_py.streaming.spdy import Frame, SpdyCodec, StreamData, StreamReset


class SpdyClientCodec(SpdyCodec):
    """Also opens streams, which a server never does."""

    def syn_stream(self, stream_id: int, headers: Mapping[str, str]) -> bytes:
        """Return the frame that opens a stream."""
        words = [word.encode() for pair in headers.items() for word in pair]
        text = struct.pack(">I", len(headers)) + b"".join(struct.pack(">I", len(word)) + word for word in words)
        block = self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return struct.pack(">HHIIIH", 0x8003, 1, 10 + len(block), stream_id, 0, 0) + block


class SpdyClient:
    """One connection; used as a context."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._codec = SpdyClientCodec()
        self._next_stream_id = 1
        self._frames: list[Frame] = []
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    async def upgrade(self, path: str, headers: Iterable[tuple[str, str]], *protocols: str) -> int:
        """POST `path` asking for SPDY, and return the status of the answer."""
        asked = [("Host", "test"), ("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), ("Content-Length", "0")]
        asked += [*headers, *(("X-Stream-Protocol-Version", protocol) for protocol in protocols)]
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in asked)]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        first, *rest = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        if self.status != 101:
            self.body = await self._reader.readexactly(int(self.headers.get("content-length", "0")))
        return self.status

    def open_stream(self, headers: Mapping[str, str]) -> int:
        """Open a stream and return its number."""
        stream_id, self._next_stream_id = self._next_stream_id, self._next_stream_id + 2
        self._writer.write(self._codec.syn_stream(stream_id, headers))
        return stream_id

    def send(self, stream_id: int, data: bytes, *, fin: bool = False) -> None:
        """Send data on a stream."""
        self._writer.write(self._codec.data(stream_id, data, fin=fin))

    def reset(self, stream_id: int) -> None:
        """Give a stream up."""
        self._writer.write(self._codec.reset(stream_id))

    def send_raw(self, data: bytes) -> None:
        """Send bytes that may be no SPDY."""
        self._writer.write(data)

    async def next_frame(self) -> Frame | None:
        """Return the next frame, None at the end of the connection."""
        while not self._frames:
            data = await self._reader.read(1 << 16)
            if not data:
                return None
            self._frames += self._codec.feed(data)
        return self._frames.pop(0)

    async def read_streams(self, *stream_ids: int) -> dict[int, bytes | None]:
        """Return what came on these streams until all of them have ended; None for one that was reset."""
        found: dict[int, bytes | None] = dict.fromkeys(stream_ids, b"")
        left = set(stream_ids)
        while left:
            frame = await self.next_frame()
            match frame:
                case None:
                    break
                case StreamData(stream_id, data, fin) if stream_id in found:
                    found[stream_id] = (found[stream_id] or b"") + data
                    if fin:
                        left.discard(stream_id)
                case StreamReset(stream_id) if stream_id in found:
                    found[stream_id] = None
                    left.discard(stream_id)
                case _:
                    pass
        return found
