"""Volumes are bound before the pod is, and what was chosen is nobody else's meanwhile."""

import asyncio

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.persistent_volumes import BIND_COMPLETED, SELECTED_NODE
from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
from minikube_py.scheduler.io.volume_binding import VolumeBinding, VolumesNotBoundError
from minikube_py.scheduler.volumes import VolumeDecision
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.loop_clock import LoopClock
from minikube_py.testing.volume_objects import a_claim, a_volume
from minikube_py.testing.workload_objects import a_pod

pytestmark = pytest.mark.looptime
KEY = ObjectKey("default", "c")


async def a_binding():
    clock = LoopClock()
    client = FakeClient(clock)
    informers = FakeInformers(client)
    binding = VolumeBinding(client, informers, clock)
    claim = await client.create(PERSISTENT_VOLUME_CLAIMS, a_claim())
    volume = await client.create(PERSISTENT_VOLUMES, a_volume())
    return client, binding, claim, volume


async def mark_bound(client):
    marks = {"metadata": {"annotations": {BIND_COMPLETED: "yes"}}, "spec": {"volumeName": "pv"}}
    await client.patch(PERSISTENT_VOLUME_CLAIMS, KEY, marks)
    await client.patch(PERSISTENT_VOLUME_CLAIMS, KEY, {"status": {"phase": "Bound"}}, subresource="status")


async def test_a_chosen_volume_is_reserved_and_the_binding_waited_for():
    client, binding, claim, volume = await a_binding()
    decision = VolumeDecision(static=((claim, volume),))
    binding.assume(decision)
    assert binding.storage(a_pod()).taken == {"pv"}
    async with asyncio.TaskGroup() as group:
        task = group.create_task(binding.bind(decision, "n1", lambda: True))
        await asyncio.sleep(5)
        assert not task.done()
        ref = (await client.get(PERSISTENT_VOLUMES, ObjectKey("", "pv")))["spec"]["claimRef"]
        await mark_bound(client)

    assert (ref["name"], ref["uid"]) == ("c", claim["metadata"]["uid"])
    binding.forget(decision)
    assert binding.storage(a_pod()).taken == frozenset()


async def test_the_node_is_written_for_the_provisioner():
    client, binding, claim, _ = await a_binding()
    async with asyncio.TaskGroup() as group:
        group.create_task(binding.bind(VolumeDecision(provision=(claim,)), "n1", lambda: True))
        await asyncio.sleep(1)
        seen = await client.get(PERSISTENT_VOLUME_CLAIMS, KEY)
        await mark_bound(client)

    assert seen["metadata"]["annotations"][SELECTED_NODE] == "n1"


@pytest.mark.parametrize(
    ("happens", "why"),
    [("nothing", "context deadline exceeded"), ("gone", "the pod is gone"), ("given back", "provisioning failed")],
)
async def test_a_binding_that_comes_to_nothing_ends(happens, why):
    client, binding, claim, _ = await a_binding()
    wanted = [True]

    async def happen():
        await asyncio.sleep(5)
        wanted[0] = happens != "gone"
        if happens == "given back":
            await client.patch(PERSISTENT_VOLUME_CLAIMS, KEY, {"metadata": {"annotations": {SELECTED_NODE: None}}})

    async with asyncio.TaskGroup() as group:
        group.create_task(happen())
        with pytest.raises(VolumesNotBoundError, match=why):
            await binding.bind(VolumeDecision(provision=(claim,)), "n1", lambda: wanted[0])


def using(*claims):
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    return a_pod(node="", spec={"volumes": volumes})


async def test_a_pod_is_shown_its_own_claims_and_the_volumes_that_they_have_or_may_get():
    client, binding, _, _ = await a_binding()
    await client.create(PERSISTENT_VOLUME_CLAIMS, a_claim("other"))
    await client.create(PERSISTENT_VOLUMES, a_volume("free"))
    waiting = binding.storage(using("c", "missing"))
    await mark_bound(client)
    bound = binding.storage(using("c"))

    assert [(sorted(s.claims), sorted(s.volumes)) for s in (waiting, bound)] == [
        ([KEY], ["free", "pv"]),
        ([KEY], ["pv"]),
    ]
