"""Lines of a byte stream of any chunking: Docker's events and pull progress are JSON lines."""

from collections.abc import AsyncIterator

from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind

LINE_BYTES_MAX = 8 << 20
"""A longer line in a stream ends it: labels are copied into every event, and an event can be large."""


async def split_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the lines of a stream of any chunking, without empty ones; Docker ends each line, so an open end is torn.

    Raises:
        ContainerRuntimeError: REFUSED, a line over LINE_BYTES_MAX.
    """
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
        if len(rest) > LINE_BYTES_MAX:
            raise ContainerRuntimeError(RuntimeErrorKind.REFUSED, f"Docker sent a line over {LINE_BYTES_MAX} bytes")
