"""List, then watch, for ever: keeps a copy of a resource next to the server (upstream: client-go Reflector).

  1. List, and hand the whole list over; its version is where the watch begins.
  2. Watch from the last version seen, bookmarks included. When the stream ends, watch again from there.
  3. When that version is gone (410) or not there yet (504: the server was set back), or a list fails, begin again
     at 1.
Every failure waits for a back-off with jitter, so that a server that comes back is not met by everybody at once; a
stream that ended well but at once counts as a failure too.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from minikube_py.api.errors import GoneError, StatusError, TimeoutStatusError
from minikube_py.api.meta import resource_version_of
from minikube_py.api.resource import Resource
from minikube_py.client.interface import ListWatch, ObjectList, Selection, WatchEvent
from minikube_py.kit.backoff import BackoffPolicy, BackoffState, next_backoff
from minikube_py.kit.clock import Clock

log = logging.getLogger("client")

RETRY = BackoffPolicy(initial_s=0.1, maximum_s=30.0, reset_after_s=120.0)
SHORT_WATCH_S = 1.0
"""A watch that ends sooner and without an event is taken for a failure."""


class ReflectorTarget(Protocol):
    """What a reflector keeps up to date; all calls are synchronous and in the server's order."""

    def replace(self, listed: ObjectList) -> None:
        """Take over a whole list."""
        ...

    def follow(self, event: WatchEvent) -> None:
        """Take over one ADDED, MODIFIED or DELETED."""
        ...

    def reach(self, revision: int) -> None:
        """Note that nothing else happened up to `revision`."""
        ...


class Reflector:
    """Follows one selection of one resource; `pick_fraction` gives random numbers in [0, 1) for the jitter."""

    def __init__(
        self,
        client: ListWatch,
        resource: Resource,
        selection: Selection,
        target: ReflectorTarget,
        clock: Clock,
        pick_fraction: Callable[[], float],
    ) -> None:
        self._client = client
        self._resource = resource
        self._selection = selection
        self._target = target
        self._clock = clock
        self._pick_fraction = pick_fraction
        self._backoff: BackoffState | None = None
        self._version = ""

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except (GoneError, TimeoutStatusError) as error:
                # A server that has not reached the version was set back: it goes on from somewhere else.
                log.info("watch of %s must begin again: %s", self._resource.qualified, error)
                self._version = ""
                await self._back_off()
            except StatusError as error:
                log.warning("cannot follow %s: %s", self._resource.qualified, error)
                await self._back_off()

    async def _list(self) -> None:
        listed = await self._client.list(self._resource, self._selection)
        self._target.replace(listed)
        self._version = listed.resource_version

    async def _watch(self) -> None:
        started_s, events = self._clock.now_s(), 0
        async for event in self._client.watch(self._resource, self._version, self._selection):
            events += 1
            if event.type == "BOOKMARK":
                self._target.reach(resource_version_of(event.object))
            else:
                self._target.follow(event)
            self._version = str(resource_version_of(event.object))
        if not events and self._clock.now_s() - started_s < SHORT_WATCH_S:
            await self._back_off()

    async def _back_off(self) -> None:
        self._backoff = next_backoff(RETRY, self._backoff, self._clock.now_s())
        await self._clock.sleep(self._backoff.delay_s * (1 + self._pick_fraction()))
