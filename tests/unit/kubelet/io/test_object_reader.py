import asyncio

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import CONFIGMAPS
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.testing.kubelet_lab import a_kubelet_lab

pytestmark = pytest.mark.looptime
REF = ("ConfigMap", "cm")


def config_map(value):
    return {"metadata": {"name": "cm", "namespace": "default"}, "data": {"k": value}}


async def read(reader):
    obj = (await reader.read("default", (REF,)))[REF]
    return None if obj is None else obj["data"]["k"]


async def test_an_object_is_read_again_after_its_time():
    lab = a_kubelet_lab()
    reader = ObjectReader(lab.client, lab.clock, 5.0)
    await lab.client.create(CONFIGMAPS, config_map("old"))
    first = await read(reader)
    await lab.client.patch(CONFIGMAPS, ObjectKey("default", "cm"), {"data": {"k": "new"}})
    at_once = await read(reader)
    await asyncio.sleep(6)

    assert (first, at_once, await read(reader)) == ("old", "old", "new")


async def test_what_was_missing_is_found_as_soon_as_it_is_there():
    lab = a_kubelet_lab()
    reader = ObjectReader(lab.client, lab.clock, 5.0)
    assert await read(reader) is None
    await lab.client.create(CONFIGMAPS, config_map("v"))

    assert await read(reader) == "v"
