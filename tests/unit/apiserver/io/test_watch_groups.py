"""Groups of watchers: small ones are told at once, large ones in turns, and everybody hears all of it in order."""

import asyncio
from random import Random

from minikube_py.api.resources import PODS
from minikube_py.apiserver.canonical import canonical
from minikube_py.apiserver.io.watch_groups import TOLD_AT_ONCE_MAX, TURN_BYTES, WRITE_COST_BYTES, Turns, WatchGroup
from minikube_py.apiserver.list_options import Filter
from minikube_py.apiserver.watch_events import WatchedChange
from minikube_py.store.interface import Entry, StoreEvent

CROWD = 4 * TURN_BYTES // WRITE_COST_BYTES
"""Watchers that one turn cannot serve."""


class Watcher:
    def __init__(self):
        self.revisions = []
        self.writes = 0

    def deliver(self, batch):
        self.writes += 1
        self.revisions += [change.event.revision for change, _ in batch]

    def end(self):
        self.revisions.append("end")


def a_group(count):
    group = WatchGroup(Filter(), Turns())
    watchers = [Watcher() for _ in range(count)]
    for watcher in watchers:
        group.join(watcher, 0)
    return group, watchers


def publish(group, revision):
    value = canonical({"metadata": {"name": "a", "namespace": "n"}})
    key = PODS.storage_key("n", "a")
    event = StoreEvent(revision, key, Entry(key, value, revision, revision), None)
    group.publish(WatchedChange(PODS, event), "ADDED")


async def until_told(group, newest):
    async with asyncio.timeout(30):
        while any(group.reached(watcher, newest) < newest for watcher in tuple(group._positions)):
            await asyncio.sleep(0)


async def test_a_small_group_is_told_in_the_moment_of_the_commit():
    group, watchers = a_group(TOLD_AT_ONCE_MAX)
    publish(group, 1)
    assert all(watcher.revisions == [1] for watcher in watchers)


async def test_a_large_group_is_told_in_turns_between_which_others_run():
    group, watchers = a_group(CROWD)
    publish(group, 1)
    assert not any(watcher.revisions for watcher in watchers)
    told = []
    while not all(watcher.revisions for watcher in watchers):
        await asyncio.sleep(0)
        told.append(sum(bool(watcher.revisions) for watcher in watchers))
    assert len(told) >= 4
    assert max(b - a for a, b in zip([0, *told], told, strict=False)) <= TURN_BYTES // WRITE_COST_BYTES


async def test_what_comes_during_a_round_is_told_in_one_write_in_the_next():
    group, watchers = a_group(CROWD)
    publish(group, 1)
    await asyncio.sleep(0)
    for revision in range(2, 50):
        publish(group, revision)
    await until_told(group, 49)
    assert all(watcher.revisions == list(range(1, 50)) for watcher in watchers)
    assert {watcher.writes for watcher in watchers} == {2}


async def test_whenever_they_join_and_leave_they_hear_each_change_after_their_start_once_and_in_order():
    for seed in range(20):
        rng = Random(seed)
        group, watchers = a_group(CROWD)
        starts = dict.fromkeys(watchers, 0)
        left = {}
        revision = 0
        for _ in range(60):
            for _ in range(rng.choice((0, 1, 3))):
                revision += 1
                publish(group, revision)
            if rng.random() < 0.5:
                late = Watcher()
                starts[late] = revision
                group.join(late, revision)
            if rng.random() < 0.5:
                leaver = rng.choice([watcher for watcher in starts if watcher not in left])
                group.leave(leaver)
                left[leaver] = list(leaver.revisions)
            if rng.random() < 0.7:
                await asyncio.sleep(0)
        await until_told(group, revision)
        for watcher, start in starts.items():
            heard = list(range(start + 1, revision + 1))
            if watcher in left:
                assert watcher.revisions == left[watcher] == heard[: len(watcher.revisions)], f"seed {seed}"
            else:
                assert watcher.revisions == heard, f"seed {seed}"


async def test_what_a_watcher_has_reached_never_goes_back_and_is_never_ahead_of_what_it_was_told():
    group, watchers = a_group(CROWD)
    reached = dict.fromkeys(watchers, 0)
    newest = 0
    for step in range(40):
        if step % 3 == 0:
            newest += 2
            publish(group, newest - 1)
        for watcher in watchers[::37]:
            now = group.reached(watcher, newest)
            assert now >= reached[watcher]
            assert [r for r in range(1, newest) if r % 2 and r <= now] == [r for r in watcher.revisions if r <= now]
            reached[watcher] = now
        await asyncio.sleep(0)
    await until_told(group, newest)


async def test_a_group_that_ends_has_told_everything_first():
    group, watchers = a_group(CROWD)
    publish(group, 1)
    publish(group, 2)
    group.end()
    assert all(watcher.revisions == [1, 2, "end"] for watcher in watchers)
    await asyncio.sleep(0)
