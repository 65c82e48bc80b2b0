"""The state in an etcd cluster (`--datastore-endpoint`): opening it, and snapshots of it in the common format.

Snapshots lie in DATA/server/etcd-snapshots and are taken every few hours in which something changed, and on request;
one can be restored into an embedded store, and one of an embedded store into etcd. A restore into etcd writes the
difference; etcd's revisions only go forward, so clients see it as changes.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from minikube_py.agent.errors import AgentError
from minikube_py.agent.state import key_file
from minikube_py.agent.state_commands import StateCommands
from minikube_py.apiserver.canonical import stamp, unstamp
from minikube_py.config import AgentConfig, Datastore
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.files import make_private_folder
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.disk import Storage
from minikube_py.store.encryption import Encryption, SealedError
from minikube_py.store.interface import StoreOpenError, StoreReadOnlyError
from minikube_py.store.io.etcd_client import EtcdClient, EtcdEndpoints, EtcdError
from minikube_py.store.io.etcd_maintenance import key_names, reseal, restore_all
from minikube_py.store.io.etcd_store import EtcdStore, open_etcd_store
from minikube_py.store.io.folder_check import Captured, list_snapshots
from minikube_py.store.io.key_file import keys_in_use, rotate
from minikube_py.store.io.open_store import StoreOptions, storage_of
from minikube_py.store.io.recovery import read_layout
from minikube_py.store.io.restore import RestoreError, load_state
from minikube_py.store.io.snapshotter import Progress, Snapshotter
from minikube_py.store.io.start_points import read_dates
from minikube_py.store.retention import HistoryBounds, SnapshotPolicy

POLICY = SnapshotPolicy(log_bytes_max=1 << 62, records_max=1 << 62, history=HistoryBounds(age_s=0.0))
"""etcd has a log of its own, so snapshots are for people alone: by time, and the newest few stay."""


def snapshots_dir(config: AgentConfig) -> Path:
    """Return where snapshots of etcd lie."""
    return config.server_dir / "etcd-snapshots"


def read_endpoints(datastore: Datastore) -> EtcdEndpoints:
    """Return the endpoints with the files' contents.

    Raises:
        StoreOpenError: a file cannot be read.
    """
    try:
        files = [
            path.read_bytes() if path is not None else None
            for path in (datastore.ca_path, datastore.certificate_path, datastore.key_path)
        ]
    except OSError as error:
        raise StoreOpenError(f"cannot read {error.filename}: {error.strerror}") from error
    return EtcdEndpoints(datastore.urls, *files)


@asynccontextmanager
async def open_etcd_state(
    config: AgentConfig, datastore: Datastore, options: StoreOptions, clock: Clock
) -> AsyncIterator[tuple[EtcdStore, Mapping[str, Any]]]:
    """Follow the cluster while the context lasts; yield the store with the commands of the control socket.

    Raises:
        StoreOpenError: it cannot be reached, or a file cannot be read.
    """
    storage = storage_of(snapshots_dir(config), options)
    seals = (storage.seal, storage.unseal)
    async with open_etcd_store(read_endpoints(datastore), stamp=stamp, clock=clock, seals=seals) as store:
        snapshots = _open_snapshots(storage, store, clock, options.encryption)
        try:
            async with asyncio.TaskGroup() as group:
                scheduled = group.create_task(snapshots.run(), name="etcd snapshots")
                try:
                    yield store, _Commands(config, store, storage, snapshots, options).table()
                finally:
                    scheduled.cancel()
        finally:
            snapshots.close()


def _open_snapshots(storage: Storage, store: EtcdStore, clock: Clock, encryption: Encryption | None) -> Snapshotter:
    """Go on after the newest snapshot of the folder; one of a later revision is of another cluster: a new epoch.

    Raises:
        StoreOpenError: the folder cannot be used.
    """
    try:
        make_private_folder(storage.folder)
        layout = read_layout(storage)
        for leftover in layout.leftovers:
            storage.disk.remove(storage.folder / leftover)
        dates = read_dates(storage, layout.of_epoch(layout.epoch))
    except OSError as error:
        raise StoreOpenError(f"cannot use {storage.folder}: {error.strerror}") from error
    newest = max(dates, default=None)
    is_due = newest is None and store.count("") > 0
    epoch, progress = layout.epoch, Progress(clock.now_s() - (POLICY.age_s if is_due else 0.0), 0)
    if newest is not None and newest.revision > store.revision:
        epoch += 1
    elif newest is not None:
        progress = Progress(clock.now_s() - max(0.0, clock.wall_s() - dates[newest]), newest.revision)

    def capture() -> Captured:
        key_ids = (encryption.primary,) if encryption is not None else ()
        return Captured(store.revision, store.range(""), key_ids)

    snapshots = Snapshotter(storage, clock, POLICY, epoch, capture, progress)
    snapshots.note_appended(0, store.revision)
    store.on_commit(lambda events: snapshots.note_appended(0, events[0].revision))
    return snapshots


class _Commands(StateCommands):
    """Those of a store in etcd."""

    def __init__(
        self, config: AgentConfig, store: EtcdStore, storage: Storage, snapshots: Snapshotter, options: StoreOptions
    ) -> None:
        super().__init__(key_file(config), storage, snapshots, options.encryption)
        self._store = store

    async def verify(self) -> Mapping[str, Any]:
        """Compare the copy in memory with what etcd holds, and read all snapshots."""
        try:
            faults = list(await self._store.check())
            facts = await asyncio.to_thread(list_snapshots, self._storage)
        except (EtcdError, StoreReadOnlyError, StoreOpenError, OSError) as error:
            return {"error": str(error)}
        faults += [f"snapshot {fact.name} is damaged: {fact.damage}" for fact in facts if fact.damage]
        report = {"epoch": 1, "revision": self._store.revision, "keys": self._store.count("")}
        return {**report, "snapshots": len(facts), "transactions": 0, "faults": faults, "notes": []}

    async def rotate(self) -> Mapping[str, Any]:
        """Seal with a new key from now on, and write every Secret in etcd anew with it; safe to repeat."""
        try:
            self._encryption.use(rotate(self._key_path))
            await reseal(self._store.client, self._encryption)
            await self._store.read_barrier()
        except (EtcdError, StoreOpenError, StoreReadOnlyError, SealedError) as error:
            return {"error": f"not every Secret is encrypted with the new key yet, rotate again: {error}"}
        return await self.save("rotate")

    async def keys_in_use(self) -> frozenset[str]:
        """Return the names of the keys that etcd and the snapshots need."""
        try:
            in_etcd = await key_names(self._store.client)
        except EtcdError as error:
            raise StoreOpenError(str(error)) from error
        return in_etcd | await asyncio.to_thread(keys_in_use, self._storage)


def restore_into_etcd(
    config: AgentConfig, datastore: Datastore, snapshot: str, options: StoreOptions
) -> Mapping[str, Any]:
    """Make the state of a snapshot the state that etcd holds.

    Raises:
        AgentError: there is no such snapshot, or etcd cannot be reached.
    """
    storage = storage_of(snapshots_dir(config), options)
    named = storage.folder / snapshot
    path = named if snapshot and named.is_file() else Path(snapshot).absolute()
    if not snapshot or not path.is_file():
        raise AgentError("name a snapshot of `minikube-py snapshot list`, or a file: etcd keeps no log to go back in")

    async def work() -> Mapping[str, Any]:
        state = load_state(storage, stamp, path)
        wanted = {entry.key: unstamp(entry.value) for entry in state.entries.values()}
        client = EtcdClient(read_endpoints(datastore))
        try:
            done = await restore_all(client, storage, wanted, str(path), SystemClock().wall_s())
        finally:
            await client.close()
        facts = {"snapshot": path.name, "revision": done.revision, "fromRevision": state.revision}
        return {**facts, "keys": len(wanted), "notes": [f"{done.transactions} transactions"]}

    try:
        return asyncio.run(work())
    except (RestoreError, StoreOpenError, EtcdError, SealedError) as error:
        raise AgentError(str(error)) from error
