"""SPDY/3.1 framing without I/O: bytes in, frames out, and back.

kubectl before 1.30 runs exec and attach over SPDY only, newer ones fall back to it; port-forward is SPDY always,
since 1.31 inside WebSocket messages. No maintained library speaks it.
What clients use of it is small: streams opened by the client, data, half-close, pings. Flow-control windows are not
kept: the clients' library neither sends nor reads WINDOW_UPDATE, and TCP's own back-pressure holds.

Specification: SPDY Protocol Draft 3.1. Header blocks are compressed with one zlib context for each direction of a
connection, so frames must be decoded in order and none may be skipped.
"""

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

FRAME_BYTES_MAX = 1 << 20
"""A longer frame is a protocol fault; clients send 32 KiB."""
HEADER_BLOCK_BYTES_MAX = 64 << 10
"""A header block that inflates to more is a protocol fault."""

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges "
    "age allow authorization cache-control connection content-base content-encoding content-language "
    "content-length content-location content-md5 content-range content-type date etag expect expires from "
    "host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location "
    "max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer "
    "transfer-encoding upgrade user-agent vary via warning www-authenticate method get status"
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 "
    "Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 "
    "Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug "
    "Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch"
    "charset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _counted(words: Iterable[str]) -> bytes:
    return b"".join(struct.pack(">I", len(word)) + word.encode() for word in words)


DICTIONARY = (
    _counted(
        [*_WORDS.split(), "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"]
    )
    + _TAIL.encode()
)
"""The draft's compression dictionary: counted words, then common values. zlib checks it by its Adler-32."""

FLAG_FIN = 0x01
REFUSED_STREAM = 3
"""Reasons of a RST_STREAM."""
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY, _HEADERS = 1, 2, 3, 6, 7, 8


class SpdyError(Exception):
    """The peer broke the protocol; the connection must end."""


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The peer opened a stream (SYN_STREAM)."""

    stream_id: int
    headers: Mapping[str, str]
    fin: bool


@dataclass(frozen=True, slots=True)
class StreamData:
    """Data of a stream; `fin`: the peer sends no more on it."""

    stream_id: int
    data: bytes
    fin: bool


@dataclass(frozen=True, slots=True)
class StreamReset:
    """The peer gave the stream up (RST_STREAM)."""

    stream_id: int


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping, to be sent back as it is."""

    ping_id: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """The peer opens no more streams."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A frame that asks for nothing (SETTINGS, WINDOW_UPDATE, HEADERS, SYN_REPLY)."""

    type: int


Frame: TypeAlias = StreamOpened | StreamData | StreamReset | Ping | GoAway | Ignored


class SpdyCodec:
    """One connection's framing state: what is left of the input, and the two compression contexts."""

    def __init__(self) -> None:
        self._input = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes from the peer and return the frames that they complete.

        Raises:
            SpdyError: they are no SPDY/3.1.
        """
        self._input += data
        frames: list[Frame] = []
        while len(self._input) >= 8:
            length = int.from_bytes(self._input[5:8])
            if length > FRAME_BYTES_MAX:
                raise SpdyError(f"a frame of {length} bytes is longer than {FRAME_BYTES_MAX}")
            if len(self._input) < 8 + length:
                break
            head, body = bytes(self._input[:8]), bytes(self._input[8 : 8 + length])
            del self._input[: 8 + length]
            frames.append(self._control(head, body) if head[0] & 0x80 else _data(head, body))
        return frames

    def _control(self, head: bytes, body: bytes) -> Frame:
        version, kind = struct.unpack(">HH", head[:4])
        if version & 0x7FFF != 3:
            raise SpdyError(f"SPDY version {version & 0x7FFF} is not 3")
        minimum = {_SYN_STREAM: 10, _SYN_REPLY: 4, _HEADERS: 4, _RST_STREAM: 8, _PING: 4}.get(kind, 0)
        if len(body) < minimum:
            raise SpdyError(f"a control frame of type {kind} has only {len(body)} bytes")
        number = int.from_bytes(body[:4]) & 0x7FFFFFFF
        if kind == _SYN_STREAM:
            return StreamOpened(number, self._headers(body[10:]), bool(head[4] & FLAG_FIN))
        if kind in (_SYN_REPLY, _HEADERS):
            self._headers(body[4:])  # keeps the compression context in step
            return Ignored(kind)
        if kind == _RST_STREAM:
            return StreamReset(number)
        if kind == _PING:
            return Ping(int.from_bytes(body[:4]))
        return GoAway() if kind == _GOAWAY else Ignored(kind)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._inflate.decompress(block, HEADER_BLOCK_BYTES_MAX)
        except zlib.error as error:
            raise SpdyError(f"a header block cannot be inflated: {error}") from error
        if self._inflate.unconsumed_tail:
            raise SpdyError(f"a header block inflates to more than {HEADER_BLOCK_BYTES_MAX} bytes")
        return _parse_headers(text)

    def syn_reply(self, stream_id: int) -> bytes:
        """Return the frame that accepts a stream."""
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _control_frame(_SYN_REPLY, 0, struct.pack(">I", stream_id) + block)

    def data(self, stream_id: int, data: bytes, *, fin: bool = False) -> bytes:
        """Return the frame that carries `data`."""
        return struct.pack(">II", stream_id, (FLAG_FIN if fin else 0) << 24 | len(data)) + data

    def reset(self, stream_id: int, status: int = REFUSED_STREAM) -> bytes:
        """Return the frame that gives a stream up."""
        return _control_frame(_RST_STREAM, 0, struct.pack(">II", stream_id, status))

    def ping(self, ping_id: int) -> bytes:
        """Return a ping, or the answer to one."""
        return _control_frame(_PING, 0, struct.pack(">I", ping_id))

    def go_away(self, last_stream_id: int) -> bytes:
        """Return the frame that announces the end."""
        return _control_frame(_GOAWAY, 0, struct.pack(">II", last_stream_id, 0))


def _control_frame(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack(">HHI", 0x8003, kind, flags << 24 | len(body)) + body


def _data(head: bytes, body: bytes) -> StreamData:
    return StreamData(int.from_bytes(head[:4]), body, bool(head[4] & FLAG_FIN))


def _parse_headers(text: bytes) -> dict[str, str]:
    words: list[str] = []
    try:
        (count,) = struct.unpack_from(">I", text)
        offset = 4
        for _ in range(2 * min(count, HEADER_BLOCK_BYTES_MAX)):
            (length,) = struct.unpack_from(">I", text, offset)
            word = text[offset + 4 : offset + 4 + length]
            if len(word) != length:
                raise SpdyError("a header block is cut off")
            words.append(word.decode("latin-1"))
            offset += 4 + length
    except struct.error as error:
        raise SpdyError("a header block is cut off") from error
    return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=True)}
