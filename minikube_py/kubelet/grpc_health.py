"""The messages of the gRPC health service, and how the outcome of a check reads.

A unary call is one length-prefixed message each way on one HTTP/2 stream, with the outcome in the trailers. Request
and answer have one field each, so their protobuf needs no generated code: HealthCheckRequest{1: service},
HealthCheckResponse{1: status}. Upstream: pkg/probe/grpc; grpc.health.v1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from minikube_py.api.protobuf import encode_varint
from minikube_py.kubelet.probes import ProbeOutcome, ProbeResult

PATH = "/grpc.health.v1.Health/Check"
SERVING = 1
MESSAGE_BYTES_MAX = 4096
"""A health answer has a few bytes; more is not one."""

_OK = 0
_DEADLINE_EXCEEDED = 4
_UNIMPLEMENTED = 12
_UNAVAILABLE = 14
_CODES = (
    *("OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists"),
    *("PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented"),
    *("Internal", "Unavailable", "DataLoss", "Unauthenticated"),
)
_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")


@dataclass(frozen=True, slots=True)
class GrpcAnswer:
    """What came back on the stream: headers and trailers together, and the body."""

    headers: Mapping[str, str]
    body: bytes


def encode_request(service: str) -> bytes:
    """Return the framed HealthCheckRequest."""
    name = service.encode()
    message = b"\x0a" + encode_varint(len(name)) + name if name else b""
    return b"\x00" + len(message).to_bytes(4, "big") + message


def decode_status(body: bytes) -> int | None:
    """Return the serving status of a framed HealthCheckResponse, or None when the body is not one."""
    if len(body) < 5 or body[0] != 0 or int.from_bytes(body[1:5], "big") != len(body) - 5:
        return None
    message = body[5:]
    if not message:
        return 0  # protobuf leaves a zero out
    if message[0] != 0x08:
        return None
    value = shift = 0
    for byte in message[1:]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value
    return None


def judge_answer(answer: GrpcAnswer, timeout_s: float) -> ProbeOutcome:
    """Return what an answer means for the probe."""
    code, message = _grpc_status(answer.headers)
    if code == _UNIMPLEMENTED:
        words = f"error: this server does not implement the grpc health protocol (grpc.health.v1.Health): {message}"
        return ProbeOutcome(ProbeResult.FAILURE, words)
    if code == _DEADLINE_EXCEEDED:
        return timed_out(timeout_s)
    if code != _OK:
        name = _CODES[code] if code < len(_CODES) else f"Code({code})"
        return ProbeOutcome(
            ProbeResult.FAILURE, f"error: health rpc probe failed: rpc error: code = {name} desc = {message}"
        )
    status = decode_status(answer.body)
    if status == SERVING:
        return ProbeOutcome(ProbeResult.SUCCESS, "service healthy")
    known = status is not None and status < len(_STATUSES)
    shown = _STATUSES[status] if status is not None and known else str(status)
    return ProbeOutcome(ProbeResult.FAILURE, f'service unhealthy (responded with "{shown}")')


def _grpc_status(headers: Mapping[str, str]) -> tuple[int, str]:
    text = headers.get("grpc-status", "")
    if text.isdigit():
        return int(text), headers.get("grpc-message", "")
    http = headers.get(":status", "")
    if http:
        return _UNAVAILABLE, f"unexpected HTTP status code received from server: {http}"
    return _UNAVAILABLE, "error reading from server: EOF"


def timed_out(timeout_s: float) -> ProbeOutcome:
    """Return the outcome of a call that was not answered in time."""
    return ProbeOutcome(ProbeResult.FAILURE, f"timeout: health rpc did not complete within {timeout_s:g}s")


def not_connected(address: str, timeout_s: float, why: str) -> ProbeOutcome:
    """Return the outcome of a connection that could not be opened."""
    return ProbeOutcome(
        ProbeResult.FAILURE, f'timeout: failed to connect service "{address}" within {timeout_s:g}s: {why}'
    )
