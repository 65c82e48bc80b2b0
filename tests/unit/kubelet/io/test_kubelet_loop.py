import asyncio

import pytest

from minikube_py.api.resources import NODES, PODS
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime


async def test_a_bound_pod_is_started_and_reported_running_and_ready():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)

    status = await lab.status("web")
    assert status["podIP"] == "10.244.0.2"
    assert status["hostIP"] == "192.0.2.1"
    assert lab.is_ready("web")
    assert status["containerStatuses"][0]["restartCount"] == 0
    assert lab.events.reasons() == ["Pulled", "Created", "Started"]
    assert lab.runtime.journal == ["run sandbox web/0", "attach 10.244.0.2", "create c/0", "start c/0"]


async def test_the_node_is_registered_and_ready():
    lab = a_kubelet_lab()
    async with lab.started() as kubelet:
        await asyncio.wait_for(kubelet.node.ready.wait(), 1.0)

    node = lab.client.objects(NODES)[0]
    ready = next(c for c in node["status"]["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "KubeletReady")
    assert node["status"]["capacity"]["cpu"] == "2"
