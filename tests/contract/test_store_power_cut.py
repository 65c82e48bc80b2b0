"""A power cut after every byte of a small log: the store opens with a prefix that holds all that was acknowledged."""

import asyncio
from pathlib import Path

import pytest

from minikube_py.apiserver.canonical import stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.check import check_state, diff_states, replay
from minikube_py.store.disk import Storage
from minikube_py.store.interface import Committed, Delete, Operation, Put, StoreOpenError
from minikube_py.store.io.open_store import StoreOptions, open_store
from minikube_py.store.io.recovery import read_layout, recover, replay_log
from minikube_py.store.mvcc import Mvcc
from minikube_py.store.records import Transaction
from minikube_py.testing.contracts_store import a_value
from minikube_py.testing.sim_disk import SimDisk

FOLDER = Path("/sim")
NAME = "00000001-0000000000000001.log"


async def a_small_log(folder: Path) -> tuple[bytes, list[tuple[int, Transaction]]]:
    """Write in groups; return the log, and each acknowledged transaction with where the log ended by then."""
    acknowledged: list[tuple[int, Transaction]] = []
    disk = SimDisk()

    async def commit(store, *operations: Operation) -> None:
        result = await store.commit(operations)
        assert isinstance(result, Committed)
        plain = tuple(Put(o.key, o.value, None) if isinstance(o, Put) else Delete(o.key, None) for o in operations)
        acknowledged.append((store._wal.end, Transaction(result.revision, plain)))

    options = StoreOptions(disk=disk)
    async with open_store(folder, stamp=stamp, clock=SystemClock(), options=options) as store:
        for group_of in (1, 3, 2, 4):
            async with asyncio.TaskGroup() as group:
                for number in range(group_of):
                    key = f"/registry/core/configmaps/x/{group_of}{number}"
                    group.create_task(commit(store, Put(key, a_value(key, number), 0)))
        await commit(store, Delete("/registry/core/configmaps/x/30", None), Put("/other", a_value("o"), 0))
        end = store._wal.end
    return disk.contents()[NAME][:end], acknowledged


def recovered(content: bytes) -> tuple[Mvcc, list[Transaction]]:
    disk = SimDisk()
    disk.create(FOLDER / NAME).write_at(content, 0)
    storage = Storage(disk, FOLDER)
    state = recover(storage, stamp, 0.0).state
    transactions: list[Transaction] = []

    def take(transaction: Transaction) -> bool:
        transactions.append(Transaction(transaction.revision, transaction.operations))
        return True

    replay_log(storage, read_layout(storage), 0, take)
    return state, transactions


@pytest.mark.parametrize("tail", [b"", bytes(4096)], ids=["short file", "zeros"])
async def test_a_cut_after_any_byte_keeps_all_that_was_acknowledged(tmp_path, tail):
    log, acknowledged = await a_small_log(tmp_path)
    written = [transaction for _, transaction in acknowledged]
    for cut in range(log.index(b"/registry"), len(log) + 1):
        state, transactions = recovered(log[:cut] + tail)

        assert transactions == written[: len(transactions)]
        assert len(transactions) >= sum(end <= cut for end, _ in acknowledged)
        assert check_state(state) == ()
        assert diff_states(state, replay(transactions, stamp)) == ()


async def test_any_flipped_bit_is_refused_or_harmless(tmp_path):
    log, acknowledged = await a_small_log(tmp_path)
    written = [transaction for _, transaction in acknowledged]
    refused = 0
    places = range(0, len(log), 3)
    for place in places:
        damaged = log[:place] + bytes([log[place] ^ 1 << place % 8]) + log[place + 1 :]
        try:
            assert recovered(damaged + bytes(2000))[1] == written
        except StoreOpenError:
            refused += 1
    assert refused > len(places) * 0.9
