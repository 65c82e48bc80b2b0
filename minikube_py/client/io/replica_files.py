"""Follows collections through a server, keeps them on the disk, and gives them from there when no server answers.

What starts without a server gets, as its first list, the collection as it was last seen, with its version: the
reflector then watches on from there, as after any connection that broke, once the server is back. From then on
everything comes from the server. Files are written a while after a change, all changes of that while at once; what
the last while brought is lost by a crash, and comes again by the watch.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from minikube_py.api.errors import UnavailableError
from minikube_py.api.resource import Resource
from minikube_py.client.interface import EVERYTHING, ListWatch, ObjectList, Selection, WatchEvent
from minikube_py.client.replica import Collection, decode_list, encode_list, file_name
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.files import make_private_folder, write_atomic

log = logging.getLogger("client")

WRITE_AFTER_S = 3.0
"""How long changes are collected before they are written."""
WRITE_SHARE = 0.02
"""Writing takes no more of the time than this, however large the collections are."""


class ReplicaFiles:
    """Implements ListWatch over another one; `run` writes the files."""

    def __init__(self, source: ListWatch, folder: Path, clock: Clock) -> None:
        self._source = source
        self._folder = folder
        self._clock = clock
        self._collections: dict[str, Collection] = {}
        self._unwritten: set[str] = set()
        self._changed = asyncio.Event()

    async def list(self, resource: Resource, selection: Selection = EVERYTHING) -> ObjectList:
        """Return what the server has; the first time, what was last seen of it when no server answers.

        Raises:
            StatusError: the server refuses, or does not answer and nothing is kept.
        """
        name = file_name(resource, selection)
        try:
            listed = await self._source.list(resource, selection)
        except UnavailableError as error:
            kept = None if name in self._collections else self._read(name)
            if kept is None:
                raise
            log.warning("%s are taken as they were last seen: %s", resource.plural, error.message)
            self._collections[name] = Collection(kept)
            return kept
        self._collections[name] = Collection(listed)
        self._note(name)
        return listed

    async def watch(
        self, resource: Resource, resource_version: str, selection: Selection = EVERYTHING
    ) -> AsyncIterator[WatchEvent]:
        """Yield what the server tells, and keep it."""
        name = file_name(resource, selection)
        collection = self._collections[name]
        async for event in self._source.watch(resource, resource_version, selection):
            if collection.follow(event):
                self._note(name)
            yield event

    def _note(self, name: str) -> None:
        self._unwritten.add(name)
        self._changed.set()

    def _read(self, name: str) -> ObjectList | None:
        try:
            return decode_list((self._folder / name).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("%s cannot be used: %s", self._folder / name, error)
            return None

    async def run(self) -> None:
        """Write what changed until cancelled."""
        while True:
            await self._changed.wait()
            await self._clock.sleep(WRITE_AFTER_S)
            started_s = self._clock.now_s()
            await self.write()
            await self._clock.sleep((self._clock.now_s() - started_s) / WRITE_SHARE)

    async def write(self) -> None:
        """Write what changed now; a collection that cannot be written stays to be written."""
        self._changed.clear()
        for name in sorted(self._unwritten):
            self._unwritten.discard(name)
            try:
                await asyncio.to_thread(self._write, name, self._collections[name].listed())
            except OSError as error:
                log.warning("%s is not written: %s", self._folder / name, error)
                self._unwritten.add(name)

    def _write(self, name: str, listed: ObjectList) -> None:
        make_private_folder(self._folder)
        write_atomic(self._folder / name, encode_list(listed), 0o600)
