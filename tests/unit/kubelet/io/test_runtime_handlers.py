from dataclasses import replace

import pytest

from minikube_py.api.resources import PODS, RUNTIME_CLASSES
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime


async def test_a_runtime_class_s_handler_is_asked_of_the_engine():
    lab = a_kubelet_lab()
    await lab.client.create(RUNTIME_CLASSES, {"metadata": {"name": "safe"}, "handler": "kata"})
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", runtimeClassName="safe"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)

    (run,) = lab.runtime.records("c")
    assert lab.runtime.config_of(run.id).runtime_handler == "kata"


async def test_a_class_that_is_gone_keeps_the_pod_waiting_and_says_why():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", runtimeClassName="none"))
        await lab.eventually(lambda: "FailedCreatePodSandBox" in lab.events.reasons(), 2.0)

    said = [message for _, reason, message in lab.events.said if reason == "FailedCreatePodSandBox"]
    assert 'failed to get RuntimeClass "none": runtimeclass.node.k8s.io "none" not found' in said[0]
    assert not lab.runtime.records("c")


async def test_a_user_namespace_of_its_own_is_refused_clearly():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", hostUsers=False))
        await lab.eventually(lambda: "FailedCreatePodSandBox" in lab.events.reasons(), 2.0)

    assert "does not support user namespaces" in str(lab.events.said)


async def test_an_unsafe_sysctl_fails_the_pod_unless_the_node_allows_it():
    security = {"sysctls": [{"name": "net.core.somaxconn", "value": "1"}]}
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", securityContext=security))
        await lab.eventually(lambda: lab.phase("web") == "Failed", 2.0)
    status = await lab.status("web")
    assert (status["reason"], status["message"]) == (
        "SysctlForbidden",
        'Pod was rejected: forbidden sysctl: "net.core.somaxconn" not allowlisted',
    )

    other = a_kubelet_lab()
    other.config = replace(other.config, allowed_unsafe_sysctls=("net.core.*",))
    async with other.started():
        await other.client.create(PODS, a_pod("web", securityContext=security))
        await other.eventually(lambda: other.phase("web") == "Running", 2.0)


async def test_a_pod_that_needs_apparmor_waits_on_a_host_without_it():
    profile = {"appArmorProfile": {"type": "RuntimeDefault"}}
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", securityContext=profile))
        await lab.eventually(lambda: (lab.pod("web").get("status") or {}).get("reason") == "AppArmor", 2.0)

    assert lab.phase("web") == "Pending"
    assert lab.container("web")["state"] == {"waiting": {"reason": "Blocked"}}
    assert not lab.runtime.records("c")

    armed = a_kubelet_lab()
    armed.files.texts["/sys/module/apparmor/parameters/enabled"] = "Y\n"
    async with armed.started():
        await armed.client.create(PODS, a_pod("web", securityContext=profile))
        await armed.eventually(lambda: armed.phase("web") == "Running", 2.0)
