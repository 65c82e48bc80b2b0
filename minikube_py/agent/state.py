"""The durable state of a master: opening it, and what `minikube-py snapshot` and `secrets-encrypt` do with it.

While an agent runs, it does the work itself (the commands come over its control socket); else the command works on
the folder, under the same lock. Both answer with the same JSON.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from minikube_py.agent.errors import AgentError
from minikube_py.agent.folders import make_folders
from minikube_py.agent.state_commands import Command, StateCommands, listed
from minikube_py.apiserver.canonical import stamp
from minikube_py.config import AgentConfig
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.disk import Storage
from minikube_py.store.encryption import Encryption
from minikube_py.store.interface import Store, StoreOpenError
from minikube_py.store.io.embedded_store import EmbeddedStore
from minikube_py.store.io.folder_check import check_folder
from minikube_py.store.io.folder_lock import locked
from minikube_py.store.io.key_file import keys_in_use, open_encryption, rotate
from minikube_py.store.io.open_store import StoreOptions, open_store, storage_of
from minikube_py.store.io.recovery import Until
from minikube_py.store.io.restore import RestoreError, RestoreSource, restore
from minikube_py.store.layout import UnknownFileError, parse_snapshot_name
from minikube_py.store.snapshot import SnapshotDamagedError


def store_dir(config: AgentConfig) -> Path:
    """Return the store's folder."""
    return config.server_dir / "store"


def key_file(config: AgentConfig) -> Path:
    """Return the file with the keys for Secrets."""
    return config.server_dir / "cred" / "encryption-config.json"


@asynccontextmanager
async def open_state(config: AgentConfig, clock: Clock) -> AsyncIterator[tuple[Store, Mapping[str, Command]]]:
    """Open the store while the context lasts; yield it with the commands that the control socket offers for it.

    Raises:
        StoreOpenError: it cannot be opened.
    """
    options = StoreOptions(encryption=open_encryption(key_file(config)))
    if config.datastore is not None:
        # gRPC is loaded only by those who use etcd: it costs a sixth of a second and 15 MB.
        etcd = _etcd_module()
        async with etcd.open_etcd_state(config, config.datastore, options, clock) as state:
            yield state
        return
    async with open_store(store_dir(config), stamp=stamp, clock=clock, options=options) as store:
        yield store, _Commands(config, store, options).table()


def _etcd_module() -> ModuleType:
    try:
        return importlib.import_module("minikube_py.agent.etcd_state")
    except ModuleNotFoundError as error:
        raise AgentError(
            f"--datastore-endpoint needs the Python package {error.name}: install minikube-py with the extra `etcd`"
        ) from error


class _Commands(StateCommands):
    """Those of the store that is embedded."""

    def __init__(self, config: AgentConfig, store: EmbeddedStore, options: StoreOptions) -> None:
        super().__init__(
            key_file(config), storage_of(store_dir(config), options), store.snapshots, options.encryption
        )

    async def verify(self) -> Mapping[str, Any]:
        """Walk over log, snapshots and memory."""
        return asdict(await self._snapshots.check(stamp))

    async def rotate(self) -> Mapping[str, Any]:
        """Seal with a new key from now on, and write everything anew with it."""
        try:
            self._encryption.use(rotate(self._key_path))
        except StoreOpenError as error:
            return {"error": str(error)}
        return await self.save("rotate")

    async def keys_in_use(self) -> frozenset[str]:
        """Return the names of the keys that log and snapshots need."""
        return await asyncio.to_thread(keys_in_use, self._storage)


def on_folder(config: AgentConfig, word: str) -> Mapping[str, Any]:
    """Do what a running agent does for this word, on the folder of an agent that does not run.

    Raises:
        AgentError: the folder cannot be used.
    """
    if not store_dir(config).exists() and config.datastore is None:
        raise AgentError(f"no master was started on the data folder {config.data_dir} yet")

    async def work() -> Mapping[str, Any]:
        async with open_state(config, SystemClock()) as (_, commands):
            return await commands[word]()

    # What cannot be opened is exactly what one wants to look at.
    if config.datastore is None and word == "snapshot-list":
        return _on_closed(config, listed)
    if config.datastore is None and word == "snapshot-verify":
        return _on_closed(config, lambda storage: asdict(check_folder(storage, stamp)))
    try:
        return asyncio.run(work())
    except StoreOpenError as error:
        raise AgentError(str(error)) from error


def restore_folder(config: AgentConfig, snapshot: str, until: Until) -> Mapping[str, Any]:
    """Make an earlier state the newest one; no agent may run.

    Args:
        config: whose data folder.
        snapshot: a name from the list, the path of a snapshot file, or nothing.
        until: how far to go when no snapshot is named.

    Raises:
        AgentError: it cannot be done; nothing was changed.
    """
    if config.datastore is not None:
        if until != Until():
            raise AgentError("etcd keeps no log to go back in: name a snapshot")
        etcd = _etcd_module()
        options = StoreOptions(encryption=_encryption(config))
        restored: Mapping[str, Any] = etcd.restore_into_etcd(config, config.datastore, snapshot, options)
        return restored
    source = RestoreSource(until=until)
    if snapshot:
        path = Path(snapshot)
        if path.parent != Path() or path.is_file():
            source = RestoreSource(file=path.absolute())
        else:
            try:
                source = RestoreSource(snapshot=parse_snapshot_name(snapshot))
            except UnknownFileError as error:
                raise AgentError(f"{error}, and no such file exists") from error
    make_folders(config.data_dir, config.server_dir, config.agent_dir)
    encryption = _encryption(config)

    def work(storage: Storage) -> Mapping[str, Any]:
        done = restore(storage, stamp, SystemClock().wall_s(), source, (encryption.primary,))
        facts = {"snapshot": str(done.name), "revision": done.name.revision, "fromRevision": done.from_revision}
        return {**facts, "keys": done.keys, "notes": list(done.notes)}

    return _on_closed(config, work)


def _on_closed(config: AgentConfig, work: Callable[[Storage], Mapping[str, Any]]) -> Mapping[str, Any]:
    try:
        with locked(store_dir(config)):
            return work(storage_of(store_dir(config), StoreOptions(encryption=_encryption(config))))
    except (StoreOpenError, RestoreError, SnapshotDamagedError) as error:
        raise AgentError(str(error)) from error
    except OSError as error:
        raise AgentError(f"cannot use {error.filename or store_dir(config)}: {error.strerror}") from error


def _encryption(config: AgentConfig) -> Encryption:
    try:
        return open_encryption(key_file(config))
    except StoreOpenError as error:
        raise AgentError(str(error)) from error
