from hypothesis import given
from hypothesis import strategies as st

from minikube_py.store.interface import Entry, StoreEvent
from minikube_py.store.watch_hub import PENDING_BYTES_MAX, PENDING_MAX, WatcherState, WatchHub

KEYS = ("/r/core/pods/x/a", "/r/core/pods/x/ab", "/r/core/pods/y/a", "/r/core/nodes/a", "/odd")
PREFIXES = ("", "/r/core/", "/r/core/pods/", "/r/core/pods/x/", "/r/core/pods/x/a", "/r/core/po", "/none/")


def an_event(revision: int, key: str = KEYS[0], size: int = 1) -> StoreEvent:
    return StoreEvent(revision, key, Entry(key, b"x" * size, revision, revision), None)


def a_watcher(hub: WatchHub, prefix: str = "", after: int = 0) -> WatcherState:
    watcher = WatcherState(hub, prefix, after, lambda: None)
    hub.add(watcher)
    return watcher


@given(st.lists(st.sampled_from(KEYS), max_size=8), st.sampled_from(PREFIXES), st.integers(0, 10))
def test_a_watcher_is_told_exactly_what_is_under_its_prefix_and_after_its_start(keys, prefix, after):
    hub = WatchHub(0)
    watcher = a_watcher(hub, prefix, after)
    for revision, key in enumerate(keys, 1):
        hub.publish([an_event(revision, key)])

    expected = [revision for revision, key in enumerate(keys, 1) if key.startswith(prefix) and revision > after]
    events, complete = watcher.fetch()
    assert [event.revision for event in events] == expected
    assert complete == max(after, len(keys))


def test_a_removed_watcher_is_told_nothing_and_leaves_nothing_behind():
    hub = WatchHub(0)
    watchers = [a_watcher(hub, prefix) for prefix in PREFIXES]
    for watcher in watchers:
        hub.remove(watcher)
        hub.remove(watcher)
    hub.publish([an_event(1)])

    assert (hub._folders, hub._others) == ({}, [])
    assert not any(watcher.has_news() for watcher in watchers)


def test_news_is_called_for_what_concerns_the_watcher_alone():
    hub, news = WatchHub(0), []
    hub.add(WatcherState(hub, "/r/core/pods/", 0, lambda: news.append(1)))
    hub.publish([an_event(1, "/r/core/nodes/a")])
    assert news == []
    hub.publish([an_event(2)])
    assert news == [1]


def test_too_many_events_cut_a_watcher_off_and_free_what_it_held():
    hub = WatchHub(0)
    watcher = a_watcher(hub)
    for revision in range(1, PENDING_MAX + 1):
        hub.publish([an_event(revision)])
    assert not watcher.slow
    hub.publish([an_event(PENDING_MAX + 1)])

    assert watcher.slow
    assert not watcher.has_news()


def test_too_many_bytes_cut_a_watcher_off():
    hub = WatchHub(0)
    watcher = a_watcher(hub)
    hub.publish([an_event(1, size=PENDING_BYTES_MAX)])
    assert not watcher.slow
    hub.publish([an_event(2)])
    assert watcher.slow


def test_what_is_replayed_does_not_count_as_slow():
    hub = WatchHub(PENDING_MAX)
    watcher = a_watcher(hub)
    watcher.replay(an_event(revision) for revision in range(1, PENDING_MAX + 1))
    hub.publish([an_event(PENDING_MAX + 1)])

    assert not watcher.slow
    assert len(watcher.fetch()[0]) == PENDING_MAX + 1
