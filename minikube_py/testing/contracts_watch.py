"""The nine watch guarantees under load, for every Store: random writers, watches from the past, now and the future.

A test module derives a class from WatchContract and gives a fixture `store`, as for StoreContract.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import pytest

from minikube_py.store.interface import Committed, Delete, Operation, Put, Store, StoreEvent
from minikube_py.testing.contracts_store import DEPLOYMENTS, PODS, a_value, put
from minikube_py.testing.watch_validators import GUARANTEES, Observed, Response

PREFIXES = (PODS, PODS + "x/", DEPLOYMENTS, "", PODS + "x/k1")
WRITES = 150
WRITERS = 6


async def _write(store: Store, rng: Random, count: int) -> None:
    for number in range(count):
        operations: list[Operation] = []
        for place in rng.sample(range(12), rng.choice((1, 1, 2, 3))):
            key = f"{rng.choice((PODS, DEPLOYMENTS))}{rng.choice('xy')}/k{place}"
            present = store.get(key)
            if present is not None and rng.random() < 0.35:
                operations.append(Delete(key, rng.choice((None, present.mod_revision))))
            else:
                operations.append(Put(key, a_value(f"k{place}", number), None if rng.random() < 0.7 else 0))
        if len({operation.key for operation in operations}) == len(operations):
            await store.commit(operations)


async def _watch(store: Store, prefix: str, after: int, end: "asyncio.Future[int]") -> Observed:
    """Watch until everything up to `end` was told; every few answers the watch is closed and begun again."""
    responses: list[Response] = []
    watcher = store.watch(prefix, after)
    reached = after
    while not (end.done() and reached >= end.result()):
        try:
            async with asyncio.timeout(0.05):
                events, reached = await watcher.next_batch()
        except TimeoutError:
            reached = watcher.progress()
            responses.append(Response((), reached))
            continue
        responses.append(Response(tuple(events), reached))
        if len(responses) % 5 == 0:
            watcher.close()
            watcher = store.watch(prefix, reached)
    watcher.close()
    return Observed(prefix, after, tuple(responses))


@asynccontextmanager
async def under_load(store: Store, seed: int) -> AsyncIterator[tuple[Sequence[Observed], Sequence[StoreEvent]]]:
    """Run the load; give what watches were told, and everything that happened."""
    rng = Random(seed)  # noqa: S311 - a test's choices
    history: list[StoreEvent] = []
    store.on_commit(history.extend)
    for number in range(5):
        await put(store, PODS + f"x/k{number}", number)
    start = store.revision
    end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        watches = [
            group.create_task(_watch(store, prefix, after, end))
            for prefix in PREFIXES
            for after in (start - 3, start, start + 20)
        ]
        async with asyncio.TaskGroup() as writers:
            for _ in range(WRITERS):
                writers.create_task(_write(store, Random(rng.random()), WRITES // WRITERS))  # noqa: S311
        last = await store.commit([Put(PODS + "x/last", a_value("last"), 0)])
        assert isinstance(last, Committed)
        end.set_result(last.revision)
    yield [watch.result() for watch in watches], history


class WatchContract:
    """One test for each guarantee."""

    @pytest.mark.parametrize("guarantee", sorted(GUARANTEES))
    async def test_under_load_every_watch_is(self, store: Store, guarantee: str) -> None:
        """As etcd promises."""
        async with under_load(store, seed=len(guarantee)) as (watches, history):
            assert sum(len(observed.events) for observed in watches) > WRITES
            for observed in watches:
                faults = GUARANTEES[guarantee](observed, history)
                assert faults == [], f"watch of {observed.prefix!r} after {observed.after}: {faults[:3]}"
