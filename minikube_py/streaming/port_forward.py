"""The port-forward protocols without I/O: ports, the heads of streams, what is said when it fails.

Over SPDY each connection that a client forwards is a pair of streams: `error`, on which the server says what went
wrong, and `data`; the header `requestid` joins them. Over WebSocket (v4.channel.k8s.io) the ports are named in the
URL, port number i has the channels 2i (data) and 2i+1 (error), and each channel begins with the port as two bytes,
the low one first.

Upstream: kubelet cri/streaming/portforward (httpstream.go, websocket.go).
"""

import struct
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from minikube_py.api.errors import BadRequestError
from minikube_py.api.streams import PodRef

SPDY_PROTOCOL = "portforward.k8s.io"
TUNNEL_PROTOCOL = "SPDY/3.1+portforward.k8s.io"
"""SPDY's bytes inside WebSocket messages: kubectl since 1.31."""
WEBSOCKET_PROTOCOLS = (TUNNEL_PROTOCOL, "v4.channel.k8s.io", "v4.base64.channel.k8s.io")
PORTS_MAX = 100
"""More ports in one request are refused."""


@dataclass(frozen=True, slots=True)
class StreamHead:
    """What a client says of a stream that it opens; `request` joins an error stream with its data stream."""

    request: str
    kind: Literal["data", "error"]
    port: int


def parse_stream_head(stream_id: int, headers: Mapping[str, str]) -> StreamHead | None:
    """Return a stream's head; None when it has no sense."""
    kind, port = headers.get("streamtype", "").lower(), _port(headers.get("port", ""))
    if port is None or kind not in ("data", "error"):
        return None
    # Clients before 1.2 send no requestid: they open the error stream first, the data stream right behind it.
    numbered = stream_id if kind == "error" else stream_id - 2
    return StreamHead(headers.get("requestid") or str(numbered), "data" if kind == "data" else "error", port)


def parse_ports(values: Sequence[str]) -> tuple[int, ...]:
    """Return the ports of a WebSocket request's `port` parameters (each may hold several, with commas).

    Raises:
        BadRequestError: none, too many, or one that is no port.
    """
    ports: list[int] = []
    for text in (part for value in values for part in value.split(",") if part):
        port = _port(text)
        if port is None:
            raise BadRequestError(f'unable to parse "{text}" as a port: must be between 1 and 65535')
        ports.append(port)
    if not ports:
        raise BadRequestError('query parameter "port" is required')
    if len(ports) > PORTS_MAX:
        raise BadRequestError(f"at most {PORTS_MAX} ports can be forwarded in one request")
    return tuple(ports)


def _port(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    return number if 0 < number < 65536 else None


def failure_text(ref: PodRef, port: int, why: str) -> bytes:
    """Return what goes over the error stream."""
    return f"error forwarding port {port} to pod {ref.pod}, uid {ref.pod_uid}: {why}".encode()


def channel_head(port: int) -> bytes:
    """Return the first message of each WebSocket channel."""
    return struct.pack("<H", port)


def parse_message(protocol: str, message: bytes) -> tuple[int, bytes] | None:
    """Return (channel, data) of a client's WebSocket message, None when it holds none."""
    if not message:
        return None
    if "base64" not in protocol:
        return message[0], message[1:]
    try:
        return message[0] - ord("0"), b64decode(message[1:])
    except Base64Error:
        return None


def render_message(protocol: str, channel: int, data: bytes) -> bytes:
    """Return the WebSocket message that carries `data` on `channel`."""
    if "base64" in protocol:
        return bytes([ord("0") + channel]) + b64encode(data)
    return bytes([channel]) + data
