import asyncio

import pytest

from minikube_py.api.errors import GoneError, TimeoutStatusError, UnavailableError
from minikube_py.api.resources import CONFIGMAPS
from minikube_py.client.interface import EVERYTHING
from minikube_py.client.io.reflector import Reflector
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.manual_clock import ManualClock, settle


class Target:
    """Keeps a plain account of what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def replace(self, listed) -> None:
        self.told.append(f"list {len(listed.items)}@{listed.resource_version}")

    def follow(self, event) -> None:
        self.told.append(f"{event.type} {event.object['metadata']['name']}")

    def reach(self, revision) -> None:
        self.told.append(f"reach {revision}")


class Room:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.client = FakeClient(self.clock)
        self.target = Target()
        self.reflector = Reflector(self.client, CONFIGMAPS, EVERYTHING, self.target, self.clock, lambda: 1.0)

    async def start(self) -> None:
        self.running = self.group.create_task(self.reflector.run())
        await settle()

    async def create(self, name: str) -> None:
        await self.client.create(CONFIGMAPS, {"metadata": {"name": name}})


@pytest.fixture
async def room():
    room = Room()
    async with asyncio.TaskGroup() as group:
        room.group = group
        yield room
        room.running.cancel()


async def test_one_list_then_events_and_bookmarks(room):
    await room.create("a")
    await room.start()
    await room.create("b")
    room.client.bookmark()
    await settle()

    assert room.target.told == ["list 1@1", "ADDED b", "reach 2"]


async def test_a_stream_that_ends_at_once_is_not_asked_for_again_at_once(room):
    await room.start()
    room.client.end_watches()
    await settle()
    await room.create("a")
    await settle()
    assert room.target.told == ["list 0@0"]

    await room.clock.advance(0.2)
    assert room.target.told == ["list 0@0", "ADDED a"]


async def test_back_off_grows_with_jitter_while_the_server_is_away(room):
    for _ in range(3):
        room.client.fail_next("list", CONFIGMAPS, UnavailableError("down"))
    waits = []
    await room.start()
    for _ in range(3):
        waits.append(room.clock.next_wakeup_s())
        await room.clock.advance(waits[-1])

    assert waits == pytest.approx([0.2, 0.4, 0.8])
    assert room.target.told == ["list 0@0"]


async def test_a_watch_that_fails_goes_on_from_its_version_without_a_list(room):
    await room.start()
    room.client.fail_next("watch", CONFIGMAPS, UnavailableError("down"))
    await room.clock.advance(2)
    room.client.end_watches()
    await settle()
    await room.create("a")
    await room.clock.advance(2)

    assert room.target.told == ["list 0@0", "ADDED a"]


@pytest.mark.parametrize("error", [GoneError("too old"), TimeoutStatusError("Too large resource version")])
async def test_a_version_that_is_gone_or_not_there_yet_leads_to_a_list(room, error):
    await room.start()
    room.client.fail_next("watch", CONFIGMAPS, error)
    await room.clock.advance(2)
    room.client.end_watches()
    await settle()
    await room.create("a")
    await room.clock.advance(2)

    assert room.target.told == ["list 0@0", "list 1@1"]
