"""Rounds of `kill -9` of a process with 64 writers; after each one the log is held against all that was seen."""

import asyncio
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from minikube_py.apiserver.canonical import stamp
from minikube_py.kit.io.process import kill_child
from minikube_py.store.disk import Storage
from minikube_py.store.interface import Put
from minikube_py.store.io.folder_check import check_folder
from minikube_py.store.io.local_disk import LocalDisk
from minikube_py.store.io.recovery import read_layout, recover, replay_log
from minikube_py.store.records import Transaction
from minikube_py.testing.revision_witness import Found, History, Read, Write, check_history

ALIVE_S = (0.02, 0.3)
"""How long a process lives after its first acknowledgement."""
START_TIMEOUT_S = 60.0


class KillFaultError(AssertionError):
    """Something was lost, or appeared, or was seen that cannot have been."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the rounds were made of."""

    rounds: int = 0
    acknowledged: int = 0
    unanswered: int = 0
    refused: int = 0
    reads: int = 0
    watched: int = 0

    def plus(self, other: "Totals") -> "Totals":
        """Return both together."""
        return Totals(*(mine + more for mine, more in zip(astuple(self), astuple(other), strict=True)))


def _totals(history: History, refused: int) -> Totals:
    return Totals(
        1,
        sum(write.revision is not None for write in history.writes),
        sum(write.returned_s is None for write in history.writes),
        refused,
        len(history.reads),
        sum(map(len, history.watches)),
    )


@dataclass(slots=True)
class Judge:
    """Holds what processes saw against the files of their store, one life after the other."""

    folder: Path
    removed: Path | None = None
    """Where the process copies segments of the log before it removes them."""
    revision: int = 0
    before: Mapping[str, int] = field(default_factory=dict)
    totals: Totals = Totals()

    def judge(self, seen: Iterable[Mapping[str, Any]]) -> None:
        """Check one life, which has ended.

        Raises:
            KillFaultError: a promise was broken.
        """
        storage = Storage(LocalDisk(), self.folder)
        history, refused = parse_seen(seen)
        faults = check_folder(storage, stamp).faults
        faults = (*faults, *check_history(self.before, self.revision, history, self._read()))
        if faults:
            raise KillFaultError("; ".join(faults[:5]))
        state = recover(storage, stamp, 0.0).state
        self.before = {key: entry.mod_revision for key, entry in state.entries.items()}
        self.revision = state.revision
        self.totals = self.totals.plus(_totals(history, refused))

    def _read(self) -> list[Found]:
        with TemporaryDirectory(prefix="mkpy-judge-") as joined:
            for folder in (self.removed, self.folder):
                for path in folder.glob("*.log") if folder is not None else ():
                    link = Path(joined, path.name)
                    link.unlink(missing_ok=True)
                    link.symlink_to(path)
            return _read(Storage(LocalDisk(), Path(joined)), self.revision)


async def run_rounds(folder: Path, rounds: int, seed: int) -> Totals:
    """Run the rounds on one store.

    Raises:
        KillFaultError: a promise was broken.
    """
    rng = Random(seed)  # noqa: S311 - rounds must be repeatable
    judge = Judge(folder)
    for number in range(rounds):
        life = f"s{seed}r{number}"
        seen = await _one_life(folder, life, rng.uniform(*ALIVE_S))
        try:
            judge.judge(seen)
        except KillFaultError as error:
            raise KillFaultError(f"round {number}, seed {seed}, {folder}: {error}") from error
    return judge.totals


async def start_writer(folder: Path, life: str, removed: Path | None = None) -> asyncio.subprocess.Process:
    """Start a process that writes until it is killed, and tells what it sees on stdout.

    With `removed` it copies segments of the log there before it removes them.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "minikube_py.testing.store_writer",
        str(folder),
        life,
        *([str(removed)] if removed is not None else []),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        limit=1 << 24,
    )


async def _one_life(folder: Path, life: str, alive_s: float) -> list[dict[str, Any]]:
    """Let a process write until it is killed; return what it told."""
    process = await start_writer(folder, life)
    assert process.stdout is not None
    lines: list[bytes] = []
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not lines or b'"return"' not in lines[-1]:
                line = await process.stdout.readline()
                if not line:
                    raise KillFaultError(f"life {life} ended by itself with {await process.wait()}")
                lines.append(line)
        reading = process.stdout.read()
        async with asyncio.TaskGroup() as group:
            rest = group.create_task(reading)
            await asyncio.sleep(alive_s)
            kill_child(process.pid)
    finally:
        if process.returncode is None:
            kill_child(process.pid)
        await process.wait()
    return parse_lines(b"".join(lines) + rest.result())


def parse_lines(output: bytes) -> list[dict[str, Any]]:
    """Return the whole lines of a process's output."""
    return [orjson.loads(line) for line in output.splitlines(keepends=True) if line.endswith(b"\n")]


def parse_seen(seen: Iterable[Mapping[str, Any]]) -> tuple[History, int]:
    """Return a process's lines as a history, and how many writes were refused for want of room."""
    proposed: dict[str, Mapping[str, Any]] = {}
    answers: dict[str, Mapping[str, Any]] = {}
    reads: list[Read] = []
    watched: list[tuple[int, str]] = []
    for line in seen:
        match line["did"]:
            case "propose":
                proposed[line["id"]] = line
            case "return" | "refuse":
                answers[line["id"]] = line
            case "read":
                reads.append(Read(line["key"], line["revision"], line["began"], line["at"]))
            case "watch":
                watched += [(revision, key) for revision, key in line["events"]]
            case _:
                pass
    writes = [_write(line, answers.get(name)) for name, line in proposed.items()]
    refused = sum(answer["did"] == "refuse" for answer in answers.values())
    return History(writes, reads, (watched,)), refused


def _write(line: Mapping[str, Any], answer: Mapping[str, Any] | None) -> Write:
    returned_s = answer["at"] if answer is not None else None
    revision = answer.get("revision") if answer is not None else None
    return Write(line["id"], line["key"], line["expect"], line["at"], returned_s, revision)


def _read(storage: Storage, after: int) -> list[Found]:
    found: list[Found] = []

    def take(transaction: Transaction) -> bool:
        if transaction.revision > after:
            (operation,) = transaction.operations
            assert isinstance(operation, Put)
            found.append(Found(transaction.revision, operation.key, orjson.loads(operation.value)["id"]))
        return True

    layout = read_layout(storage)
    replay_log(storage, layout.of_epoch(layout.epoch), after, take)
    return found
