import pytest

from minikube_py.api.resources import PODS
from minikube_py.kubelet.engine_leftovers import ContainerCgroup, HostTraces, Shim
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime

SWEEPS_S = 130.0
"""Two rounds of the clean-up and a little more."""


async def _running_lab():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
    return lab


async def test_what_is_left_of_a_container_that_the_engine_forgot_is_ended():
    lab = await _running_lab()
    lab.leftovers.traces = HostTraces(
        frozenset(), (ContainerCgroup("lost", "/kubepods/podu/lost"),), (Shim(7, "lost"), Shim(8, "lost too"))
    )
    async with lab.started():
        await lab.eventually(lambda: lab.leftovers.traces.shims == (), SWEEPS_S)
        await lab.eventually(lambda: lab.files.removed_cgroups == ["/kubepods/podu/lost"], 1.0)


async def test_what_the_engine_knows_is_left_alone_be_it_this_nodes_or_not():
    lab = await _running_lab()
    listing = await lab.runtime.listing()
    lab.runtime.foreign.add("foreign")
    ids = [listing.sandboxes[0].id, listing.containers[0].id, "foreign"]
    lab.leftovers.traces = HostTraces(
        frozenset(("u",)),
        tuple(ContainerCgroup(identity, f"/kubepods/podu/{identity}") for identity in ids),
        tuple(Shim(number, identity) for number, identity in enumerate(ids)),
    )
    async with lab.started():
        await lab.clock.sleep(SWEEPS_S)
    assert len(lab.leftovers.traces.shims) == len(ids)
    assert lab.files.removed_cgroups == []


async def test_the_cgroups_of_a_pod_that_nobody_knows_are_removed_and_of_others_not():
    lab = await _running_lab()
    uid = lab.pod("web")["metadata"]["uid"]
    lab.leftovers.traces = HostTraces(frozenset(("gone", uid)))
    async with lab.started():
        await lab.eventually(lambda: bool(lab.files.removed_cgroups), SWEEPS_S)
    assert set(lab.files.removed_cgroups) == {
        f"/kubepods{tier}/podgone" for tier in ("", "/burstable", "/besteffort")
    }


async def test_nothing_is_ended_while_the_engine_does_not_answer():
    lab = await _running_lab()
    lab.leftovers.traces = HostTraces(shims=(Shim(7, "lost"),))
    async with lab.started():
        lab.runtime.up = False
        await lab.clock.sleep(SWEEPS_S)
        assert lab.leftovers.traces.shims
        lab.runtime.up = True
        await lab.eventually(lambda: not lab.leftovers.traces.shims, SWEEPS_S)
