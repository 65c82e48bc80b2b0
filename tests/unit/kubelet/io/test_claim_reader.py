import pytest

from minikube_py.api.resources import NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
from minikube_py.kubelet.io.claim_reader import ClaimReader
from minikube_py.testing.kubelet_lab import a_kubelet_lab
from minikube_py.testing.volume_objects import a_claim, a_volume

pytestmark = pytest.mark.looptime


async def test_a_claim_is_read_with_its_volume_and_this_node():
    client = a_kubelet_lab().client
    reader = ClaimReader(client, "n1")
    nothing = await reader.read("default", "c")
    await client.create(NODES, {"metadata": {"name": "n1", "labels": {"a": "b"}}})
    await client.create(PERSISTENT_VOLUMES, a_volume())
    await client.create(PERSISTENT_VOLUME_CLAIMS, a_claim(volumeName="pv"))
    found = await reader.read("default", "c")

    assert (nothing.claim, nothing.volume, dict(nothing.node.labels)) == (None, None, {})
    assert found.claim["metadata"]["name"] == "c"
    assert found.volume["metadata"]["name"] == "pv"
    assert found.node.labels == {"a": "b"}
