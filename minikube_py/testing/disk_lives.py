"""Lives of a store on a disk that fails: after each one, what is found must be exactly what was promised.

One seed is one story: several lives of the real EmbeddedStore on one SimDisk, each with concurrent writers, rotation
of segments and snapshots within a few transactions, and an end by a power cut, an I/O error, a full disk or an
orderly stop; sometimes a bit flips while nobody looks. The rule: the state found is that of a prefix of the
transactions in the order of their revisions, and the prefix holds every one that was acknowledged. Only a flipped
bit allows refusing to open, with a text.
"""

import asyncio
import errno
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from minikube_py.apiserver.canonical import canonical, stamp
from minikube_py.store.check import check_state
from minikube_py.store.disk import Disk, Storage
from minikube_py.store.interface import Committed, Delete, Operation, Put, StoreOpenError, StoreReadOnlyError
from minikube_py.store.io import open_store as opening
from minikube_py.store.io import snapshotter, wal
from minikube_py.store.io.embedded_store import EmbeddedStore
from minikube_py.store.io.folder_check import check_folder
from minikube_py.store.io.open_store import StoreOptions, open_store
from minikube_py.store.io.snapshotter import SnapshotError
from minikube_py.store.records import Transaction, decode_transaction
from minikube_py.store.retention import HistoryBounds, SnapshotPolicy
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.sim_disk import Faults, SimDisk

FOLDER = Path("/sim/store")
WRITERS = 4
LIVES = 4
KEYS = 12
HISTORY = HistoryBounds(age_s=300.0, records_max=40, log_bytes_max=20_000)
POLICY = SnapshotPolicy(log_bytes_max=4000, records_max=15, age_s=1e9, kept=2, retry_s=1.0, history=HISTORY)


class BrokenPromiseError(AssertionError):
    """What was found is not what was promised."""


@dataclass(slots=True)
class Story:
    """What happened so far."""

    rng: Random
    intended: list[Transaction] = field(default_factory=list)
    """Every transaction that was handed to the log, in order; those that a cut took are taken off again."""
    acknowledged: int = 0
    """The newest revision that was acknowledged."""
    opened: int = 0
    refused: int = 0
    flipped: bool = False


class _RecordedWal(wal.Wal):
    """The log, which tells the story what it was given."""

    story: Story

    def append(self, transactions: Sequence[bytes], revision_before: int, *, reserve_bytes: int | None = None) -> int:
        del self.story.intended[revision_before:]  # what was refused for want of room never was
        self.story.intended += [decode_transaction(payload) for payload in transactions]
        return super().append(transactions, revision_before, reserve_bytes=reserve_bytes)


class _AtOnce(Executor):
    """A thread that does its work when it is given it, so that a seed is the same story every time."""

    def __init__(self, **_names: object) -> None:
        """Take the arguments of a ThreadPoolExecutor."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it now."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        return future


@contextmanager
def quiet_log() -> Iterator[None]:
    """Let the store complain to nobody while this lasts: that the disk fails is the point."""
    log = logging.getLogger("store")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


@contextmanager
def small_files(*, record: bool = True) -> Iterator[None]:
    """Let segments end and space be written ahead in small steps, without lock and threads, while this lasts.

    With `record`, a Story is told what the log is given.
    """
    changes = [
        (wal, "SEGMENT_BYTES_MAX", 6000),
        (wal, "ZERO_BYTES", 1024),
        (wal, "RESERVE_BYTES", 2048),
        (opening, "locked", nullcontext),
        (opening, "Wal", _RecordedWal if record else wal.Wal),
        (opening, "ThreadPoolExecutor", _AtOnce),
        (snapshotter, "ThreadPoolExecutor", _AtOnce),
    ]
    kept = [(module, name, getattr(module, name)) for module, name, _ in changes]
    try:
        for module, name, value in changes:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)


def run_story(seed: int) -> Story:
    """Run the story of one seed.

    Raises:
        BrokenPromiseError: a promise was broken.
    """
    story = Story(Random(seed))  # noqa: S311 - a story must be repeatable
    with small_files(), quiet_log():
        uvloop.run(_run(story))
    return story


async def _run(story: Story) -> None:
    rng = story.rng
    _RecordedWal.story = story
    disk = SimDisk(_faults(rng))
    for life in range(LIVES):
        try:
            await _live(story, disk)
        except StoreOpenError as error:
            if not (story.flipped or _was_hurt(disk)):
                raise BrokenPromiseError(f"life {life} could not begin: {error}") from error
            story.refused += 1
            if story.flipped:
                return
        disk.is_off = True
        disk = disk.after_power_cut(rng, _faults(rng))
        if rng.random() < 0.15:
            _flip(story, disk)


def _was_hurt(disk: SimDisk) -> bool:
    """Return whether the disk failed in this life, so that not beginning is right."""
    return (
        disk.is_off
        or any(number <= disk.operations for number in disk.faults.errors)
        or (disk.faults.capacity_bytes < 1 << 40)
    )


def _faults(rng: Random) -> Faults:
    kind = rng.randrange(6)
    if kind == 0:
        return Faults(cut_after_bytes=rng.randrange(1, 30_000))
    if kind == 1:
        return Faults(cut_at_operation=rng.randrange(1, 120))
    if kind == 2:
        return Faults(errors={rng.randrange(1, 150): errno.EIO})
    if kind == 3:
        return Faults(capacity_bytes=rng.randrange(8_000, 40_000))
    if kind == 4:
        return Faults(errors={rng.randrange(1, 150): errno.ENOSPC, rng.randrange(1, 150): errno.ENOSPC})
    return Faults()


def _flip(story: Story, disk: SimDisk) -> None:
    rng = story.rng
    name, content = rng.choice(sorted(disk.contents().items()) or [("", b"")])
    if content:
        disk.flip_bit(name, rng.randrange(len(content)), rng.randrange(8))
        story.flipped = True


async def _live(story: Story, disk: SimDisk) -> None:
    clock = ManualClock()
    try:
        async with open_store(FOLDER, stamp=stamp, clock=clock, options=StoreOptions(POLICY, disk=disk)) as store:
            story.opened += 1
            _compare(story, store)
            async with asyncio.TaskGroup() as group:
                for _ in range(WRITERS):
                    group.create_task(_write(story, store))
            _compare(story, store)
    except BaseExceptionGroup as error:
        broken = error.subgroup(lambda e: isinstance(e, BrokenPromiseError))
        if broken is not None:
            raise broken from error
        rest = error.split(wal.LogBrokenError)[1]
        if rest is not None:
            raise
    if not disk.is_off and not story.flipped:
        _check_files(disk)


def _check_files(disk: Disk) -> None:
    """An orderly end, or an error: whatever the files hold must be consistent."""
    report = check_folder(Storage(disk, FOLDER), stamp)
    if report.faults:
        raise BrokenPromiseError(f"the files are inconsistent: {report.faults}")


async def _write(story: Story, store: EmbeddedStore) -> None:
    rng = story.rng
    for _ in range(rng.randrange(1, 15)):
        try:
            if rng.random() < 0.05:
                await store.snapshots.take("request")
            result = await store.commit(_operations(rng, store))
        except SnapshotError:
            continue
        except StoreReadOnlyError:
            await asyncio.sleep(0)
            continue
        if isinstance(result, Committed):
            story.acknowledged = max(story.acknowledged, result.revision)


def _operations(rng: Random, store: EmbeddedStore) -> list[Operation]:
    operations: list[Operation] = []
    for number in rng.sample(range(KEYS), rng.choice((1, 1, 1, 2, 3))):
        key = f"/registry/core/configmaps/x/{number}"
        entry = store.get(key)
        if entry is not None and rng.random() < 0.3:
            operations.append(Delete(key, rng.choice((None, entry.mod_revision))))
        else:
            value = canonical(
                {"metadata": {"name": key}, "data": "v" * rng.choice((1, 30, 400, 1500)), "n": rng.random()}
            )
            operations.append(Put(key, value, rng.choice((None, entry.mod_revision if entry else 0))))
    return operations


def _compare(story: Story, store: EmbeddedStore) -> None:
    """Compare the store with a naive model of the prefix that it says it has."""
    if store.revision < story.acknowledged:
        raise BrokenPromiseError(f"revision {story.acknowledged} was acknowledged; found is {store.revision}")
    if store.revision > len(story.intended):
        raise BrokenPromiseError(f"revision {store.revision} was never written")
    del story.intended[store.revision :]
    model: dict[str, tuple[int, int, bytes]] = {}
    for transaction in story.intended:
        for operation in transaction.operations:
            if isinstance(operation, Put):
                created = model[operation.key][0] if operation.key in model else transaction.revision
                value = stamp(operation.value, transaction.revision)
                model[operation.key] = (created, transaction.revision, value)
            else:
                del model[operation.key]
    faults = check_state(store.state)
    events = [event for events in store.state.history.after(store.compact_revision) for event in events]
    told = [(e.revision, e.key, None if e.entry is None else e.entry.value) for e in events]
    if faults or told != list(_events(story.intended, store.compact_revision)):
        raise BrokenPromiseError(f"the history from revision {store.compact_revision} on is not what was written")
    found = {e.key: (e.create_revision, e.mod_revision, e.value) for e in store.range("")}
    if found != model:
        wrong = sorted(key for key in found.keys() | model.keys() if found.get(key) != model.get(key))
        raise BrokenPromiseError(f"at revision {store.revision} these keys are not what was written: {wrong}")


def _events(transactions: Sequence[Transaction], after: int) -> Iterator[tuple[int, str, bytes | None]]:
    """Yield what watches from a revision on must be told."""
    for transaction in transactions[after:]:
        for operation in transaction.operations:
            value = stamp(operation.value, transaction.revision) if isinstance(operation, Put) else None
            yield transaction.revision, operation.key, value
