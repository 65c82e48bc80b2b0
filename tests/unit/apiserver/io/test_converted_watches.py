import asyncio

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.errors import InternalError
from minikube_py.apiserver.canonical import canonical, stamp
from minikube_py.apiserver.io.converted_watches import ConvertedWatches
from minikube_py.apiserver.io.event_fanout import EventFanout
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.list_options import Filter
from minikube_py.store.interface import Put
from minikube_py.store.io.memory_store import MemoryStore
from minikube_py.testing.custom_objects import a_served_definition, a_version, a_widget
from minikube_py.testing.manual_clock import ManualClock

WEBHOOK = {
    "strategy": "Webhook",
    "webhook": {"clientConfig": {"url": "https://x/"}, "conversionReviewVersions": ["v1"]},
}


class Webhook:
    """Answers for a version when it may."""

    def __init__(self):
        self.may = {"ex.io/v2": asyncio.Event(), "ex.io/v3": asyncio.Event()}
        self.refuses = False

    async def __call__(self, resource, objs, api_version):
        await self.may[api_version].wait()
        if self.refuses:
            raise InternalError("no")
        return [{**obj, "apiVersion": api_version} for obj in objs]


class Seen:
    """Remembers what it was told."""

    def __init__(self):
        self.events = []
        self.told = asyncio.Event()

    def deliver(self, batch):
        self.events += [(kind, change.obj(kind)["apiVersion"], change.event.revision) for change, kind in batch]
        self.told.set()

    def end(self):
        self.events.append("end")
        self.told.set()

    async def wait(self, count):
        while len(self.events) < count:
            self.told.clear()
            await self.told.wait()


class World:
    """Watches of a kind in its versions v2 and v3, while v1 is written."""

    def __init__(self, webhook):
        versions = (a_version("v1"), a_version("v2", storage=False), a_version("v3", storage=False))
        rows = {row.version: row for row in rows_of(a_served_definition(versions=versions, conversion=WEBHOOK))}
        self.stored = rows["v1"]
        self.store = MemoryStore(stamp, ManualClock())
        views = Views(webhook, HeavyWork())
        self.converted = ConvertedWatches(views)
        fanout = EventFanout(self.store, views, self.converted.take)
        self.second, self.third = Seen(), Seen()
        for row, watcher in ((rows["v2"], self.second), (rows["v3"], self.third)):
            fanout.of(row).join(Filter(), watcher, 0)

    async def write(self, **spec):
        key = self.stored.storage_key("default", "w")
        await self.store.commit((Put(key, canonical(a_widget(**spec)), None),))


async def test_the_events_of_a_version_come_in_order_and_do_not_wait_for_another_version():
    webhook = Webhook()
    world = World(webhook)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(world.converted.run())
        await world.write(size=1)
        await world.write(size=2)
        webhook.may["ex.io/v3"].set()
        await world.third.wait(2)
        assert world.second.events == []
        webhook.may["ex.io/v2"].set()
        await world.second.wait(2)
        await world.write(size=3)
        await world.second.wait(3)
        running.cancel()
    kinds = ["ADDED", "MODIFIED", "MODIFIED"]
    assert [event[:2] for event in world.second.events] == [(kind, "ex.io/v2") for kind in kinds]
    revisions = [event[2] for event in world.second.events]
    assert revisions == sorted(revisions)


async def test_watches_whose_events_cannot_be_converted_end_and_later_ones_go_on():
    webhook = Webhook()
    webhook.refuses = True
    world = World(webhook)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(world.converted.run())
        await world.write(size=1)
        webhook.may["ex.io/v2"].set()
        await world.second.wait(1)
        assert world.second.events == ["end"]
        assert world.third.events == []
        webhook.refuses = False
        webhook.may["ex.io/v3"].set()
        await world.third.wait(1)
        running.cancel()
    assert world.third.events[0][:2] == ("ADDED", "ex.io/v3")
