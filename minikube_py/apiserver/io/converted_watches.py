"""Publishes the events of watches whose objects cannot be converted at once: those of one version in their order.

A webhook must convert them, or another thread, because they are long. No version waits for another one's webhook.
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
        self._emptied: dict[ResourceWatches, None] = {}
        """Whose queue somebody is emptying."""
        self._wake = asyncio.Event()

    def take(self, watches: ResourceWatches) -> None:
        """Note that events of these watches wait (EventFanout's on_waiting)."""
        if watches not in self._emptied:
            self._ready[watches] = None
            self._wake.set()

    async def run(self) -> None:
        """Convert and publish until cancelled; watchers whose events cannot be converted are cut off."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wake.wait()
                self._wake.clear()
                for watches in tuple(self._ready):
                    del self._ready[watches]
                    self._emptied[watches] = None
                    group.create_task(self._empty(watches), name=f"converted {watches.resource.qualified}")

    async def _empty(self, watches: ResourceWatches) -> None:
        try:
            while watches.waiting:
                event = watches.waiting[0]
                seen = await self._views.event(watches.resource, event)
                if watches.waiting and watches.waiting[0] is event:
                    watches.publish(seen)
                    watches.waiting.popleft()
        except StatusError as error:
            log.warning("watches of %s end: %s", watches.resource.qualified, error.message)
            watches.end()
        finally:
            del self._emptied[watches]
