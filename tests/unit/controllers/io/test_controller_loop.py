"""The loop: one item at a time, never from a cache that does not know its own writes, again after a failure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from minikube_py.api.errors import UnavailableError
from minikube_py.api.meta import Obj, ObjectKey, name_of, uid_of
from minikube_py.api.resources import CONFIGMAPS, SECRETS
from minikube_py.controllers.io.controller_loop import Controllers, wait_gone
from minikube_py.controllers.io.perform import Write
from minikube_py.controllers.plan import Create, Failure, Item, Listers, Plan, latest_item
from minikube_py.controllers.spec import ControllerSpec, Watch
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.manual_clock import ManualClock, settle
from minikube_py.testing.sequential_ids import sequential_ids


@dataclass
class Copier:
    """A controller that keeps a Secret beside each ConfigMap; it notes every round."""

    rounds: list[tuple[str, Failure | None]] = field(default_factory=list)
    requeue_after_s: float | None = None

    def observe(self, listers: Listers, item: Item, failure: Failure | None) -> tuple[Obj, bool] | None:
        found = listers.get(CONFIGMAPS, item.key)
        self.rounds.append((item.key.name, failure))
        return None if found is None else (found, listers.get(SECRETS, item.key) is not None)

    def reconcile(self, seen: tuple[Obj, bool], now_s: float) -> Plan:
        obj, has_copy = seen
        copy = {"metadata": {"name": name_of(obj), "namespace": "default"}}
        return Plan(() if has_copy else (Create(SECRETS, copy),), requeue_after_s=self.requeue_after_s)

    def spec(self) -> ControllerSpec[tuple[Obj, bool]]:
        return ControllerSpec(
            name="copier",
            component="copier",
            watches=(
                Watch(CONFIGMAPS, lambda change, listers: (latest_item(CONFIGMAPS, change),)),
                Watch(
                    SECRETS, lambda change, listers: (Item(CONFIGMAPS.qualified, latest_item(SECRETS, change).key),)
                ),
            ),
            observe=self.observe,
            reconcile=self.reconcile,
        )


class Stage:
    """The loop over a fake API server."""

    def __init__(self, copier: Copier) -> None:
        self.clock = ManualClock()
        self.client = FakeClient(self.clock)
        self.informers = FakeInformers(self.client)
        self.controllers = Controllers(self.client, self.informers, self.clock, sequential_ids(), (copier.spec(),))

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Stage"]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.controllers.run())
            await settle()
            yield self
            task.cancel()


def a_map(name: str) -> Obj:
    return {"metadata": {"name": name, "namespace": "default"}}


async def test_a_change_is_reconciled_at_once() -> None:
    stage = Stage(Copier())
    async with stage.running():
        await stage.client.create(CONFIGMAPS, a_map("a"))
        await settle()

    assert [name_of(secret) for secret in stage.client.objects(SECRETS)] == ["a"]


async def test_objects_that_were_there_before_are_reconciled_at_the_start() -> None:
    copier = Copier()
    clock = ManualClock()
    client = FakeClient(clock)
    client.seed(CONFIGMAPS, a_map("a"))
    controllers = Controllers(client, FakeInformers(client), clock, sequential_ids(), (copier.spec(),))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(controllers.run())
        await settle()
        task.cancel()

    assert len(client.objects(SECRETS)) == 1


async def test_an_item_is_not_reconciled_again_before_the_cache_shows_its_write() -> None:
    copier = Copier()
    stage = Stage(copier)
    async with stage.running():
        stage.client.seed(CONFIGMAPS, a_map("a"))
        stage.informers.pause()
        await settle()
        assert len(stage.client.objects(SECRETS)) == 1
        seen = len(copier.rounds)
        await stage.client.patch(CONFIGMAPS, ObjectKey("default", "a"), {"data": {"x": "y"}})
        await settle()
        assert len(copier.rounds) == seen
        stage.informers.resume()
        await settle()

    assert len(copier.rounds) > seen
    assert len(stage.client.objects(SECRETS)) == 1


async def test_a_failure_is_shown_to_the_next_round_and_forgotten_after_a_success() -> None:
    copier = Copier()
    stage = Stage(copier)
    async with stage.running():
        stage.client.fail_next("create", SECRETS, UnavailableError("not now"))
        await stage.client.create(CONFIGMAPS, a_map("a"))
        await settle()
        assert stage.client.objects(SECRETS) == []
        await stage.clock.advance(0.1)

    messages = [failure.message if failure else None for _, failure in copier.rounds]
    assert messages[:2] == [None, "not now"]
    assert messages[-1] is None
    assert len(stage.client.objects(SECRETS)) == 1


async def test_failures_are_tried_again_ever_later() -> None:
    copier = Copier()
    stage = Stage(copier)
    async with stage.running():
        for _ in range(100):
            stage.client.fail_next("create", SECRETS, UnavailableError("not now"))
        await stage.client.create(CONFIGMAPS, a_map("a"))
        await stage.clock.advance(1.0)
        first_second = len(copier.rounds)
        await stage.clock.advance(1.0)

    assert 7 <= first_second <= 9
    assert len(copier.rounds) - first_second <= 1


async def test_a_plan_can_ask_to_be_looked_at_again() -> None:
    copier = Copier(requeue_after_s=10.0)
    stage = Stage(copier)
    async with stage.running():
        await stage.client.create(CONFIGMAPS, a_map("a"))
        await settle()
        calm = len(copier.rounds)
        await stage.clock.advance(9.0)
        assert len(copier.rounds) == calm
        await stage.clock.advance(2.0)

    assert len(copier.rounds) == calm + 1


async def test_a_loop_that_is_stopped_can_be_started_again() -> None:
    stage = Stage(Copier())
    async with stage.running():
        pass
    await stage.client.create(CONFIGMAPS, a_map("a"))
    async with stage.running():
        await settle()

    assert len(stage.client.objects(SECRETS)) == 1


async def test_waiting_for_a_deletion_ends_when_the_copy_no_longer_shows_it() -> None:
    client = FakeClient(ManualClock())
    gone = client.seed(SECRETS, a_map("a"))
    informers = FakeInformers(client)
    informer = informers.informer(SECRETS)
    write = Write(SECRETS, ObjectKey("default", "a"), uid_of(gone), 0)
    informers.pause()
    await client.delete(SECRETS, ObjectKey("default", "a"))

    assert not await wait_gone(informer, write, 0.01)
    informers.resume()
    assert await wait_gone(informer, write, 0.01)
    await client.create(SECRETS, a_map("a"))
    assert await wait_gone(informer, write, 0.01)
