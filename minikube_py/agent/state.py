"""The durable state of a master: opening it, and what `minikube-py snapshot` and `secrets-encrypt` do with it.

While an agent runs, it does the work itself (the commands come over its control socket); else the command works on
the folder, under the same lock. Both answer with the same JSON.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from minikube_py.agent.errors import AgentError
from minikube_py.agent.folders import make_folders
from minikube_py.apiserver.canonical import stamp
from minikube_py.config import AgentConfig
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.disk import Storage
from minikube_py.store.encryption import Encryption
from minikube_py.store.interface import Store, StoreOpenError
from minikube_py.store.io.embedded_store import EmbeddedStore
from minikube_py.store.io.folder_check import CheckReport, check_folder, list_snapshots, one_snapshot
from minikube_py.store.io.folder_lock import locked
from minikube_py.store.io.key_file import keys_in_use, open_encryption, read_keys, rotate, write_keys
from minikube_py.store.io.open_store import StoreOptions, open_store, storage_of
from minikube_py.store.io.recovery import Until
from minikube_py.store.io.restore import RestoreError, RestoreSource, restore
from minikube_py.store.io.snapshotter import SnapshotError
from minikube_py.store.layout import UnknownFileError, parse_snapshot_name
from minikube_py.store.snapshot import SnapshotDamagedError

Command = Callable[[], Awaitable[Mapping[str, Any]]]


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


class _Commands:
    """What a running agent does with its store."""

    def __init__(self, config: AgentConfig, store: EmbeddedStore, options: StoreOptions) -> None:
        self._config = config
        self._store = store
        self._encryption = options.encryption
        self._storage = storage_of(store_dir(config), options)

    def table(self) -> Mapping[str, Command]:
        """Return the commands by their words."""
        return {
            "snapshot-save": self.save,
            "snapshot-list": self.list,
            "snapshot-verify": self.verify,
            "secrets-encrypt-status": self.encryption_status,
            "secrets-encrypt-rotate": self.rotate,
            "secrets-encrypt-prune": self.prune,
        }

    async def save(self) -> Mapping[str, Any]:
        """Take a snapshot now."""
        return await self._take("request")

    async def list(self) -> Mapping[str, Any]:
        """List the snapshots."""
        return await asyncio.to_thread(_listed, self._storage)

    async def verify(self) -> Mapping[str, Any]:
        """Walk over log, snapshots and memory."""
        return _reported(await self._store.snapshots.check(stamp))

    async def encryption_status(self) -> Mapping[str, Any]:
        """Tell which keys there are and which are in use."""
        return await asyncio.to_thread(_encryption_status, self._config, self._storage)

    async def rotate(self) -> Mapping[str, Any]:
        """Seal with a new key from now on, and write everything anew with it."""
        assert self._encryption is not None, "an agent always has keys"
        try:
            self._encryption.use(rotate(key_file(self._config)))
        except StoreOpenError as error:
            return {"error": str(error)}
        return await self._take("rotate")

    async def prune(self) -> Mapping[str, Any]:
        """Forget the keys that no file needs."""
        assert self._encryption is not None, "an agent always has keys"
        answer = await asyncio.to_thread(_prune, self._config, self._storage)
        self._encryption.use(read_keys(key_file(self._config)))
        return answer

    async def _take(self, reason: str) -> Mapping[str, Any]:
        try:
            name = await self._store.snapshots.take(reason)
        except SnapshotError as error:
            return {"error": str(error)}
        return one_snapshot(self._storage, str(name))


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
        return _on_closed(config, _listed)
    if config.datastore is None and word == "snapshot-verify":
        return _on_closed(config, lambda storage: _reported(check_folder(storage, stamp)))
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


def _listed(storage: Storage) -> Mapping[str, Any]:
    try:
        return {"folder": str(storage.folder), "items": [facts.shown() for facts in list_snapshots(storage)]}
    except (StoreOpenError, OSError) as error:
        return {"error": str(error)}


def _reported(report: CheckReport) -> Mapping[str, Any]:
    return asdict(report)


def _encryption_status(config: AgentConfig, storage: Storage) -> Mapping[str, Any]:
    try:
        keys, used = read_keys(key_file(config)), keys_in_use(storage)
    except (StoreOpenError, OSError) as error:
        return {"error": str(error)}
    rows = [{"name": key.name, "seals": at == 0, "inUse": key.name in used} for at, key in enumerate(keys)]
    return {"file": str(key_file(config)), "keys": rows}


def _prune(config: AgentConfig, storage: Storage) -> Mapping[str, Any]:
    try:
        keys, used = read_keys(key_file(config)), keys_in_use(storage)
        kept = (*keys[:1], *(key for key in keys[1:] if key.name in used))
        write_keys(key_file(config), kept)
    except (StoreOpenError, OSError) as error:
        return {"error": str(error)}
    return {"removed": [key.name for key in keys if key not in kept]}
