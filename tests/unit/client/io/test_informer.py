import asyncio

import pytest

from minikube_py.api.errors import UnavailableError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import CONFIGMAPS, PODS
from minikube_py.client.interface import Selection
from minikube_py.client.io.informer import InformerSet
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.manual_clock import ManualClock, settle


class Room:
    """A fake server, a set of informers that runs, and the clock of both."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.client = FakeClient(self.clock)
        self.informers = InformerSet(self.client, self.clock, lambda: 0.5)


@pytest.fixture
async def room():
    room = Room()
    group = asyncio.TaskGroup()
    async with group:
        task = group.create_task(room.informers.run())
        await settle()
        yield room
        task.cancel()


def a_config(name: str, **data: str) -> dict:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def names(informer) -> list[str]:
    return [obj["metadata"]["name"] for obj in informer.list()]


async def test_an_informer_lists_what_is_there_and_follows_what_comes(room):
    await room.client.create(CONFIGMAPS, a_config("a"))
    informer = room.informers.informer(CONFIGMAPS)
    await informer.wait_synced()
    changes = []
    informer.subscribe(changes.append)
    await room.client.create(CONFIGMAPS, a_config("b"))
    await room.client.delete(CONFIGMAPS, ObjectKey("default", "a"))
    await settle()

    assert names(informer) == ["b"]
    assert [(c.old is not None, c.new is not None) for c in changes] == [(False, True), (False, True), (True, False)]
    assert informer.revision() == 3


async def test_after_a_stream_ended_the_watch_goes_on_where_it_was(room):
    informer = room.informers.informer(CONFIGMAPS)
    await informer.wait_synced()
    room.client.end_watches()
    await room.client.create(CONFIGMAPS, a_config("a"))
    await room.clock.advance(1)
    assert names(informer) == ["a"]


async def test_a_version_that_is_gone_leads_to_a_new_list_with_exactly_the_missed_changes(room):
    await room.client.create(CONFIGMAPS, a_config("stays"))
    await room.client.create(CONFIGMAPS, a_config("goes"))
    informer = room.informers.informer(CONFIGMAPS)
    await informer.wait_synced()
    changes = []
    informer.subscribe(changes.append)
    changes.clear()
    await room.clock.advance(2)
    room.client.end_watches()
    await room.client.delete(CONFIGMAPS, ObjectKey("default", "goes"))
    await room.client.create(CONFIGMAPS, a_config("comes"))
    room.client.compact()
    await room.clock.advance(2)

    assert names(informer) == ["comes", "stays"]
    told = [(c.latest["metadata"]["name"], c.new is not None) for c in changes]
    assert sorted(told) == [("comes", True), ("goes", False)]


async def test_a_server_that_is_away_is_asked_again_after_a_back_off(room):
    for _ in range(3):
        room.client.fail_next("list", CONFIGMAPS, UnavailableError("down"))
    await room.client.create(CONFIGMAPS, a_config("a"))
    informer = room.informers.informer(CONFIGMAPS)
    await room.clock.advance(0.14)
    assert names(informer) == []
    await room.clock.advance(5)
    assert names(informer) == ["a"]


async def test_a_bookmark_moves_the_revision_without_a_change(room):
    informer = room.informers.informer(CONFIGMAPS)
    await informer.wait_synced()
    await room.client.create(PODS, {"metadata": {"name": "p"}, "spec": {}})
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(informer.wait_revision(1, 5))
        await settle()
        assert not waiting.done()
        room.client.bookmark()

    assert waiting.result() is True
    assert informer.revision() == 1


async def test_waiting_for_a_revision_gives_up_at_its_deadline(room):
    informer = room.informers.informer(CONFIGMAPS)

    assert await informer.wait_revision(99, 0.001) is False


async def test_a_selection_sees_only_its_own_and_each_selection_is_shared(room):
    selection = Selection(namespace="other")
    informer = room.informers.informer(CONFIGMAPS, selection)
    await informer.wait_synced()
    await room.client.create(CONFIGMAPS, a_config("a"))
    await room.client.create(CONFIGMAPS, a_config("b") | {"metadata": {"name": "b", "namespace": "other"}})
    await settle()

    assert names(informer) == ["b"]
    assert room.informers.informer(CONFIGMAPS, selection) is informer


async def test_an_informer_asked_for_before_the_set_runs_starts_with_it():
    room = Room()
    await room.client.create(CONFIGMAPS, a_config("a"))
    informer = room.informers.informer(CONFIGMAPS)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(room.informers.run())
        await room.informers.wait_synced()
        assert names(informer) == ["a"]
        task.cancel()
