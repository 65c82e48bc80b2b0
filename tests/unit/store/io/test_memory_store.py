from minikube_py.apiserver.canonical import stamp
from minikube_py.store.check import check_state
from minikube_py.store.expiry import ExpiryRule
from minikube_py.store.io.memory_store import MemoryStore
from minikube_py.testing.contracts_store import PODS, put
from minikube_py.testing.manual_clock import ManualClock


async def test_revisions_begin_where_the_agent_says_and_older_ones_are_compacted():
    store = MemoryStore(stamp, ManualClock(), first_revision=5000)

    assert (store.revision, store.compact_revision) == (5000, 5000)
    assert await put(store, PODS + "x/a") == 5001


async def test_old_history_goes_and_the_newest_thousand_events_stay():
    clock = ManualClock()
    store = MemoryStore(stamp, clock)
    for at in range(1500):
        await put(store, PODS + "x/a", at)
    assert store.compact_revision == 0
    clock.move(301)
    await put(store, PODS + "x/a")

    assert store.compact_revision == 501


async def test_keys_past_their_time_are_deleted_with_the_next_commit_and_watchers_are_told():
    clock = ManualClock()
    store = MemoryStore(stamp, clock, expiry_rules=[ExpiryRule(PODS, after_s=60, keys_max=100)])
    await put(store, PODS + "x/old")
    clock.move(30)
    await put(store, PODS + "x/young")
    watcher = store.watch(PODS, store.revision)
    clock.move(31)
    revision = await put(store, "/registry/core/nodes/n")

    assert [entry.key for entry in store.range("")] == ["/registry/core/nodes/n", PODS + "x/young"]
    (event,), complete = await watcher.next_batch()
    assert (event.key, event.entry, event.revision, complete) == (PODS + "x/old", None, revision + 1, revision + 1)
    assert check_state(store.state) == ()
