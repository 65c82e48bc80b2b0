import pytest

from minikube_py.apiserver.canonical import decode, stamp
from minikube_py.store.check import check_state
from minikube_py.store.disk import Storage
from minikube_py.store.interface import CompactedError, StoreOpenError
from minikube_py.store.io.folder_check import check_folder
from minikube_py.store.io.open_store import StoreOptions, open_store
from minikube_py.store.io.recovery import Until
from minikube_py.store.io.restore import REVISION_STEP, RestoreError, RestoreSource, restore
from minikube_py.store.layout import SnapshotName
from minikube_py.store.retention import SnapshotPolicy
from minikube_py.testing.contracts_store import PODS, put
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.sim_disk import SimDisk


class Lab:
    """A store whose revision N was written N seconds after the beginning, with snapshots at 10 and 20 of 25."""

    def __init__(self, folder):
        self.disk, self.clock, self.folder = SimDisk(), ManualClock(), folder
        self.storage = Storage(self.disk, folder)
        self.began_s = self.clock.wall_s()

    def opened(self, kept=5):
        options = StoreOptions(policy=SnapshotPolicy(kept=kept), disk=self.disk)
        return open_store(self.folder, stamp=stamp, clock=self.clock, options=options)

    async def write(self, store, revisions):
        for revision in revisions:
            self.clock.move(1.0)
            await put(store, PODS + "x/a", revision)
            if revision in (10, 20):
                await store.snapshots.take("request")

    def restore(self, **source):
        return restore(self.storage, stamp, self.clock.wall_s(), RestoreSource(**source))

    async def value(self):
        async with self.opened() as store:
            assert check_state(store.state) == ()
            return store.revision, decode(store.get(PODS + "x/a"))["data"]


@pytest.fixture
async def lab(tmp_path):
    lab = Lab(tmp_path)
    async with lab.opened() as store:
        await lab.write(store, range(1, 26))
    return lab


@pytest.mark.parametrize("revision", [1, 9, 10, 11, 20, 25])
async def test_a_restore_goes_to_any_revision_within_the_kept_log(lab, revision):
    done = lab.restore(until=Until(revision=revision))

    assert (done.from_revision, done.name) == (revision, SnapshotName(2, 25 + REVISION_STEP))
    assert await lab.value() == (25 + REVISION_STEP, revision)


@pytest.mark.parametrize(("seconds", "revision"), [(12.5, 12), (10, 10), (20.9, 20), (1000, 25)])
async def test_a_restore_goes_to_any_time_within_the_kept_log(lab, seconds, revision):
    lab.restore(until=Until(wall_s=lab.began_s + seconds))

    assert (await lab.value())[1] == revision


async def test_a_restore_goes_to_a_snapshot_by_name_also_when_it_is_damaged_and_the_log_gives_it(lab):
    name = SnapshotName(1, 20)
    lab.disk.flip_bit(str(name), 200, 0)
    lab.restore(snapshot=name)

    assert (await lab.value())[1] == 20
    with pytest.raises(RestoreError, match="no snapshot"):
        lab.restore(snapshot=SnapshotName(1, 19))


async def test_after_a_restore_every_old_version_is_compacted_and_none_is_given_out_again(lab):
    lab.restore(until=Until(revision=5))
    async with lab.opened() as store:
        for old in (0, 5, 25, 24 + REVISION_STEP):
            with pytest.raises(CompactedError):
                store.watch(PODS, old)
        assert await put(store, PODS + "x/a", 99) == 26 + REVISION_STEP
        watcher = store.watch(PODS, 25 + REVISION_STEP)
        assert (await watcher.next_batch())[1] == 26 + REVISION_STEP


async def test_a_restore_can_be_undone_until_the_new_epoch_has_its_own_snapshots(lab):
    lab.restore(until=Until(revision=5))
    assert (await lab.value())[1] == 5
    lab.restore(until=Until(revision=25))
    assert await lab.value() == (25 + 2 * REVISION_STEP, 25)

    async with lab.opened(kept=2) as store:
        await put(store, PODS + "x/a", 1)
        await store.snapshots.take("request")
    assert {name.split("-")[0] for name in lab.disk.names(lab.folder)} == {"00000003"}
    with pytest.raises(RestoreError):
        lab.restore(until=Until(revision=25))


async def test_what_is_not_in_the_kept_log_is_told_and_nothing_is_changed(lab):
    before = lab.disk.contents()
    with pytest.raises(RestoreError, match="revision 26 is not in the kept log; the nearest is 25"):
        lab.restore(until=Until(revision=26))
    with pytest.raises(RestoreError, match="does not reach back to that time"):
        lab.restore(until=Until(wall_s=lab.began_s - 1))
    with pytest.raises(RestoreError, match="ends too early|cannot be opened"):
        lab.restore(file=lab.folder / "nowhere")
    assert lab.disk.contents() == before


async def test_without_a_source_the_newest_state_that_can_be_read_is_restored(lab):
    (log,) = (name for name in lab.disk.names(lab.folder) if name.endswith(".log"))
    content = lab.disk.contents()[log]
    lab.disk.flip_bit(log, content.index(b'"data":23'), 0)
    with pytest.raises(StoreOpenError, match="snapshot restore"):
        await lab.value()
    done = lab.restore()

    assert done.from_revision == 22
    assert "what was written after revision 22 is lost" in done.notes[0]
    assert (await lab.value())[1] == 22
    assert check_folder(lab.storage, stamp).faults == ()


async def test_a_snapshot_of_another_store_is_restored_and_goes_beyond_both(lab, tmp_path):
    name = str(SnapshotName(1, 20))
    content = lab.disk.contents()[name]
    other = Lab(tmp_path / "other")
    async with other.opened() as store:
        await other.write(store, range(1, 4))
    other.disk.create(tmp_path / "copy").write_at(content, 0)
    other.restore(file=tmp_path / "copy")

    assert await other.value() == (20 + REVISION_STEP, 20)


async def test_the_agent_that_finds_only_half_of_a_restore_has_the_old_state(lab):
    """One rename makes the restore: a cut before it changes nothing."""
    for cut in range(1, 40):
        disk, lab.disk.faults.cut_at_operation = lab.disk, lab.disk.operations + cut
        try:
            lab.restore(until=Until(revision=5))
        except OSError:
            lab.disk.is_off, lab.disk.faults.cut_at_operation = False, None
            value = (await lab.value())[1]
            assert value in (25, 5)
            lab.disk = disk
            if value == 5:
                return
        else:
            return
