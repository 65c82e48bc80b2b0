"""Opening the embedded store: lock, recovery, log, writer and snapshots; and closing all of it in reverse order."""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from minikube_py.kit.clock import Clock
from minikube_py.store.disk import Disk, Storage
from minikube_py.store.encryption import Encryption
from minikube_py.store.interface import Stamp, StoreOpenError
from minikube_py.store.io.embedded_store import EmbeddedStore
from minikube_py.store.io.folder_check import Captured
from minikube_py.store.io.folder_lock import locked
from minikube_py.store.io.local_disk import LocalDisk
from minikube_py.store.io.recovery import Recovered, read_layout, recover
from minikube_py.store.io.snapshotter import Progress, Snapshotter
from minikube_py.store.io.wal import LogBrokenError, Wal
from minikube_py.store.records import plain
from minikube_py.store.retention import SnapshotPolicy

log = logging.getLogger("store")


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a store is kept, beside where."""

    policy: SnapshotPolicy = field(default_factory=SnapshotPolicy)
    encryption: Encryption | None = None
    disk: Disk | None = None
    """None: the host's."""


def storage_of(folder: Path, options: StoreOptions) -> Storage:
    """Return the folder with what is needed to read and write it."""
    encryption = options.encryption
    seals = (encryption.seal, encryption.unseal) if encryption is not None else (plain, plain)
    return Storage(options.disk or LocalDisk(), folder, *seals)


@asynccontextmanager
async def open_store(
    directory: Path, *, stamp: Stamp, clock: Clock, options: StoreOptions | None = None
) -> AsyncIterator[EmbeddedStore]:
    """Open (or make) the store in `directory`, and run its writer and its snapshots while the context lasts.

    Raises:
        StoreOpenError: the directory is in use by another process, cannot be used, or what it holds is damaged.
        ExceptionGroup: of LogBrokenError, when writing failed meanwhile.
    """
    options = options or StoreOptions()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-log") as thread, locked(directory):
        storage = storage_of(directory, options)
        started_s = clock.now_s()
        found, wal = await loop.run_in_executor(thread, _recover_and_open, storage, options.policy, stamp, started_s)
        store = EmbeddedStore(found.state, wal, thread, clock, storage.seal)
        store.snapshots = Snapshotter(
            storage, clock, options.policy, found.epoch, lambda: _capture(store, options), _progress(found, clock)
        )
        log.info("store %s: revision %d, read in %.3f s", directory, store.revision, clock.now_s() - started_s)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(store.run_writer(), name="store writer")
                snapshots = group.create_task(store.snapshots.run(), name="store snapshots")
                try:
                    yield store
                finally:
                    store.stop()
                    snapshots.cancel()
        finally:
            store.snapshots.close()
            thread.shutdown(wait=True)
            wal.close()


def _recover_and_open(storage: Storage, policy: SnapshotPolicy, stamp: Stamp, now_s: float) -> tuple[Recovered, Wal]:
    try:
        for leftover in read_layout(storage).leftovers:
            storage.disk.remove(storage.folder / leftover)
        found = recover(storage, stamp, now_s, history=policy.history)
        for note in found.notes:
            log.error("store %s: %s", storage.folder, note)
        wal = Wal(storage.disk, storage.folder, found.epoch, found.end, found.state.revision)
    except (OSError, LogBrokenError) as error:
        raise StoreOpenError(f"cannot use the store in {storage.folder}: {error}") from error
    return found, wal


def _progress(found: Recovered, clock: Clock) -> Progress:
    age_s = max(0.0, clock.wall_s() - found.snapshot_wall_s) if found.snapshot is not None else 0.0
    return Progress(clock.now_s() - age_s, found.state.revision - found.records, found.log_bytes)


def _capture(store: EmbeddedStore, options: StoreOptions) -> Captured:
    key_ids = (options.encryption.primary,) if options.encryption is not None else ()
    return Captured(store.revision, list(store.state.entries.values()), key_ids)
