"""The fsck of a store's folder: every snapshot, the whole log between them, and memory must tell one story.

The log is replayed from the oldest snapshot on; wherever a later snapshot was taken, the replayed state must be that
snapshot, and at the end it must be what stands in memory. It blocks, and changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from minikube_py.store.check import FAULTS_MAX, check_state, diff_entries, replay_one
from minikube_py.store.disk import Storage
from minikube_py.store.encryption import SealedError
from minikube_py.store.interface import Entry, Stamp, StoreOpenError
from minikube_py.store.io.log_reader import LogFaultError
from minikube_py.store.io.recovery import read_layout, replay_log
from minikube_py.store.io.snapshot_file import load_snapshot, snapshot_header
from minikube_py.store.layout import Layout, SnapshotName
from minikube_py.store.mvcc import Mvcc
from minikube_py.store.records import Transaction
from minikube_py.store.snapshot import SnapshotDamagedError, SnapshotHeader


@dataclass(frozen=True, slots=True)
class Captured:
    """A state by reference."""

    revision: int
    entries: Sequence[Entry]
    key_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the walk found."""

    epoch: int
    revision: int
    """The newest revision that log and snapshots give."""
    keys: int
    snapshots: int
    transactions: int
    """How many were replayed."""
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Damage that costs nothing: files of an earlier epoch, a tail that was acknowledged to nobody."""


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """One snapshot of a list; `header` is None and `damage` says why when it cannot be read."""

    name: SnapshotName
    size_bytes: int
    header: SnapshotHeader | None
    damage: str = ""

    def shown(self) -> dict[str, Any]:
        """Return it as JSON for people and programs."""
        header = self.header
        shown: dict[str, Any] = {"name": str(self.name), "revision": self.name.revision, "epoch": self.name.epoch}
        shown |= {"size": self.size_bytes, "damage": self.damage}
        if header is not None:
            time = datetime.fromtimestamp(header.wall_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            shown |= {"time": time, "keys": header.entries, "reason": header.reason}
            shown["encryptionKeys"] = list(header.key_ids)
        return shown


def one_snapshot(storage: Storage, name: str) -> dict[str, Any]:
    """Return the snapshot of this name as JSON, with its path."""
    facts = next(facts for facts in list_snapshots(storage) if str(facts.name) == name)
    return {**facts.shown(), "path": str(storage.folder / name)}


def list_snapshots(storage: Storage) -> tuple[SnapshotFacts, ...]:
    """Return the snapshots of the folder by their headers, the oldest first.

    Raises:
        StoreOpenError: the folder is of another format.
    """
    facts: list[SnapshotFacts] = []
    for name in read_layout(storage).snapshots:
        path = storage.folder / str(name)
        try:
            header: SnapshotHeader | None = snapshot_header(storage.disk, path)
            damage = ""
        except SnapshotDamagedError as error:
            header, damage = None, str(error)
        facts.append(SnapshotFacts(name, _size(storage, name), header, damage))
    return tuple(facts)


def _size(storage: Storage, name: SnapshotName) -> int:
    file = storage.disk.open(storage.folder / str(name))
    try:
        return file.size
    finally:
        file.close()


def check_folder(storage: Storage, stamp: Stamp, memory: Captured | None = None) -> CheckReport:
    """Walk over everything; `memory` is what must come out (transactions beyond it are still being written)."""
    try:
        layout = read_layout(storage)
    except StoreOpenError as error:
        return CheckReport(0, 0, 0, 0, 0, (str(error),))
    return _Walk(storage, stamp, layout, memory).run()


class _Walk:
    def __init__(self, storage: Storage, stamp: Stamp, layout: Layout, memory: Captured | None) -> None:
        self._storage = storage
        self._stamp = stamp
        self._layout = layout
        self._memory = memory
        self._state = Mvcc(stamp)
        self._faults: list[str] = []
        self._notes: list[str] = []
        self._later: list[SnapshotName] = []
        """Snapshots that the replay has still to meet, the next one last."""
        self._transactions = 0

    def run(self) -> CheckReport:
        epoch = self._layout.epoch
        files = self._layout.of_epoch(epoch)
        for name in self._layout.snapshots:
            if name.epoch < epoch and isinstance(found := self._load(name), str):
                self._notes.append(found)
        self._begin(files)
        self._replay(files)
        self._faults += check_state(self._state)
        self._compare_memory()
        return CheckReport(
            epoch,
            self._state.revision,
            len(self._state.entries),
            len(files.snapshots),
            self._transactions,
            tuple(self._faults[:FAULTS_MAX]),
            tuple(self._notes[:FAULTS_MAX]),
        )

    def _begin(self, files: Layout) -> None:
        """Take the oldest snapshot that can be read as the state; those that cannot are faults."""
        waiting = list(files.snapshots)
        while waiting:
            name = waiting.pop(0)
            found = self._load(name)
            if isinstance(found, str):
                self._faults.append(found)
                continue
            self._state = Mvcc.load(found.values(), name.revision, self._stamp)
            break
        self._later = waiting[::-1]

    def _replay(self, files: Layout) -> None:
        try:
            end = replay_log(self._storage, files, self._state.revision, self._take)
        except (LogFaultError, StoreOpenError) as error:
            self._faults.append(str(error))
            return
        if end.damage:
            self._faults.append(end.damage)
        if end.torn and self._memory is None:
            self._notes.append(f"{end.segment} ends with a batch that was never acknowledged")
        self._faults += [f"snapshot {name} lies beyond the end of the log" for name in self._later]

    def _take(self, transaction: Transaction) -> bool:
        if self._memory is not None and transaction.revision > self._memory.revision:
            return False
        if transaction.revision > self._state.revision:
            replay_one(self._state, transaction, 0.0)
            self._transactions += 1
        while self._later and self._later[-1].revision <= self._state.revision:
            self._meet(self._later.pop())
        return True

    def _meet(self, name: SnapshotName) -> None:
        found = self._load(name)
        if isinstance(found, str):
            self._faults.append(found)
        elif name.revision == self._state.revision:
            self._faults += [f"snapshot {name}: {fault}" for fault in diff_entries(self._state.entries, found)]

    def _load(self, name: SnapshotName) -> Mapping[str, Entry] | str:
        """Return what a snapshot holds, or what is wrong with it."""
        entries: list[Entry] = []
        try:
            load_snapshot(self._storage, self._storage.folder / str(name), entries.extend)
        except (SnapshotDamagedError, SealedError) as error:
            return f"snapshot {name} is damaged: {error}"
        return {entry.key: entry for entry in entries}

    def _compare_memory(self) -> None:
        memory = self._memory
        if memory is None:
            return
        if memory.revision != self._state.revision:
            self._faults.append(f"memory is at revision {memory.revision}, the log at {self._state.revision}")
        expected = {entry.key: entry for entry in memory.entries}
        self._faults += [f"memory and log differ: {fault}" for fault in diff_entries(expected, self._state.entries)]
