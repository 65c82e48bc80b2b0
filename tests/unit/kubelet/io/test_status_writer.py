import asyncio
from contextlib import asynccontextmanager

import pytest

from minikube_py.api.errors import UnavailableError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import PODS
from minikube_py.client.interface import DeleteOptions
from minikube_py.kubelet.io.status_writer import StatusWriter
from minikube_py.kubelet.pod import parse_pod
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime
KEY = ObjectKey("default", "web")


@asynccontextmanager
async def a_writer():
    lab = a_kubelet_lab()
    await lab.client.create(PODS, a_pod("web"))
    pod = parse_pod(await lab.client.get(PODS, KEY))
    writer = StatusWriter(lab.client, lab.informers.informer(PODS), lab.clock)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(writer.run())
        yield lab, pod, writer
        task.cancel()


async def test_the_last_wanted_status_is_written():
    async with a_writer() as (lab, pod, writer):
        await writer.put(pod, {"phase": "Pending"})
        await writer.put(pod, {"phase": "Running"})
        await writer.wait_written(pod.uid)

        assert (await lab.status("web"))["phase"] == "Running"


async def test_an_unchanged_status_is_not_written_again():
    async with a_writer() as (lab, pod, writer):
        await writer.put(pod, {"phase": "Running", "conditions": []})
        await writer.wait_written(pod.uid)
        revision = lab.client.revision
        await writer.put(pod, {"phase": "Running", "conditions": []})
        await asyncio.sleep(5)

        assert lab.client.revision == revision


async def test_a_server_that_is_away_is_tried_again():
    async with a_writer() as (lab, pod, writer):
        lab.client.fail_next("patch", PODS, UnavailableError("away"))
        await writer.put(pod, {"phase": "Running"})
        await writer.wait_written(pod.uid)

        assert (await lab.status("web"))["phase"] == "Running"


async def test_a_pod_of_the_same_name_does_not_get_the_old_ones_status():
    async with a_writer() as (lab, pod, writer):
        await lab.client.delete(PODS, KEY, DeleteOptions(grace_period_s=0))
        await lab.client.create(PODS, a_pod("web"))
        await writer.put(pod, {"phase": "Failed"})
        await writer.wait_written(pod.uid)

        assert (await lab.status("web")).get("phase") != "Failed"


async def test_conditions_of_others_survive():
    async with a_writer() as (lab, pod, writer):
        gate = {"type": "example.com/gate", "status": "True"}
        await lab.client.patch(PODS, KEY, {"status": {"conditions": [gate]}}, subresource="status")
        await writer.put(pod, {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
        await writer.wait_written(pod.uid)

        types = [c["type"] for c in (await lab.status("web"))["conditions"]]
        assert sorted(types) == ["Ready", "example.com/gate"]


async def test_what_somebody_else_changed_is_written_again_and_then_there_is_peace():
    async with a_writer() as (lab, pod, writer):
        ready = {"type": "Ready", "status": "True"}
        await writer.put(pod, {"phase": "Running", "conditions": [ready]})
        await writer.wait_written(pod.uid)
        for _ in range(2):
            marked = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
            await lab.client.patch(PODS, KEY, marked, subresource="status")
            await asyncio.sleep(5)
            assert (await lab.status("web"))["conditions"] == [ready]
        revision = lab.client.revision
        await asyncio.sleep(60)

        assert lab.client.revision == revision


async def test_what_somebody_else_changed_unseen_while_something_else_was_written_is_written_again():
    ready = [{"type": "Ready", "status": "True"}]
    async with a_writer() as (lab, pod, writer):
        await writer.put(pod, {"phase": "Running", "conditions": ready})
        await writer.wait_written(pod.uid)
        await asyncio.sleep(1)
        lab.informers.pause()
        lost = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
        await lab.client.patch(PODS, KEY, lost, subresource="status")
        await writer.put(pod, {"phase": "Running", "conditions": ready, "hostIP": "192.0.2.1"})
        await asyncio.sleep(1)
        lab.informers.resume()
        await asyncio.sleep(5)

        status = await lab.status("web")
        assert (status["conditions"], status["hostIP"]) == (ready, "192.0.2.1")


async def test_what_others_add_is_no_reason_to_write():
    async with a_writer() as (lab, pod, writer):
        await writer.put(pod, {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
        await writer.wait_written(pod.uid)
        more = [*(await lab.status("web"))["conditions"], {"type": "example.com/gate", "status": "True"}]
        await lab.client.patch(PODS, KEY, {"status": {"conditions": more}}, subresource="status")
        revision = lab.client.revision
        await asyncio.sleep(5)

        assert lab.client.revision == revision


async def test_what_is_forgotten_is_not_waited_for():
    async with a_writer() as (_, pod, writer):
        await writer.put(pod, {"phase": "Running"})
        writer.forget(pod.uid)
        await asyncio.wait_for(writer.wait_written(pod.uid), 1)
