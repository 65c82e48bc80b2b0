"""Connections to ports of pods for `kubectl port-forward`: from inside the pod's network namespace, to its localhost.

A server that listens on 127.0.0.1 only is reached too, as upstream promises. Upstream: containerd's and cri-dockerd's
port forward (setns, dial localhost), dockershim (nsenter with socat).
"""

import asyncio
import os
import socket
from contextlib import suppress

from minikube_py.api.errors import InternalError, NotFoundError
from minikube_py.api.streams import PodRef
from minikube_py.kit.io.netns import open_socket_of_process

CONNECT_TIMEOUT_S = 10.0
READ_BYTES = 64 << 10
_LOCALHOSTS = (("IPv4", socket.AF_INET, "127.0.0.1"), ("IPv6", socket.AF_INET6, "::1"))


class SocketConnection:
    """Implements api.streams.PodConnection on a connected socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """Return what the pod sent, nothing at its end."""
        return await self._reader.read(READ_BYTES)

    async def write(self, data: bytes) -> None:
        """Send, and wait while the pod does not read."""
        self._writer.write(data)
        await self._writer.drain()

    def write_eof(self) -> None:
        """Let the pod read the end."""
        # The pod may have closed the connection between two lines of ours.
        with suppress(OSError, RuntimeError):
            self._writer.write_eof()

    def close(self) -> None:
        """Close both directions."""
        self._writer.close()


async def connect_localhost(ref: PodRef, sandbox_pid: int, port: int) -> SocketConnection:
    """Connect to `port` of localhost in the network namespace of a pod's sandbox.

    Raises:
        NotFoundError: the sandbox is gone.
        InternalError: nothing listens there; with the kernel's reasons.
    """
    refusals: list[str] = []
    for name, family, address in _LOCALHOSTS:
        try:
            made = await asyncio.to_thread(open_socket_of_process, sandbox_pid, family, socket.SOCK_STREAM)
        except FileNotFoundError as error:
            raise NotFoundError(f'the sandbox of pod "{ref.pod}" is gone') from error
        except OSError as error:
            refusals.append(f"{name}: {error.strerror}")
            continue
        try:
            return await _connect(made, address, port)
        except TimeoutError:
            refusals.append(f"{name}: dial {address}:{port}: i/o timeout")
        except OSError as error:
            refusals.append(f"{name}: dial {address}:{port}: connect: {os.strerror(error.errno or 0).lower()}")
    raise InternalError(f"failed to connect to localhost:{port} inside the pod: {', '.join(refusals)}")


async def _connect(made: socket.socket, address: str, port: int) -> SocketConnection:
    made.setblocking(False)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return SocketConnection(*await asyncio.open_connection(sock=made))
