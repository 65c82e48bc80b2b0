"""A process for kill tests: 64 writers, a reader and a watcher, telling all that they see on stdout until killed.

Each line is JSON, written with one call before the next step, so that what was seen is told even if the next
instruction is the last. A full disk is told and waited out.
"""

import asyncio
import os
import shutil
import sys
import time
from pathlib import Path
from random import Random

import orjson

from minikube_py.apiserver.canonical import canonical, stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.interface import Committed, Put, StoreReadOnlyError
from minikube_py.store.io.embedded_store import EmbeddedStore
from minikube_py.store.io.local_disk import LocalDisk
from minikube_py.store.io.open_store import StoreOptions, open_store
from minikube_py.store.retention import SnapshotPolicy

WRITERS = 64
KEYS = 40
PREFIX = "/registry/core/configmaps/x/"
POLICY = SnapshotPolicy(records_max=3000, kept=6)


def tell(**facts: object) -> None:
    """Print one line."""
    os.write(1, orjson.dumps(facts) + b"\n")


async def write_for_ever(store: EmbeddedStore, life: str, writer: int) -> None:
    """Write random keys, most of them with an expectation."""
    rng = Random(f"{life}-{writer}")  # noqa: S311 - a test's choices
    count = 0
    while True:
        count += 1
        key = f"{PREFIX}k{rng.randrange(KEYS)}"
        entry = store.get(key)
        expect = None if rng.random() < 0.2 else entry.mod_revision if entry is not None else 0
        name = f"{life}-{writer}-{count}"
        value = canonical({"metadata": {"name": key}, "id": name, "filler": "x" * rng.randrange(3000)})
        tell(did="propose", id=name, key=key, expect=expect, at=time.monotonic())
        try:
            result = await store.commit([Put(key, value, expect)])
        except StoreReadOnlyError as error:
            tell(did="refuse", id=name, at=time.monotonic(), why=str(error))
            await asyncio.sleep(0.02)
            continue
        revision = result.revision if isinstance(result, Committed) else None
        tell(did="return", id=name, revision=revision, at=time.monotonic())


async def read_for_ever(store: EmbeddedStore, life: str) -> None:
    """Read random keys."""
    rng = Random(life)  # noqa: S311 - a test's choices
    while True:
        key = f"{PREFIX}k{rng.randrange(KEYS)}"
        began_s = time.monotonic()
        await store.read_barrier()
        entry = store.get(key)
        revision = entry.mod_revision if entry is not None else 0
        tell(did="read", key=key, revision=revision, began=began_s, at=time.monotonic())
        await asyncio.sleep(0.002)


async def watch_for_ever(store: EmbeddedStore) -> None:
    """Tell what a watch tells."""
    watcher = store.watch(PREFIX, store.revision)
    while True:
        events, _ = await watcher.next_batch()
        tell(did="watch", events=[(event.revision, event.key) for event in events])


class _CopyingDisk(LocalDisk):
    """A disk that copies what it removes, so that a judge can still read it."""

    def __init__(self, removed: Path) -> None:
        self._removed = removed
        removed.mkdir(parents=True, exist_ok=True)

    def remove(self, path: Path) -> None:
        """Remove a file; its copy is there whole or not at all."""
        if path.suffix == ".log" and path.exists():
            part = self._removed / f"{path.name}.part"
            shutil.copyfile(path, part)
            part.rename(self._removed / path.name)
        super().remove(path)


async def main(folder: Path, life: str, removed: Path | None) -> None:
    """Open the store and let everybody work."""
    options = StoreOptions(policy=POLICY, disk=_CopyingDisk(removed) if removed is not None else None)
    async with open_store(folder, stamp=stamp, clock=SystemClock(), options=options) as store:
        tell(did="open", revision=store.revision)
        async with asyncio.TaskGroup() as group:
            group.create_task(watch_for_ever(store))
            group.create_task(read_for_ever(store, life))
            for writer in range(WRITERS):
                group.create_task(write_for_ever(store, life, writer))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]) if len(sys.argv) > 3 else None))
