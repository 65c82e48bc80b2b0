"""Writes Events for a component: `record` never waits and never fails, `run` sends.

Events are best effort, as upstream: a full queue loses the oldest notice, a write that the API server refuses is
logged and given up, one that it cannot take now is tried again WRITE_TRIES_MAX times. `client.events` decides what
is written. Upstream: client-go tools/record (EventBroadcaster, EventRecorder).
"""

import logging
from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import (
    InternalError,
    NotFoundError,
    StatusError,
    TimeoutStatusError,
    TooManyRequestsError,
    UnavailableError,
)
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import EVENTS
from minikube_py.client.events import (
    CountEvent,
    CreateEvent,
    Decision,
    EventCorrelator,
    EventSource,
    EventType,
    Notice,
    object_reference,
)
from minikube_py.client.interface import Client
from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids
from minikube_py.kit.io.mailbox import Mailbox, OnFull

log = logging.getLogger("events")

QUEUE_MAX = 1000
"""Notices that wait to be written; at the bound the oldest is lost."""
WRITE_TRIES_MAX = 6
RETRY_S = 0.5
"""First wait between tries; doubles each time."""

_TRY_AGAIN = (UnavailableError, TooManyRequestsError, TimeoutStatusError, InternalError)


class EventRecorder:
    """What a component says about objects; one for each component, `run` in a task of its own."""

    def __init__(self, client: Client, clock: Clock, ids: Ids, component: str, host: str) -> None:
        self._client = client
        self._clock = clock
        self._ids = ids
        self._correlator = EventCorrelator(EventSource(component, host))
        self._queue: Mailbox[tuple[float, Notice]] = Mailbox(QUEUE_MAX, OnFull.DROP_OLDEST)

    def record(
        self, involved: Mapping[str, Any], type: EventType, reason: str, message: str, field_path: str = ""
    ) -> None:
        """Note that something happened to `involved` (a whole object, with apiVersion and kind); returns at once."""
        notice = Notice(object_reference(involved, field_path), type, reason, message)
        self._queue.put_nowait((self._clock.wall_s(), notice))

    def record_progress(self, involved: Mapping[str, Any], reason: str, message: str, field_path: str = "") -> None:
        """Note how far something is that takes long: one Event, whose message becomes this one; returns at once.

        It does not count against what the object may say: the caller sets the pace.
        """
        notice = Notice(object_reference(involved, field_path), "Normal", reason, message, is_progress=True)
        self._queue.put_nowait((self._clock.wall_s(), notice))

    async def run(self) -> None:
        """Write what was recorded, in order, until cancelled."""
        while True:
            await self._write_next()

    async def flush(self) -> None:
        """Write what waits, and return (for an orderly stop)."""
        while len(self._queue):
            await self._write_next()

    async def _write_next(self) -> None:
        wall_s, notice = await self._queue.get()
        salt = int(self._ids.new_uid()[-12:], 16)
        await self._write(self._correlator.handle(wall_s, notice, salt))

    async def _write(self, decision: Decision) -> None:
        delay_s = RETRY_S
        for attempt in range(1, WRITE_TRIES_MAX + 1):
            try:
                await self._write_once(decision)
            except _TRY_AGAIN as error:
                if attempt == WRITE_TRIES_MAX:
                    log.warning("event is lost after %d tries: %s", attempt, error.message)
                    return
                await self._clock.sleep(delay_s)
                delay_s *= 2
            except StatusError as error:
                # A namespace that is going away takes no new Events; nothing to mend.
                log.debug("event is not written: %s", error.message)
                return
            else:
                return

    async def _write_once(self, decision: Decision) -> None:
        if isinstance(decision, CreateEvent):
            await self._client.create(EVENTS, decision.event)
        elif isinstance(decision, CountEvent):
            try:
                await self._client.patch(EVENTS, ObjectKey(decision.namespace, decision.name), decision.patch)
            except NotFoundError:
                await self._client.create(EVENTS, decision.event)
