import asyncio
from contextlib import asynccontextmanager

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import CONFIGMAPS
from minikube_py.kubelet.io import object_watches
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.kubelet.io.object_watches import ObjectWatches
from minikube_py.testing.kubelet_lab import a_kubelet_lab

pytestmark = pytest.mark.looptime
REFS = (("ConfigMap", "cm"),)


def config_map(value, **fields):
    return {"metadata": {"name": "cm", "namespace": "default"}, "data": {"k": value}, **fields}


@asynccontextmanager
async def following(lab, heard):
    reader = ObjectReader(lab.client, lab.clock, 3600.0)
    watches = ObjectWatches(lab.client, lab.clock, lambda: 0.5, reader.learn)
    async with asyncio.TaskGroup() as group:
        watches.begin(group, heard.append)
        yield watches, reader
        for uid in ("a", "b"):
            watches.drop(uid)


async def change(lab, value):
    await lab.client.patch(CONFIGMAPS, ObjectKey("default", "cm"), {"data": {"k": value}})
    await asyncio.sleep(1)


async def test_every_pod_that_shows_an_object_hears_of_its_change_and_reads_the_new_state():
    lab, heard = a_kubelet_lab(), []
    await lab.client.create(CONFIGMAPS, config_map("old"))
    async with following(lab, heard) as (watches, reader):
        await reader.read("default", REFS)
        watches.follow("a", "default", REFS)
        watches.follow("b", "default", REFS)
        await asyncio.sleep(1)
        assert heard == []
        await change(lab, "new")
        read = await reader.read("default", REFS)

    assert heard == ["a", "b"]
    assert read[REFS[0]]["data"]["k"] == "new"


async def test_an_object_that_appears_or_goes_is_heard_of():
    lab, heard = a_kubelet_lab(), []
    async with following(lab, heard) as (watches, reader):
        await reader.read("default", REFS)
        watches.follow("a", "default", REFS)
        await asyncio.sleep(1)
        await lab.client.create(CONFIGMAPS, config_map("v"))
        await asyncio.sleep(1)
        await lab.client.delete(CONFIGMAPS, ObjectKey("default", "cm"))
        await asyncio.sleep(1)

    assert heard == ["a", "a"]


async def test_a_watch_ends_with_the_last_pod():
    lab, heard = a_kubelet_lab(), []
    await lab.client.create(CONFIGMAPS, config_map("old"))
    async with following(lab, heard) as (watches, reader):
        await reader.read("default", REFS)
        for uid in ("a", "b"):
            watches.follow(uid, "default", REFS)
        watches.drop("a")
        await asyncio.sleep(1)
        await change(lab, "1")
        watches.drop("b")
        await change(lab, "2")

    assert heard == ["b"]


async def test_what_is_immutable_is_not_watched():
    lab, heard = a_kubelet_lab(), []
    await lab.client.create(CONFIGMAPS, config_map("old", immutable=True))
    async with following(lab, heard) as (watches, reader):
        await reader.read("default", REFS)
        watches.follow("a", "default", REFS)
        await asyncio.sleep(1)
        # The fake server lets it change all the same: nobody listens.
        await change(lab, "new")

    assert heard == []


async def test_beyond_the_bound_nothing_more_is_watched(monkeypatch):
    monkeypatch.setattr(object_watches, "WATCHES_MAX", 1)
    lab, heard = a_kubelet_lab(), []
    await lab.client.create(CONFIGMAPS, config_map("old"))
    async with following(lab, heard) as (watches, reader):
        watches.follow("a", "default", (("ConfigMap", "other"),))
        await reader.read("default", REFS)
        watches.follow("b", "default", REFS)
        await asyncio.sleep(1)
        heard.clear()
        await change(lab, "new")

    assert heard == []
