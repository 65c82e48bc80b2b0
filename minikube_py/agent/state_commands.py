"""What a running master does with its state for `minikube-py snapshot` and `secrets-encrypt`, whichever store it is.

An answer with `error` says why it was not done.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from minikube_py.store.disk import Storage
from minikube_py.store.encryption import Encryption
from minikube_py.store.interface import StoreOpenError
from minikube_py.store.io.folder_check import list_snapshots, one_snapshot
from minikube_py.store.io.key_file import read_keys, write_keys
from minikube_py.store.io.snapshotter import SnapshotError, Snapshotter

Command = Callable[[], Awaitable[Mapping[str, Any]]]


def listed(storage: Storage) -> Mapping[str, Any]:
    """Return the snapshots of a folder."""
    try:
        return {"folder": str(storage.folder), "items": [facts.shown() for facts in list_snapshots(storage)]}
    except (StoreOpenError, OSError) as error:
        return {"error": str(error)}


class StateCommands(ABC):
    """The commands of one store."""

    def __init__(
        self, key_path: Path, storage: Storage, snapshots: Snapshotter, encryption: Encryption | None
    ) -> None:
        assert encryption is not None, "an agent always has keys"
        self._key_path = key_path
        self._storage = storage
        self._snapshots = snapshots
        self._encryption = encryption

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

    async def save(self, reason: str = "request") -> Mapping[str, Any]:
        """Take a snapshot now."""
        try:
            name = await self._snapshots.take(reason)
        except SnapshotError as error:
            return {"error": str(error)}
        return one_snapshot(self._storage, str(name))

    async def list(self) -> Mapping[str, Any]:
        """List the snapshots."""
        return await asyncio.to_thread(listed, self._storage)

    @abstractmethod
    async def verify(self) -> Mapping[str, Any]:
        """Hold what is kept against the copy in memory, and read all snapshots."""

    async def encryption_status(self) -> Mapping[str, Any]:
        """Tell which keys there are, and which of them are needed to read what is kept."""
        try:
            used = await self.keys_in_use()
            keys = await asyncio.to_thread(read_keys, self._key_path)
        except (StoreOpenError, OSError) as error:
            return {"error": str(error)}
        rows = [{"name": key.name, "seals": at == 0, "inUse": key.name in used} for at, key in enumerate(keys)]
        return {"file": str(self._key_path), "keys": rows}

    @abstractmethod
    async def rotate(self) -> Mapping[str, Any]:
        """Seal with a new key from now on, and write everything anew with it."""

    async def prune(self) -> Mapping[str, Any]:
        """Forget the keys that nothing needs."""
        try:
            used = await self.keys_in_use()
            keys = await asyncio.to_thread(read_keys, self._key_path)
            kept = (*keys[:1], *(key for key in keys[1:] if key.name in used))
            await asyncio.to_thread(write_keys, self._key_path, kept)
        except (StoreOpenError, OSError) as error:
            return {"error": str(error)}
        self._encryption.use(kept)
        return {"removed": [key.name for key in keys if key not in kept]}

    @abstractmethod
    async def keys_in_use(self) -> frozenset[str]:
        """Return the names of the keys with which something is sealed that is kept.

        Raises:
            StoreOpenError, OSError: it cannot be looked at.
        """
