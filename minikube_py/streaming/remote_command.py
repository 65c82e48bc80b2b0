"""The remote command protocols of exec and attach, without I/O: which one, which channel, how it ends.

Upstream: apimachinery util/remotecommand and streaming. Versions: v1 has no exit status of its own, v2 and v3 send
errors as text, v4 sends a Status object, v5 adds half-close of stdin over WebSocket (`255, channel`).
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import orjson

from minikube_py.api.errors import StatusError, to_status
from minikube_py.api.meta import Obj
from minikube_py.api.streams import TerminalSize

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255

WEBSOCKET_PROTOCOLS = (
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v3.channel.k8s.io",
    "v2.channel.k8s.io",
    "channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "base64.channel.k8s.io",
)
"""What is served over WebSocket, the best first."""
SPDY_PROTOCOLS = ("v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
"""What is served over SPDY (v5 exists over WebSocket only)."""

STREAM_TYPES = {"stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "error": ERROR, "resize": RESIZE}


@dataclass(frozen=True, slots=True)
class Input:
    """Bytes that the client typed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class InputEnd:
    """The client closed its side."""


@dataclass(frozen=True, slots=True)
class Resized:
    """The client's terminal has a new size."""

    size: TerminalSize


ClientMessage: TypeAlias = Input | InputEnd | Resized | None


def choose_protocol(offered: Sequence[str], served: Sequence[str]) -> str | None:
    """Return the best protocol that both know, or None."""
    return next((protocol for protocol in served if protocol in offered), None)


def has_status_channel(protocol: str) -> bool:
    """Return whether the end is told by a Status object (v4 and later) instead of text."""
    return protocol.startswith(("v4.", "v5."))


def parse_resize(data: bytes) -> TerminalSize | None:
    """Return the size in a resize message (`{"Width":80,"Height":24}`), None when it holds none."""
    try:
        message = orjson.loads(data)
        return TerminalSize(int(message["Width"]), int(message["Height"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def parse_websocket_message(protocol: str, data: bytes) -> ClientMessage:
    """Return what one WebSocket message of the client means; None when it means nothing to us."""
    if not data:
        return None
    channel, payload = data[0], data[1:]
    if "base64" in protocol:
        channel = data[0] - ord("0")
        try:
            payload = b64decode(payload)
        except Base64Error:
            return None
    if channel == STDIN:
        return Input(payload) if payload else None
    if channel == RESIZE:
        size = parse_resize(payload)
        return Resized(size) if size else None
    if channel == CLOSE and protocol.startswith("v5.") and payload[:1] == bytes([STDIN]):
        return InputEnd()
    return None


def render_websocket_message(protocol: str, channel: int, payload: bytes) -> bytes:
    """Return the WebSocket message that carries `payload` on `channel`."""
    if "base64" in protocol:
        return str(channel).encode() + b64encode(payload)
    return bytes([channel]) + payload


def exit_status(exit_code: int) -> Obj:
    """Return the Status with which a command's end is told."""
    if exit_code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {exit_code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(exit_code)}]},
    }


def render_end(protocol: str, outcome: int | StatusError) -> bytes:
    """Return what goes over the error channel at the end: for old protocols text, and nothing on success."""
    if has_status_channel(protocol):
        status = to_status(outcome) if isinstance(outcome, StatusError) else exit_status(outcome)
        return orjson.dumps(status)
    if isinstance(outcome, StatusError):
        return outcome.message.encode()
    return str(exit_status(outcome)["message"]).encode() if outcome else b""
