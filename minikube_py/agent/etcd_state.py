"""The state in an etcd cluster (`--datastore-endpoint`): opening it, and snapshots of it in the common format.

Snapshots lie in DATA/server/etcd-snapshots and are taken on request; one can be restored into an embedded store, and
one of an embedded store into etcd. A restore into etcd writes the difference; etcd's revisions only go forward, so
clients see it as changes.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from minikube_py.agent.errors import AgentError
from minikube_py.apiserver.canonical import stamp, unstamp
from minikube_py.config import AgentConfig, Datastore
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.files import make_private_folder
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.disk import Storage
from minikube_py.store.interface import StoreOpenError, StoreReadOnlyError
from minikube_py.store.io.etcd_client import EtcdEndpoints, EtcdError
from minikube_py.store.io.etcd_store import EtcdStore, open_etcd_store, replace_all
from minikube_py.store.io.folder_check import list_snapshots, one_snapshot
from minikube_py.store.io.open_store import StoreOptions, storage_of
from minikube_py.store.io.restore import RestoreError, load_state
from minikube_py.store.io.snapshot_file import write_snapshot
from minikube_py.store.io.snapshotter import remove_old
from minikube_py.store.snapshot import SnapshotDamagedError, SnapshotHeader


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
        yield store, _Commands(store, storage, clock, options).table()


class _Commands:
    """What a running agent does with a store in etcd."""

    def __init__(self, store: EtcdStore, storage: Storage, clock: Clock, options: StoreOptions) -> None:
        self._store = store
        self._storage = storage
        self._clock = clock
        self._options = options

    def table(self) -> Mapping[str, Any]:
        """Return the commands by their words."""
        return {
            "snapshot-save": self.save,
            "snapshot-list": self.list,
            "snapshot-verify": self.verify,
            "secrets-encrypt-status": self.no_rotation,
            "secrets-encrypt-rotate": self.no_rotation,
            "secrets-encrypt-prune": self.no_rotation,
        }

    async def save(self) -> Mapping[str, Any]:
        """Take a snapshot of the copy in memory, as of one revision."""
        entries = list(self._store.range(""))
        encryption = self._options.encryption
        keys = (encryption.primary,) if encryption is not None else ()
        header = SnapshotHeader(1, self._store.revision, self._clock.wall_s(), len(entries), keys, "request")

        def work() -> Mapping[str, Any]:
            make_private_folder(self._storage.folder)
            name = write_snapshot(self._storage, header, entries)
            remove_old(self._storage, self._options.policy)
            return one_snapshot(self._storage, str(name))

        try:
            return await asyncio.to_thread(work)
        except (OSError, SnapshotDamagedError) as error:
            return {"error": f"the snapshot could not be made: {error}"}

    async def list(self) -> Mapping[str, Any]:
        """List the snapshots."""
        items = await asyncio.to_thread(lambda: [facts.shown() for facts in list_snapshots(self._storage)])
        return {"folder": str(self._storage.folder), "items": items}

    async def verify(self) -> Mapping[str, Any]:
        """Compare the copy in memory with what etcd holds, and read all snapshots."""
        try:
            faults = list(await self._store.check())
        except (EtcdError, StoreReadOnlyError) as error:
            return {"error": str(error)}
        facts = await asyncio.to_thread(list_snapshots, self._storage)
        faults += [f"snapshot {fact.name} is damaged: {fact.damage}" for fact in facts if fact.damage]
        report = {"epoch": 1, "revision": self._store.revision, "keys": self._store.count("")}
        return {**report, "snapshots": len(facts), "transactions": 0, "faults": faults, "notes": []}

    async def no_rotation(self) -> Mapping[str, Any]:
        """Refuse: what etcd holds would have to be written anew, which is not done."""
        return {"error": "keys cannot be shown or rotated while the state is in etcd"}


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
        seals = (storage.seal, storage.unseal)
        async with open_etcd_store(read_endpoints(datastore), stamp=stamp, clock=SystemClock(), seals=seals) as store:
            await replace_all(store, {entry.key: unstamp(entry.value) for entry in state.entries.values()}, unstamp)
            facts = {"snapshot": path.name, "revision": store.revision, "fromRevision": state.revision}
            return {**facts, "keys": len(state.entries), "notes": []}

    try:
        return asyncio.run(work())
    except (RestoreError, StoreOpenError, StoreReadOnlyError) as error:
        raise AgentError(str(error)) from error
