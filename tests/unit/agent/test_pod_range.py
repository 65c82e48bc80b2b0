import asyncio

import pytest

from minikube_py.agent.errors import AgentError
from minikube_py.agent.pod_range import learn_pod_cidr, require_pod_cidr
from minikube_py.api.errors import TooManyRequestsError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import NODES
from minikube_py.testing.kubelet_lab import a_kubelet_lab

pytestmark = pytest.mark.looptime


async def test_a_node_that_was_made_anew_with_another_range_makes_the_agent_begin_anew():
    lab = a_kubelet_lab()
    await lab.client.create(NODES, {"metadata": {"name": "n1"}, "spec": {"podCIDR": "10.244.1.0/24"}})
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(require_pod_cidr(lab.informers, "n1", "10.244.1.0/24"))
            await asyncio.sleep(1)
            await lab.client.delete(NODES, ObjectKey("", "n1"))
            await lab.client.create(NODES, {"metadata": {"name": "n1"}})
            await asyncio.sleep(1)
            assert not task.done()
            await lab.client.patch(NODES, ObjectKey("", "n1"), {"spec": {"podCIDR": "10.244.3.0/24"}})
            await asyncio.sleep(60)

    (error,) = caught.value.exceptions
    assert isinstance(error, AgentError)
    assert str(error).startswith("node n1 has the pod range 10.244.3.0/24 now, no more 10.244.1.0/24")


async def test_a_server_that_is_too_busy_to_take_the_node_is_asked_again():
    lab = a_kubelet_lab()
    lab.client.fail_next("create", NODES, TooManyRequestsError("busy"))
    async with asyncio.TaskGroup() as group:
        learning = group.create_task(learn_pod_cidr(lab.client, lab.informers, lab.config, lab.host, lab.clock))
        await asyncio.sleep(1)
        await lab.client.patch(NODES, ObjectKey("", lab.config.node_name), {"spec": {"podCIDR": "10.244.1.0/24"}})

    assert learning.result() == "10.244.1.0/24"
