"""DNS over TCP: for answers that do not fit a datagram."""

import asyncio
from contextlib import suppress

from minikube_py.dns.config import DnsConfig
from minikube_py.dns.io.responder import Responder
from minikube_py.dns.wire import Query

_LENGTH_BYTES = 2


class TcpServer:
    """Serves the queries of each connection one after the other; bounded in connections and in idle time."""

    def __init__(self, config: DnsConfig, responder: Responder) -> None:
        self._config = config
        self._responder = responder
        self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        if self._open >= self._config.tcp_connections_max:
            writer.close()
            return
        self._open += 1
        try:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                while await self._serve_query(reader, writer):
                    pass
        finally:
            self._open -= 1
            writer.close()

    async def _serve_query(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        async with asyncio.timeout(self._config.tcp_idle_s):
            length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
            data = await reader.readexactly(length)
        answer = self._responder.answer_nowait(data, over_tcp=True)
        if isinstance(answer, Query):
            answer = await self._responder.answer(answer, over_tcp=True)
        if answer is None:
            return False
        writer.write(len(answer).to_bytes(_LENGTH_BYTES, "big") + answer)
        async with asyncio.timeout(self._config.tcp_idle_s):
            await writer.drain()
        return True
