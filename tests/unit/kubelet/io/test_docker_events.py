import asyncio
from contextlib import aclosing

import pytest

from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kubelet.cri import RuntimeEvent
from minikube_py.kubelet.io import docker_events
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_events import DockerEvents


@pytest.fixture
async def events(engine):
    api = DockerApi(engine.host)
    yield DockerEvents(api, "n1", SystemClock())
    await api.close()


async def test_the_stream_says_reconnected_first_and_then_what_happens(engine, events):
    async with aclosing(events.read()) as seen:
        assert await anext(seen) == RuntimeEvent("", "reconnected")
        engine.send_event("die", "c1", "u-1", 1_700_000_000_000_000_001)
        assert await anext(seen) == RuntimeEvent("u-1", "die")

    (query,) = engine.event_queries
    assert '"minikube-py.node=n1"' in query["filters"]


async def test_a_lost_stream_is_taken_up_where_it_ended_and_nothing_is_told_twice(engine, events, monkeypatch):
    monkeypatch.setattr(docker_events, "RECONNECT", docker_events.BackoffPolicy(0.001, 0.001, 1.0))
    async with aclosing(events.read()) as seen:
        await anext(seen)
        engine.send_event("start", "c1", "u-1", 1_700_000_000_000_000_001)
        await anext(seen)
        engine.cut_events()
        engine.send_event("start", "c1", "u-1", 1_700_000_000_000_000_001)
        engine.send_event("die", "c1", "u-1", 1_700_000_000_000_000_002)
        assert [await anext(seen), await anext(seen)] == [RuntimeEvent("", "reconnected"), RuntimeEvent("u-1", "die")]

    assert engine.event_queries[1]["since"] == "1700000000.000000001"


async def test_a_line_of_a_megabyte_is_only_a_line(engine, events):
    async with aclosing(events.read()) as seen:
        await anext(seen)
        engine.send_event("start", "c1", "u" * 1_000_000, 1_700_000_000_000_000_001)
        engine.send_event("die", "c1", "u-1", 1_700_000_000_000_000_002)
        assert (await anext(seen)).action == "start"
        assert await anext(seen) == RuntimeEvent("u-1", "die")


async def test_a_silent_stream_is_opened_again(engine, events, monkeypatch):
    monkeypatch.setattr(docker_events, "STREAM_AGE_MAX_S", 0.05)
    async with aclosing(events.read()) as seen:
        assert [await anext(seen), await anext(seen)] == [RuntimeEvent("", "reconnected")] * 2


async def test_those_who_wait_for_a_death_are_woken_by_its_event(engine, events):
    async with aclosing(events.read()) as seen, asyncio.TaskGroup() as group:
        await anext(seen)
        mine = group.create_task(events.wait_death("c1", 5))
        others = group.create_task(events.wait_death("c2", 0.02))
        await asyncio.sleep(0)
        engine.send_event("die", "c1", "u-1", 1_700_000_000_000_000_001)
        await anext(seen)

    assert (mine.result(), others.result()) == (True, False)
    assert not events._waiting
