"""What a node follows is on its disk, and is where it starts from when no server answers."""

import asyncio

import pytest

from minikube_py.api.errors import ForbiddenError, UnavailableError
from minikube_py.api.meta import ObjectKey, name_of
from minikube_py.api.resources import CONFIGMAPS
from minikube_py.client.interface import EVERYTHING
from minikube_py.client.io.informer import InformerSet
from minikube_py.client.io.replica_files import WRITE_AFTER_S, ReplicaFiles
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.manual_clock import ManualClock, settle


class Switch:
    """A server that can be away."""

    def __init__(self, client: FakeClient) -> None:
        self.client = client
        self.away: Exception | None = None

    async def list(self, resource, selection=EVERYTHING):
        if self.away:
            raise self.away
        return await self.client.list(resource, selection)

    async def watch(self, resource, version, selection=EVERYTHING):
        if self.away:
            raise self.away
        async for event in self.client.watch(resource, version, selection):
            yield event


class Room:
    def __init__(self, folder) -> None:
        self.clock = ManualClock()
        self.client = FakeClient(self.clock)
        self.server = Switch(self.client)
        self.folder = folder

    def files(self) -> ReplicaFiles:
        return ReplicaFiles(self.server, self.folder, self.clock)

    async def create(self, name: str) -> None:
        await self.client.create(CONFIGMAPS, {"metadata": {"namespace": "x", "name": name}})


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path / "replica")


async def names(files) -> list[str]:
    return [name_of(obj) for obj in (await files.list(CONFIGMAPS)).items]


async def kept(room: Room) -> None:
    files = room.files()
    await files.list(CONFIGMAPS)
    await files.write()


async def test_without_a_server_a_start_has_what_was_last_seen_with_its_version(room):
    await room.create("a")
    await kept(room)
    version = (await room.server.list(CONFIGMAPS)).resource_version
    room.server.away = UnavailableError("away")

    listed = await room.files().list(CONFIGMAPS)

    assert [name_of(obj) for obj in listed.items] == ["a"]
    assert listed.resource_version == version


async def test_with_a_server_the_server_counts(room):
    await room.create("a")
    await kept(room)
    await room.create("b")

    assert await names(room.files()) == ["a", "b"]


async def test_where_nothing_is_kept_the_failure_is_told(room):
    room.server.away = UnavailableError("away")

    with pytest.raises(UnavailableError):
        await room.files().list(CONFIGMAPS)


async def test_what_is_kept_is_given_at_the_start_alone(room):
    await room.create("a")
    await kept(room)
    files = room.files()
    await files.list(CONFIGMAPS)
    room.server.away = UnavailableError("away")

    with pytest.raises(UnavailableError):
        await files.list(CONFIGMAPS)


async def test_a_refusal_is_no_absence(room):
    await kept(room)
    room.server.away = ForbiddenError("no")

    with pytest.raises(ForbiddenError):
        await room.files().list(CONFIGMAPS)


async def test_a_file_that_is_spoilt_counts_as_none(room):
    await kept(room)
    (room.folder / "configmaps.json").write_bytes(b"{")
    room.server.away = UnavailableError("away")

    with pytest.raises(UnavailableError):
        await room.files().list(CONFIGMAPS)


async def test_files_are_for_nobody_else(room):
    await kept(room)

    assert room.folder.stat().st_mode & 0o777 == 0o700
    assert (room.folder / "configmaps.json").stat().st_mode & 0o777 == 0o600


async def test_a_collection_that_cannot_be_written_is_written_later(room):
    room.folder.write_text("in the way")
    files = room.files()
    await files.list(CONFIGMAPS)
    await files.write()
    room.folder.unlink()
    await files.write()

    assert (room.folder / "configmaps.json").exists()


async def test_events_reach_the_disk_a_while_later_and_together(room):
    files = room.files()
    informers = InformerSet(files, room.clock, lambda: 0.0)
    informer = informers.informer(CONFIGMAPS)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run()) for run in (informers.run, files.run)]
        await settle()
        await room.create("a")
        await room.create("b")
        await settle()
        assert not room.folder.exists()
        await room.clock.advance(WRITE_AFTER_S)
        while not (room.folder / "configmaps.json").exists():
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
    room.server.away = UnavailableError("away")

    assert informer.get(ObjectKey("x", "b")) is not None
    assert await names(room.files()) == ["a", "b"]


async def test_a_start_from_the_disk_goes_on_from_there_when_the_server_is_back(room):
    await room.create("a")
    await kept(room)
    room.server.away = UnavailableError("away")
    informers = InformerSet(room.files(), room.clock, lambda: 0.0)
    informer = informers.informer(CONFIGMAPS)
    seen = []
    informer.subscribe(lambda change: seen.append(name_of(change.latest)))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(informers.run())
        await settle()
        await room.create("b")
        room.server.away = None
        await room.clock.advance(1.0)
        task.cancel()

    assert seen == ["a", "b"]
