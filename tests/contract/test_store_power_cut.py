"""A power cut after every byte of a small log: the store opens with a prefix that holds all that was acknowledged."""

import asyncio
import shutil
from pathlib import Path

import pytest

from minikube_py.apiserver.canonical import stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.check import check_state, diff_states, replay
from minikube_py.store.interface import Committed, Delete, Operation, Put, StoreOpenError
from minikube_py.store.io.open_store import open_store
from minikube_py.store.io.wal import Wal
from minikube_py.store.mvcc import Mvcc
from minikube_py.store.records import Transaction, decode_transaction
from minikube_py.testing.contracts_store import a_value


async def a_small_log(directory: Path) -> tuple[bytes, list[tuple[int, Transaction]]]:
    """Write in groups; return the log, and each acknowledged transaction with where the log ended by then."""
    acknowledged: list[tuple[int, Transaction]] = []

    async def commit(store, *operations: Operation) -> None:
        result = await store.commit(operations)
        assert isinstance(result, Committed)
        plain = tuple(Put(o.key, o.value, None) if isinstance(o, Put) else Delete(o.key, None) for o in operations)
        acknowledged.append((store._wal._end, Transaction(result.revision, plain)))

    async with open_store(directory, stamp=stamp, clock=SystemClock()) as store:
        for group_of in (1, 3, 2, 4):
            async with asyncio.TaskGroup() as group:
                for number in range(group_of):
                    key = f"/registry/core/configmaps/x/{group_of}{number}"
                    group.create_task(commit(store, Put(key, a_value(key, number), 0)))
        await commit(store, Delete("/registry/core/configmaps/x/30", None), Put("/other", a_value("o"), 0))
        end = store._wal._end
    (segment,) = directory.glob("*.log")
    return segment.read_bytes()[:end], acknowledged


def recovered(directory: Path) -> tuple[Mvcc, list[Transaction]]:
    transactions: list[Transaction] = []
    Wal.open(directory, lambda record: transactions.append(decode_transaction(record.payload))).close()
    return replay(transactions, stamp), transactions


@pytest.mark.parametrize("tail", [b"", bytes(4096)], ids=["short file", "zeros"])
async def test_a_cut_after_any_byte_keeps_all_that_was_acknowledged(tmp_path, tail):
    log, acknowledged = await a_small_log(tmp_path / "store")
    written = [transaction for _, transaction in acknowledged]
    first_batch = log.index(b"/registry")
    cut_dir = tmp_path / "cut"
    for cut in range(first_batch, len(log) + 1):
        shutil.rmtree(cut_dir, ignore_errors=True)
        cut_dir.mkdir()
        (cut_dir / "0000000000000001.log").write_bytes(log[:cut] + tail)
        state, transactions = recovered(cut_dir)

        assert transactions == written[: len(transactions)]
        assert len(transactions) >= sum(end <= cut for end, _ in acknowledged)
        assert check_state(state) == ()
        assert diff_states(state, recovered(cut_dir)[0]) == ()


async def test_any_flipped_byte_before_the_last_batch_is_refused_or_harmless(tmp_path):
    log, acknowledged = await a_small_log(tmp_path / "store")
    written = [transaction for _, transaction in acknowledged]
    last_batch = max(end for end, _ in acknowledged if end < len(log))
    segment = tmp_path / "damaged" / "0000000000000001.log"
    segment.parent.mkdir()
    refused = 0
    for place in range(0, last_batch, 3):
        segment.write_bytes(log[:place] + bytes([log[place] ^ 0x10]) + log[place + 1 :])
        try:
            assert recovered(segment.parent)[1] == written
        except StoreOpenError:
            refused += 1
    assert refused > last_batch // 3 * 0.9
