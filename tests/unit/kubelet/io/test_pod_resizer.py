"""In-place resize on a kubelet in virtual time."""

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import PODS
from minikube_py.testing.fake_runtime import Program
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime


def sized(cpu, memory="64Mi", **more):
    return {"name": "c", "resources": {"requests": {"cpu": cpu}, "limits": {"memory": memory}}, **more}


async def resize(lab, name, container):
    obj = lab.pod(name)
    spec = {**obj["spec"], "containers": [{**obj["spec"]["containers"][0], **container}]}
    generation = int(obj["metadata"].get("generation") or 1) + 1
    await lab.client.update(PODS, {**obj, "metadata": {**obj["metadata"], "generation": generation}, "spec": spec})


def condition(lab, name, kind):
    conditions = lab.pod(name)["status"].get("conditions", [])
    return next((c for c in conditions if c["type"] == kind), None)


async def test_a_resize_that_fits_changes_the_running_container():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", sized("100m")))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await resize(lab, "web", sized("500m", "128Mi"))
        await lab.eventually(lambda: lab.container("web")["allocatedResources"]["cpu"] == "500m", 2.0)
        await lab.eventually(lambda: condition(lab, "web", "PodResizeInProgress") is None, 2.0)

    (run,) = lab.runtime.records("c")
    assert (run.resources.cpu_shares, run.resources.memory_limit_bytes) == (512, 128 << 20)
    assert lab.container("web")["resources"] == {
        "requests": {"cpu": "500m", "memory": "128Mi"},
        "limits": {"memory": "128Mi"},
    }
    assert lab.container("web")["restartCount"] == 0
    assert [r for r in lab.events.reasons() if "Resize" in r] == ["ResizeStarted", "ResizeCompleted"]


async def test_a_resize_restarts_the_container_when_its_policy_says_so():
    policy = {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]}
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", sized("100m", **policy)))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await resize(lab, "web", sized("500m", **policy))
        await lab.eventually(lambda: lab.container("web")["restartCount"] == 1, 5.0)

    assert lab.runtime.records("c")[-1].resources.cpu_shares == 512
    assert "Container c resize requires restart" in [message for _, _, message in lab.events.said]


@pytest.mark.parametrize(("cpu", "reason"), [("3", "Infeasible"), ("1500m", "Deferred")])
async def test_a_resize_that_does_not_fit_waits_and_changes_nothing(cpu, reason):
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("other", sized("1")))
        await lab.client.create(PODS, a_pod("web", sized("100m")))
        await lab.eventually(lambda: lab.phase("web") == "Running" == lab.phase("other"), 1.0)
        await resize(lab, "web", sized(cpu))
        await lab.eventually(lambda: condition(lab, "web", "PodResizePending") is not None, 2.0)

    assert condition(lab, "web", "PodResizePending")["reason"] == reason
    assert lab.container("web")["allocatedResources"]["cpu"] == "100m"
    assert "update c/0" not in lab.runtime.journal


async def test_a_deferred_resize_is_done_when_there_is_room():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("other", sized("1")))
        await lab.client.create(PODS, a_pod("web", sized("100m")))
        await lab.eventually(lambda: lab.phase("web") == "Running" == lab.phase("other"), 1.0)
        await resize(lab, "web", sized("1500m"))
        await lab.eventually(lambda: condition(lab, "web", "PodResizePending") is not None, 2.0)
        await lab.client.delete(PODS, ObjectKey("default", "other"))
        await lab.eventually(lambda: lab.container("web")["allocatedResources"]["cpu"] == "1500m", 120.0)

    assert condition(lab, "web", "PodResizePending") is None


async def test_less_memory_than_is_used_is_an_error_that_the_pod_shows():
    lab = a_kubelet_lab()
    lab.runtime.programs["c"] = Program(uses_bytes=50 << 20)
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", sized("100m")))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await resize(lab, "web", sized("100m", "32Mi"))
        await lab.eventually(lambda: (condition(lab, "web", "PodResizeInProgress") or {}).get("reason") == "Error", 2)

    assert condition(lab, "web", "PodResizeInProgress")["message"] == "device or resource busy"
    assert lab.container("web")["resources"]["limits"] == {"memory": str(64 << 20)}


async def test_a_kubelet_that_is_started_anew_knows_what_was_given():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", sized("100m")))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
    await resize(lab, "web", sized("500m"))
    async with lab.started():
        await lab.eventually(lambda: lab.container("web")["allocatedResources"]["cpu"] == "500m", 2.0)

    assert lab.runtime.records("c")[0].resources.cpu_shares == 512
