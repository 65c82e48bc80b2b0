"""The API for components in this process: the same requests and answers, without HTTP, TLS or copies of objects.

A watch yields decoded objects that are shared with everybody else who looks at them: read, do not change.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from random import Random

import orjson

from minikube_py.api.errors import GoneError, from_status, to_status
from minikube_py.apiserver.audit_events import Outcome
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.io.answers import PartsResponse, WatchResponse
from minikube_py.apiserver.io.audit_log import Exchange
from minikube_py.apiserver.io.dispatcher import Dispatcher
from minikube_py.apiserver.io.watch_session import Failed, Happened, InitialEnd, WatchSession
from minikube_py.apiserver.users import UserInfo
from minikube_py.apiserver.watch_events import ChangeBatch, bookmark
from minikube_py.apiserver.watch_pace import WatchPace
from minikube_py.client.interface import WatchEvent
from minikube_py.client.wire import ApiRequest, ApiResponse
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.mailbox import Mailbox, MailboxClosedError, OnFull

Begin = Callable[[ApiRequest, UserInfo], Exchange | None]
"""Begins to write a request down for the audit log; None: it is not."""


class _MailboxSubscriber:
    """Takes live events for one task; a reader that falls too far behind is cut off."""

    def __init__(self, events_max: int) -> None:
        self.mailbox: Mailbox[WatchEvent] = Mailbox(events_max, OnFull.DISCONNECT)

    def deliver(self, batch: ChangeBatch) -> None:
        for change, change_type in batch:
            self.mailbox.put_nowait(WatchEvent(change_type, change.obj(change_type)))

    def end(self) -> None:
        self.mailbox.close()


class LocalTransport:
    """Implements client.wire.Transport in process, as one user."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        user: UserInfo,
        config: ApiServerConfig,
        clock: Clock,
        rng: Random,
        begin: Begin = lambda request, user: None,
    ) -> None:
        self._begin = begin
        self._dispatcher = dispatcher
        self._user = user
        self._config = config
        self._clock = clock
        self._rng = rng

    async def send(self, request: ApiRequest) -> ApiResponse:
        """Answer a request; a log is read to its end."""
        exchange = self._begin(request, self._user)
        if exchange is None:
            return await self._send(request, None)
        with exchange:
            response = await self._send(request, exchange)
            exchange.ended(Outcome(response.status, response.body))
            return response

    async def _send(self, request: ApiRequest, exchange: Exchange | None) -> ApiResponse:
        trail = exchange.trail if exchange is not None else None
        answer = await self._dispatcher.handle(request, self._user, trail=trail)
        match answer:
            case ApiResponse():
                return answer
            case PartsResponse(body, headers):
                return ApiResponse(200, body.whole(), headers)
            case WatchResponse(session):
                session.close()
                raise AssertionError("a watch must be sent with stream()")
            case _:
                log = b"".join([chunk async for chunk in answer.chunks])
                return ApiResponse(200, log, answer.headers)

    async def stream(self, request: ApiRequest) -> AsyncIterator[WatchEvent]:
        """Answer a watch."""
        exchange = self._begin(request, self._user)
        trail = exchange.trail if exchange is not None else None
        answer = await self._dispatcher.handle(request, self._user, trail=trail)
        if not isinstance(answer, WatchResponse):
            assert isinstance(answer, ApiResponse)
            if exchange is not None:
                exchange.ended(Outcome(answer.status, answer.body))
            raise from_status(orjson.loads(answer.body))
        if exchange is not None:
            exchange.begun(200)
        session = answer.session
        try:
            subscriber = _MailboxSubscriber(self._config.watch_buffer_events_max)
            async for event in session.past(subscriber):
                match event:
                    case Happened(change, change_type):
                        yield WatchEvent(change_type, change.obj(change_type))
                    case InitialEnd(revision):
                        yield WatchEvent("BOOKMARK", bookmark(session.resource, revision, initial_end=True))
                    case Failed(error):
                        yield WatchEvent("ERROR", to_status(error))
                        return
            async for live in self._live(session, subscriber.mailbox):
                yield live
        finally:
            session.close()
            if exchange is not None:
                exchange.ended(Outcome(200))

    async def _live(self, session: WatchSession, mailbox: Mailbox[WatchEvent]) -> AsyncIterator[WatchEvent]:
        pace = WatchPace(self._config, session.options, self._clock.now_s(), self._rng)
        while (wait_s := pace.wait_s(self._clock.now_s())) is not None:
            try:
                async with asyncio.timeout(wait_s):
                    event = await mailbox.get()
            except TimeoutError:
                if pace.take_bookmark(self._clock.now_s()):
                    yield WatchEvent("BOOKMARK", bookmark(session.resource, session.revision()))
                continue
            except MailboxClosedError:
                error = GoneError("too old resource version: the watcher was too slow")
                yield WatchEvent("ERROR", to_status(error))
                return
            yield event
