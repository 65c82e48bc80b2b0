"""One unary gRPC health check over a connection of its own (HTTP/2 without TLS).

h2 knows the protocol and does no input or output: no threads, no event loop of its own, a few hundred kilobytes; it
is imported with the first gRPC probe that this node has. Upstream: pkg/probe/grpc.
"""

import asyncio
from typing import TYPE_CHECKING

from minikube_py.kubelet.grpc_health import (
    MESSAGE_BYTES_MAX,
    PATH,
    GrpcAnswer,
    encode_request,
    judge_answer,
    not_connected,
    timed_out,
)
from minikube_py.kubelet.probes import ProbeOutcome

if TYPE_CHECKING:
    from h2.connection import H2Connection
    from h2.events import Event

READ_BYTES = 16 << 10


async def grpc_check(host: str, port: int, service: str, timeout_s: float, user_agent: str) -> ProbeOutcome:
    """Ask the health service of `host:port` about `service`; all failures are outcomes."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return not_connected(address, timeout_s, "context deadline exceeded")
    except OSError as error:
        return not_connected(address, timeout_s, f"connection error: {error.strerror or error}".lower())
    try:
        async with asyncio.timeout(timeout_s):
            return judge_answer(await _call(reader, writer, address, service, user_agent), timeout_s)
    except TimeoutError:
        return timed_out(timeout_s)
    except (OSError, EOFError) as error:
        return judge_answer(GrpcAnswer({"grpc-status": "14", "grpc-message": str(error)}, b""), timeout_s)
    finally:
        writer.close()


async def _call(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, service: str, user_agent: str
) -> GrpcAnswer:
    from h2.config import H2Configuration  # noqa: PLC0415 - most nodes never have such a probe
    from h2.connection import H2Connection  # noqa: PLC0415
    from h2.exceptions import ProtocolError  # noqa: PLC0415

    connection = H2Connection(H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    stream = connection.get_next_available_stream_id()
    request = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", PATH),
        (":authority", address),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", user_agent),
    ]
    connection.send_headers(stream, request)
    connection.send_data(stream, encode_request(service), end_stream=True)
    writer.write(connection.data_to_send())
    answer = _Answer()
    while not answer.ended:
        data = await reader.read(READ_BYTES)
        if not data:
            raise EOFError("error reading from server: EOF")
        try:
            for event in connection.receive_data(data):
                answer.take(event, connection)
        except ProtocolError as error:
            raise EOFError(f"connection error: {error or type(error).__name__}") from error
        writer.write(connection.data_to_send())
    return GrpcAnswer(answer.headers, bytes(answer.body))


class _Answer:
    """What has arrived so far."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.ended = False

    def take(self, event: "Event", connection: "H2Connection") -> None:
        """Take one event of the connection."""
        from h2 import events  # noqa: PLC0415

        if isinstance(event, events.ResponseReceived | events.TrailersReceived):
            self.headers |= {str(name): str(value) for name, value in event.headers or ()}
        elif isinstance(event, events.DataReceived):
            self.body += (event.data or b"")[: MESSAGE_BYTES_MAX - len(self.body)]
            connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 1)
        elif isinstance(event, events.StreamEnded):
            self.ended = True
        elif isinstance(event, events.StreamReset | events.ConnectionTerminated):
            self.headers.setdefault("grpc-status", "14")
            self.headers.setdefault("grpc-message", f"stream terminated: {event.error_code}")
            self.ended = True
