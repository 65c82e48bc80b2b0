import pytest

from minikube_py.api.resources import PODS
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.io.tear_down import take_pods_down
from minikube_py.testing.fake_runtime import Program
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime


async def test_nothing_of_the_pods_is_left():
    lab = a_kubelet_lab()
    lab.runtime.programs["stubborn"] = Program(term_after_s=None)
    async with lab.started():
        for name in ("a", "b"):
            await lab.client.create(PODS, a_pod(name, {"name": "c"}, {"name": "stubborn"}))
        await lab.eventually(lambda: lab.phase("a") == lab.phase("b") == "Running", 5.0)
    removed = await take_pods_down(lab.config, lab.runtime, lab.files)

    assert removed == {"pods": 2, "containers": 6}
    listing = await lab.runtime.listing()
    assert (listing.sandboxes, listing.containers) == ((), ())
    assert lab.files.texts == {}
    # The engine may have had the other driver before.
    assert {"/kubepods", "kubepods.slice"} <= set(lab.files.removed_cgroups)
    assert sum("burstable" in name for name in lab.files.removed_cgroups) == 2 * 2


async def test_a_second_time_there_is_nothing_to_do():
    lab = a_kubelet_lab()

    assert await take_pods_down(lab.config, lab.runtime, lab.files) == {"pods": 0, "containers": 0}


BUSY = ContainerRuntimeError(RuntimeErrorKind.TIMEOUT, "Docker did not answer within 10 s")


async def a_lab_with_a_pod():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("a", {"name": "c"}))
        await lab.eventually(lambda: lab.phase("a") == "Running", 5.0)
    return lab


async def test_an_engine_that_is_too_busy_is_asked_again():
    lab = await a_lab_with_a_pod()
    lab.runtime.fail_next("stop_container", BUSY)

    assert await take_pods_down(lab.config, lab.runtime, lab.files) == {"pods": 1, "containers": 2}
    assert (await lab.runtime.listing()).sandboxes == ()


async def test_an_engine_that_stays_too_busy_is_told_of_in_one_line():
    lab = await a_lab_with_a_pod()
    for _ in range(2):
        lab.runtime.fail_next("stop_container", BUSY)

    with pytest.raises(OSError, match=r"^pod [^:]+: .*Docker did not answer within 10 s$"):
        await take_pods_down(lab.config, lab.runtime, lab.files)
