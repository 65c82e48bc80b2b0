import asyncio

import pytest

from minikube_py.api.resources import PODS
from minikube_py.kubelet.statistics import DiskUsage
from minikube_py.testing.fake_host_statistics import MIB, Use
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime


async def started_pod(lab, name="p", *containers):
    await lab.client.create(PODS, a_pod(name, *containers, volumes=[{"name": "d", "emptyDir": {}}]))
    await lab.eventually(lambda: lab.phase(name) == "Running", 5.0)


async def test_the_summary_shows_running_pods_with_their_disks():
    lab = a_kubelet_lab()
    async with lab.started() as kubelet:
        await started_pod(lab)
        (record,) = lab.runtime.records()
        lab.statistics.uses[record.id] = Use(memory_bytes=7 * MIB)
        uid = lab.pod("p")["metadata"]["uid"]
        lab.statistics.disks = {
            f"/layers/{record.id}": DiskUsage(100, 1),
            f"/logs/{record.id}": DiskUsage(20, 2),
            f"/data/agent/pods/{uid}/volumes/kubernetes.io~empty-dir/d": DiskUsage(3, 3),
        }
        summary = await kubelet.statistics.summary()

    (pod,) = summary["pods"]
    (container,) = pod["containers"]
    assert (pod["podRef"]["name"], container["name"]) == ("p", "c")
    assert container["memory"]["workingSetBytes"] == pod["memory"]["workingSetBytes"] == 7 * MIB
    assert (container["rootfs"]["usedBytes"], container["logs"]["usedBytes"]) == (100, 20)
    assert pod["ephemeral-storage"]["usedBytes"] == 123
    assert summary["node"]["nodeName"] == "node1"


async def test_everybody_shares_one_reading_for_ten_seconds():
    lab = a_kubelet_lab()
    async with lab.started() as kubelet:
        await started_pod(lab)
        for _ in range(5):
            await kubelet.statistics.resource_metrics()
            await kubelet.statistics.summary()
        assert lab.statistics.readings == 1
        await asyncio.sleep(10)
        await kubelet.statistics.resource_metrics()

    assert lab.statistics.readings == 2


async def test_directories_are_walked_once_a_minute():
    lab = a_kubelet_lab()
    async with lab.started() as kubelet:
        await started_pod(lab)
        await kubelet.statistics.summary()
        once = lab.statistics.walks
        await asyncio.sleep(59)
        await kubelet.statistics.summary()
        assert lab.statistics.walks == once > 0
        await asyncio.sleep(2)
        await kubelet.statistics.summary()

    assert lab.statistics.walks == 2 * once


async def test_cpu_in_use_is_known_from_the_second_reading_on():
    lab = a_kubelet_lab()
    async with lab.started() as kubelet:
        await started_pod(lab)
        lab.statistics.uses[lab.runtime.records()[0].id] = Use(cores=0.25)
        first = (await kubelet.statistics.summary())["pods"][0]["cpu"]
        await asyncio.sleep(10)
        second = (await kubelet.statistics.summary())["pods"][0]["cpu"]

    assert "usageNanoCores" not in first
    assert second["usageNanoCores"] == pytest.approx(250_000_000, rel=0.01)


async def test_pods_that_do_not_run_are_not_shown():
    lab = a_kubelet_lab()
    async with lab.started() as kubelet:
        await started_pod(lab, "runs")
        await lab.client.create(PODS, a_pod("over", restartPolicy="Never"))
        await lab.eventually(lambda: lab.phase("over") == "Running", 5.0)
        (record,) = [r for r in lab.runtime.records() if r.pod.name == "over"]
        lab.runtime.exit_container(record.id, 0)
        await lab.eventually(lambda: lab.phase("over") == "Succeeded", 5.0)
        text = await kubelet.statistics.cadvisor_metrics()

    assert 'pod="runs"' in text
    assert 'pod="over"' not in text


async def test_an_engine_that_does_not_answer_is_said_in_the_metrics():
    lab = a_kubelet_lab()
    async with lab.started() as kubelet:
        lab.runtime.up = False
        kubelet.statistics._engine = None

        assert "resource_scrape_error 1" in await kubelet.statistics.resource_metrics()
