"""A watch over HTTP/1.1: the past is written with back-pressure, the present straight to the transport.

Each live event is one chunk of bytes that all watchers with the same form share; writing what has come since the
last turn costs one system call and no task switch. A watcher whose connection holds more unsent bytes than the limit
is cut off: it can watch again from where it was.

Upstream: apiserver endpoints/handlers/watch.go.
"""

import asyncio
from contextlib import suppress
from random import Random
from typing import cast

from aiohttp import web

from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.io.http_requests import start
from minikube_py.apiserver.io.watch_session import Failed, Happened, InitialEnd, PastEvent, WatchSession
from minikube_py.apiserver.watch_events import (
    ChangeBatch,
    ChangeType,
    Form,
    WatchedChange,
    as_chunk,
    bookmark,
    bookmark_body,
    error_body,
    event_line,
)
from minikube_py.apiserver.watch_pace import WatchPace
from minikube_py.kit.clock import Clock


class HttpWatch:
    """Runs one watch on one connection."""

    def __init__(self, session: WatchSession, config: ApiServerConfig, clock: Clock, rng: Random) -> None:
        self._session = session
        self._config = config
        self._clock = clock
        self._rng = rng
        self._transport: asyncio.WriteTransport | None = None
        self._ended = asyncio.Event()
        answer = session.form
        self._first = Form(answer, headers=True)
        self._later = Form(answer, headers=False) if answer.transform == "Table" else self._first
        self._next_form = self._first
        self._plain = answer.plain
        self._written = 0
        self.dropped = False
        """The watcher was too slow."""

    def end(self) -> None:
        """End the watch: the client is gone, or the server stops."""
        self._ended.set()

    def deliver(self, batch: ChangeBatch) -> None:
        """Write live events, one system call for all (io.event_fanout.Subscriber)."""
        if self._plain:
            self._write(batch.plain_chunks())
        else:
            self._write(b"".join(self._chunk(change, change_type) for change, change_type in batch))

    def _chunk(self, change: WatchedChange, change_type: ChangeType) -> bytes:
        form, self._next_form = self._next_form, self._later
        return change.chunk(change_type, form, self._clock.wall_s)

    def _write(self, chunk: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            self._ended.set()
            return
        if transport.get_write_buffer_size() > self._config.watch_buffer_bytes_max:
            self.dropped = True
            self._transport = None
            transport.abort()
            self._ended.set()
            return
        transport.write(chunk)

    async def run(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Answer until the watch is over; `response` is not prepared yet."""
        response.headers["content-type"] = "application/json"
        response.enable_chunked_encoding()
        await start(request, response)
        # A cast and no check: uvloop's transports have the methods, not the base class.
        self._transport = cast("asyncio.WriteTransport | None", request.transport)
        try:
            async for event in self._session.past(self):
                self._write(self._past_chunk(event))
                await self._take_turn()
                if isinstance(event, Failed) or self._ended.is_set():
                    break
            else:
                await self._live()
        finally:
            self._session.close()
        if not self.dropped:
            with suppress(ConnectionError):
                await response.write_eof()

    def _past_chunk(self, event: PastEvent) -> bytes:
        resource, form = self._session.resource, self._session.form
        match event:
            case Happened(change, change_type):
                return self._chunk(change, change_type)
            case InitialEnd(revision):
                obj = bookmark(resource, revision, initial_end=True)
                return as_chunk(event_line("BOOKMARK", bookmark_body(resource, obj, form)))
            case Failed(error):
                return as_chunk(event_line("ERROR", error_body(error)))

    async def _take_turn(self) -> None:
        """Wait while the client is slow with the past, and let others run now and then."""
        self._written += 1
        if self._written % _EVENTS_A_TURN == 0:
            await asyncio.sleep(0)
        while self._transport is not None and self._transport.get_write_buffer_size() > _PAST_BUFFER_BYTES:
            if self._transport.is_closing() or self._ended.is_set():
                return
            await asyncio.sleep(_DRAIN_POLL_S)

    async def _live(self) -> None:
        pace = WatchPace(self._config, self._session.options, self._clock.now_s(), self._rng)
        resource, form = self._session.resource, self._session.form
        while not self._ended.is_set():
            wait_s = pace.wait_s(self._clock.now_s())
            if wait_s is None:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._ended.wait()
            if not self._ended.is_set() and pace.take_bookmark(self._clock.now_s()):
                body = bookmark_body(resource, bookmark(resource, self._session.revision()), form)
                self._write(as_chunk(event_line("BOOKMARK", body)))


_PAST_BUFFER_BYTES = 1 << 20
"""While the past is sent, no more than about this much waits in the connection's buffer."""
_DRAIN_POLL_S = 0.005
_EVENTS_A_TURN = 64
"""So many events of the past are written before others run."""
