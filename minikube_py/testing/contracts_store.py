"""What every Store must do: one suite for the one in memory, the embedded one, and whatever comes later.

A test module derives a class from StoreContract and gives a fixture `store`: an open, empty store that stamps with
`apiserver.canonical.stamp`. Method names are the sentences that must be true.
"""

import asyncio
from collections.abc import Sequence

from minikube_py.apiserver.canonical import canonical, decode, stamp
from minikube_py.store.interface import (
    Committed,
    CompactedError,
    Delete,
    Operation,
    Put,
    Rejected,
    Store,
    StoreEvent,
    Watcher,
    WatcherSlowError,
)
from minikube_py.store.watch_hub import PENDING_MAX

PODS = "/registry/core/pods/"
DEPLOYMENTS = "/registry/apps/deployments/"


def a_value(name: str, data: int = 0) -> bytes:
    """Return a canonical value."""
    return canonical({"metadata": {"name": name}, "data": data})


async def put(store: Store, key: str, data: int = 0, expect: int | None = None) -> int:
    """Write one key and return the revision."""
    result = await store.commit([Put(key, a_value(key.rpartition("/")[2], data), expect)])
    assert isinstance(result, Committed)
    return result.revision


async def delete(store: Store, key: str) -> int:
    """Delete one key and return the revision."""
    result = await store.commit([Delete(key, None)])
    assert isinstance(result, Committed)
    return result.revision


async def take(watcher: Watcher, count: int) -> list[StoreEvent]:
    """Return exactly `count` events of a watcher."""
    events: list[StoreEvent] = []
    async with asyncio.timeout(5):
        while len(events) < count:
            events += (await watcher.next_batch())[0]
    assert len(events) == count
    return events


def summary(events: Sequence[StoreEvent]) -> list[tuple[int, str, bool]]:
    """Return (revision, last part of the key, whether it stands) of each event."""
    return [(event.revision, event.key.rpartition("/")[2], event.entry is not None) for event in events]


class StoreContract:
    """The suite; every method gets an empty store."""

    async def test_a_creation_takes_the_next_revision_and_is_read_back_stamped(self, store: Store) -> None:
        """Revision, entry and bytes."""
        first = store.revision
        result = await store.commit([Put(PODS + "x/a", a_value("a"), 0)])

        entry = store.get(PODS + "x/a")
        assert result == Committed(first + 1, (entry,))
        assert entry is not None
        assert (entry.create_revision, entry.mod_revision, store.revision) == (first + 1, first + 1, first + 1)
        assert entry.value == stamp(a_value("a"), first + 1)

    async def test_a_rejected_transaction_writes_nothing_and_takes_no_revision(self, store: Store) -> None:
        """Creations of what is there, stale updates, deletions of what is not."""
        revision = await put(store, PODS + "x/a", 1, 0)
        current = store.get(PODS + "x/a")

        assert await store.commit([Put(PODS + "x/a", a_value("a"), 0)]) == Rejected(PODS + "x/a", current)
        assert await store.commit([Put(PODS + "x/a", a_value("a"), revision + 5)]) == Rejected(PODS + "x/a", current)
        assert await store.commit([Put(PODS + "x/b", a_value("b"), 3)]) == Rejected(PODS + "x/b", None)
        assert await store.commit([Delete(PODS + "x/b", None)]) == Rejected(PODS + "x/b", None)
        assert await store.commit([Delete(PODS + "x/b", 0)]) == Rejected(PODS + "x/b", None)
        assert await store.commit([Delete(PODS + "x/a", revision + 1)]) == Rejected(PODS + "x/a", current)
        assert store.revision == revision
        assert store.get(PODS + "x/a") is current

    async def test_an_update_keeps_the_create_revision(self, store: Store) -> None:
        """With the right expectation, and without one."""
        created = await put(store, PODS + "x/a", 1, 0)
        await put(store, PODS + "x/a", 2, created)
        await put(store, PODS + "x/a", 3)

        entry = store.get(PODS + "x/a")
        assert entry is not None
        assert (entry.create_revision, entry.mod_revision) == (created, created + 2)
        assert decode(entry)["data"] == 3

    async def test_a_key_that_was_deleted_can_be_created_again(self, store: Store) -> None:
        """And is then a new life."""
        created = await put(store, PODS + "x/a", 1, 0)
        await delete(store, PODS + "x/a")
        assert store.get(PODS + "x/a") is None
        again = await put(store, PODS + "x/a", 2, 0)

        entry = store.get(PODS + "x/a")
        assert entry is not None
        assert entry.create_revision == again == created + 2

    async def test_a_transaction_is_all_or_nothing_and_one_revision(self, store: Store) -> None:
        """Two keys of two resources."""
        revision = await put(store, PODS + "x/a", 1, 0)
        both: list[Operation] = [Delete(PODS + "x/a", revision), Put(DEPLOYMENTS + "x/d", a_value("d"), 0)]
        watcher = store.watch("", revision)
        committed = await store.commit(both)
        rejected = await store.commit(both)

        assert isinstance(committed, Committed)
        assert committed.entries == (None, store.get(DEPLOYMENTS + "x/d"))
        assert isinstance(rejected, Rejected)
        assert store.revision == revision + 1
        events, complete = await watcher.next_batch()
        assert summary(events) == [(revision + 1, "a", False), (revision + 1, "d", True)]
        assert complete == revision + 1

    async def test_a_range_is_sorted_bounded_and_stays_within_its_prefix(self, store: Store) -> None:
        """Order, after, limit and count."""
        for name in ("x/b", "x/a", "xy/a", "y/c"):
            await put(store, PODS + name)
        await put(store, "/registry/core/podtemplates/x/t")
        await put(store, DEPLOYMENTS + "x/d")

        def keys(prefix: str, after: str = "", limit: int = 0) -> list[str]:
            return [entry.key for entry in store.range(prefix, after=after, limit=limit)]

        assert keys(PODS) == [PODS + name for name in ("x/a", "x/b", "xy/a", "y/c")]
        assert keys(PODS + "x/") == [PODS + "x/a", PODS + "x/b"]
        assert keys(PODS, PODS + "x/a", 2) == [PODS + "x/b", PODS + "xy/a"]
        assert keys("") == sorted(keys(""))
        assert len(keys("/registry/")) == 6
        assert (store.count(PODS), store.count(PODS + "x/"), store.count(""), store.count("/nowhere/")) == (
            4,
            2,
            6,
            0,
        )

    async def test_the_past_can_be_read_and_paged(self, store: Store) -> None:
        """What came, changed and went later is not seen."""
        for name in "abc":
            await put(store, PODS + f"x/{name}", 1)
        then = store.revision
        await put(store, PODS + "x/b", 2)
        await delete(store, PODS + "x/c")
        await put(store, PODS + "x/aa", 1)

        past = store.range_at(PODS, then)
        assert [(entry.key[-1], decode(entry)["data"]) for entry in past] == [("a", 1), ("b", 1), ("c", 1)]
        page = store.range_at(PODS, then, limit=1)
        assert list(page) + list(store.range_at(PODS, then, after=page[0].key)) == list(past)
        assert list(store.range_at(PODS, store.revision)) == list(store.range(PODS))
        assert (store.count_at(PODS, then), store.count_at(PODS, then, after=page[0].key)) == (3, 2)
        assert store.count(PODS, after=PODS + "x/a") == len(store.range(PODS, after=PODS + "x/a")) == 2

    async def test_a_revision_before_the_history_is_compacted(self, store: Store) -> None:
        """Reads and watches."""
        before = store.compact_revision - 1
        asks = (
            lambda: store.range_at(PODS, before),
            lambda: store.count_at(PODS, before),
            lambda: store.watch(PODS, before),
        )
        for ask in asks:
            try:
                ask()
            except CompactedError as error:
                assert error.oldest == store.compact_revision  # noqa: PT017
            else:
                raise AssertionError("a compacted revision was served")

    async def test_a_watch_replays_the_past_and_goes_on_without_a_gap(self, store: Store) -> None:
        """Ordered, unique, reliable; only its prefix."""
        start = store.revision
        await put(store, PODS + "x/a")
        await put(store, DEPLOYMENTS + "x/d")
        await put(store, PODS + "x/b")
        watcher = store.watch(PODS, start + 1)
        await delete(store, PODS + "x/a")
        events = await take(watcher, 2)
        await put(store, PODS + "x/c")
        events += await take(watcher, 1)

        assert summary(events) == [(start + 3, "b", True), (start + 4, "a", False), (start + 5, "c", True)]

    async def test_a_deletion_carries_the_last_value_with_its_own_revision(self, store: Store) -> None:
        """And the entry that stood before."""
        await put(store, PODS + "x/a", 7)
        watcher = store.watch(PODS, store.revision)
        revision = await delete(store, PODS + "x/a")
        (event,) = await take(watcher, 1)

        assert event.last_value == stamp(a_value("a", 7), revision)
        assert event.previous is not None
        assert event.previous.mod_revision == revision - 1

    async def test_a_watch_from_the_future_is_told_nothing_older(self, store: Store) -> None:
        """It waits until that revision is passed."""
        watcher = store.watch(PODS, store.revision + 2)
        future = store.revision + 2
        for name in "abc":
            await put(store, PODS + f"x/{name}")

        assert summary(await take(watcher, 1)) == [(future + 1, "c", True)]

    async def test_progress_never_overtakes_an_event(self, store: Store) -> None:
        """It moves with foreign keys, and stands before what was not fetched."""
        watcher = store.watch(PODS, store.revision)
        foreign = await put(store, DEPLOYMENTS + "x/d")
        assert watcher.progress() == foreign
        mine = await put(store, PODS + "x/a")
        later = await put(store, DEPLOYMENTS + "x/d")
        assert watcher.progress() == mine - 1
        assert (await watcher.next_batch())[1] == later
        assert watcher.progress() == later

    async def test_a_reader_that_is_too_slow_is_cut_off_and_can_begin_again(self, store: Store) -> None:
        """Nobody else is held up by it."""
        slow, quick = store.watch(PODS, store.revision), store.watch(PODS, store.revision)
        seen = 0
        async with asyncio.TaskGroup() as group:
            for at in range(PENDING_MAX + 1):
                group.create_task(put(store, PODS + f"x/{at}"))
                if at % 512 == 511:
                    await asyncio.sleep(0.02)
                    seen += len((await quick.next_batch())[0])
        seen += len((await quick.next_batch())[0])

        assert seen == PENDING_MAX + 1
        try:
            await slow.next_batch()
        except WatcherSlowError:
            pass
        else:
            raise AssertionError("a slow watcher went on as if nothing had been lost")
        assert len(await take(store.watch(PODS, store.revision - 3), 3)) == 3

    async def test_a_closed_watch_ends_its_reader(self, store: Store) -> None:
        """Also one that waits."""
        watcher = store.watch(PODS, store.revision)
        ended: list[str] = []

        async def read() -> None:
            try:
                await watcher.next_batch()
            except WatcherSlowError:
                ended.append("reader")

        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            await asyncio.sleep(0)
            watcher.close()
        assert ended == ["reader"]
        watcher.close()

    async def test_listeners_hear_each_revision_in_order_before_the_proposer_goes_on(self, store: Store) -> None:
        """Caches are never behind what a client was told."""
        heard: list[int] = []
        store.on_commit(lambda events: heard.append(events[0].revision))
        start = store.revision
        for at in range(1, 4):
            assert await put(store, PODS + "x/a", at) == start + at
            assert heard == list(range(start + 1, start + at + 1))

    async def test_waiting_for_a_revision_ends_with_it_or_with_the_deadline(self, store: Store) -> None:
        """True, and False."""
        assert await store.wait_revision(store.revision, 0)
        assert not await store.wait_revision(store.revision + 1, 0.001)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(store.wait_revision(store.revision + 2, 5))
            await put(store, PODS + "x/a", 1)
            await put(store, PODS + "x/a", 2)
        assert waiting.result()

    async def test_of_many_creations_of_one_key_exactly_one_wins(self, store: Store) -> None:
        """And the others see who did."""
        start = store.revision

        async def create(data: int) -> Committed | Rejected:
            return await store.commit([Put(PODS + "x/a", a_value("a", data), 0)])

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(create(data)) for data in range(20)]
        results = [task.result() for task in tasks]

        winners = [result for result in results if isinstance(result, Committed)]
        assert len(winners) == 1
        losers = [result for result in results if isinstance(result, Rejected)]
        assert {loser.current for loser in losers} == {store.get(PODS + "x/a")}
        assert store.revision == start + 1

    async def test_concurrent_counters_lose_no_step(self, store: Store) -> None:
        """Read, add one, compare and swap, again when it was rejected."""
        await put(store, PODS + "x/n", 0)

        async def add_one() -> None:
            while True:
                entry = store.get(PODS + "x/n")
                assert entry is not None
                value = a_value("n", decode(entry)["data"] + 1)
                if isinstance(await store.commit([Put(PODS + "x/n", value, entry.mod_revision)]), Committed):
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(25):
                group.create_task(add_one())
        entry = store.get(PODS + "x/n")
        assert entry is not None
        assert decode(entry)["data"] == 25
        assert await store.read_barrier() == store.revision
