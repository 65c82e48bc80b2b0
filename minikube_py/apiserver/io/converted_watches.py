"""Publishes the events of watches whose objects a webhook must convert first: in order, one after the other.

Upstream does the same inside of its decoder, for each watcher.
"""

import asyncio
import logging

from minikube_py.api.errors import StatusError
from minikube_py.apiserver.io.event_fanout import ResourceWatches
from minikube_py.apiserver.io.views import Views

log = logging.getLogger("apiserver")


class ConvertedWatches:
    """Empties the queues of waiting events."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._ready: dict[ResourceWatches, None] = {}
        self._wake = asyncio.Event()

    def take(self, watches: ResourceWatches) -> None:
        """Note that events of these watches wait (ResourceWatches.on_waiting)."""
        self._ready[watches] = None
        self._wake.set()

    async def run(self) -> None:
        """Convert and publish until cancelled; watchers whose events cannot be converted are cut off."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            for watches in tuple(self._ready):
                del self._ready[watches]
                await self._empty(watches)

    async def _empty(self, watches: ResourceWatches) -> None:
        while watches.waiting:
            event = watches.waiting[0]
            try:
                seen = await self._views.event(watches.resource, event)
            except StatusError as error:
                log.warning("watches of %s end: %s", watches.resource.qualified, error.message)
                watches.end()
                return
            if watches.waiting and watches.waiting[0] is event:
                watches.publish(seen)
                del watches.waiting[0]
