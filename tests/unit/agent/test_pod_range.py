import asyncio

import pytest

from minikube_py.agent.errors import AgentError
from minikube_py.agent.pod_range import require_pod_cidr
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
