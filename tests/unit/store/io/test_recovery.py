import asyncio

import pytest

from minikube_py.apiserver.canonical import decode, stamp
from minikube_py.store.check import check_state, diff_states
from minikube_py.store.interface import CompactedError
from minikube_py.store.io.open_store import StoreOptions, open_store
from minikube_py.store.layout import parse_layout
from minikube_py.store.mvcc import HistoryLimits
from minikube_py.store.retention import HistoryBounds, SnapshotPolicy
from minikube_py.testing.contracts_store import PODS, delete, put
from minikube_py.testing.disk_lives import small_files
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.sim_disk import SimDisk

KEPT = 2


class Lab:
    """A store that is written once a second, with a snapshot every `every` revisions, of which two are kept."""

    def __init__(self, folder):
        self.folder, self.disk, self.clock = folder, SimDisk(), ManualClock()
        self.history = HistoryBounds()

    def opened(self):
        policy = SnapshotPolicy(kept=KEPT, history=self.history)
        return open_store(
            self.folder, stamp=stamp, clock=self.clock, options=StoreOptions(policy=policy, disk=self.disk)
        )

    async def write(self, store, count, every):
        for at in range(count):
            self.clock.move(1.0)
            key = PODS + f"x/{at % 7}"
            if at % 10 == 9 and store.get(key) is not None:
                await delete(store, key)
            else:
                await put(store, key, at)
            if store.revision % every == 0:
                await store.snapshots.take("request")

    def files(self):
        return parse_layout(self.disk.names(self.folder))


@pytest.fixture
def lab(tmp_path):
    with small_files(record=False):
        yield Lab(tmp_path)


async def told(store, after):
    """Return what a watch is told, with values."""
    events, complete = await store.watch(PODS, after).next_batch()
    assert complete == store.revision
    return [
        (e.revision, e.key, e.entry and e.entry.value, e.previous and e.previous.value, e.last_value) for e in events
    ]


@pytest.mark.parametrize("every", [15, 40, 250, 10_000])
async def test_after_a_restart_a_watch_goes_on_from_five_minutes_ago_whatever_snapshots_came_between(lab, every):
    async with lab.opened() as store:
        await lab.write(store, 700, every)
        before, history = store.state, await told(store, 700 - 300)
    lab.clock.move(3600.0)
    async with lab.opened() as store:
        assert diff_states(before, store.state) == ()
        assert check_state(store.state) == ()
        assert await told(store, 700 - 300) == history
        assert len(history) == 300
        assert (await store.snapshots.check(stamp)).faults == ()
    if every < 100:
        assert len(lab.files().snapshots) <= KEPT + 6
        assert lab.files().segments[0].seq > 1, "no more of the log is kept than is needed"


async def test_an_exact_read_of_the_past_is_the_same_after_a_restart(lab):
    async with lab.opened() as store:
        await lab.write(store, 400, 60)
        then = [(e.key, e.mod_revision, e.value) for e in store.range_at(PODS, 150)]
    async with lab.opened() as store:
        assert [(e.key, e.mod_revision, e.value) for e in store.range_at(PODS, 150)] == then


async def test_history_ages_from_the_last_write_on_not_while_nothing_runs(lab):
    async with lab.opened() as store:
        store.state.history._limits = HistoryLimits(events_min=5)
        await lab.write(store, 400, 60)
        assert store.compact_revision == 99
    lab.clock.move(3600.0)
    async with lab.opened() as store:
        store.state.history._limits = HistoryLimits(events_min=5)
        await told(store, 100)
        await lab.write(store, 10, 1000)
        assert store.compact_revision == 109


async def test_the_bounds_of_a_start_are_kept(lab):
    lab.history = HistoryBounds(records_max=100)
    async with lab.opened() as store:
        await lab.write(store, 400, 60)
    async with lab.opened() as store:
        assert store.compact_revision == 300
        with pytest.raises(CompactedError):
            store.watch(PODS, 299)


@pytest.mark.damaged_store
async def test_damage_of_the_log_before_the_newest_snapshot_costs_the_history_and_no_start(lab, caplog):
    async with lab.opened() as store:
        await lab.write(store, 400, 60)
        before = store.state
    segments = lab.files().segments
    lab.disk.flip_bit(str(segments[len(segments) // 2]), 2000, 3)
    async with lab.opened() as store:
        assert diff_states(before, store.state) == ()
        assert store.compact_revision == 360
        assert len((await store.snapshots.check(stamp)).faults) > 0
    assert "the history before the newest snapshot cannot be read" in caplog.text


async def test_a_snapshot_that_is_due_is_counted_from_the_newest_not_from_where_the_start_began(lab):
    async with lab.opened() as store:
        await lab.write(store, 100, 60)
    async with lab.opened() as store:
        await asyncio.sleep(0)
        assert store.snapshots.progress.revision == 60
        assert store.compact_revision == 0
        assert decode(store.range(PODS)[0])
