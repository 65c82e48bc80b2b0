"""Probes on a kubelet in virtual time: what they ask, and what is said of it."""

import pytest

from minikube_py.api.resources import PODS
from minikube_py.kubelet.probes import ProbeOutcome, ProbeResult
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime

FINE = ProbeOutcome(ProbeResult.SUCCESS, "service healthy")


def probed(probe, **more):
    return {"name": "c", "readinessProbe": {"periodSeconds": 1, **probe}, **more}


async def test_a_grpc_probe_asks_the_health_service_of_the_pod():
    lab = a_kubelet_lab()
    lab.probes.answers["10.244.0.2:5000/web"] = FINE
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", probed({"grpc": {"port": 5000, "service": "web"}})))
        await lab.eventually(lambda: lab.is_ready("web"), 5.0)


async def test_a_grpc_probe_that_fails_keeps_the_pod_unready_and_says_why():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", probed({"grpc": {"port": 5000}})))
        await lab.eventually(lambda: "Unhealthy" in lab.events.reasons(), 5.0)

    assert not lab.is_ready("web")
    assert "Readiness probe failed: timeout: failed to connect service" in str(lab.events.said)


async def test_a_port_that_has_no_number_is_an_error_that_changes_nothing():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", probed({"httpGet": {"port": "nope"}})))
        await lab.eventually(lambda: "Unhealthy" in lab.events.reasons(), 5.0)

    words = 'Readiness probe errored and resulted in unknown state: strconv.Atoi: parsing "nope": invalid syntax'
    assert ("Warning", "Unhealthy", words) in lab.events.said
    assert lab.probes.tries == []


async def test_a_success_that_is_worth_a_warning_is_told():
    lab = a_kubelet_lab()
    moved = ProbeOutcome(ProbeResult.SUCCESS, "moved", warns=True)
    lab.probes.answers["http://10.244.0.2:80/"] = moved
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", probed({"httpGet": {"port": 80}})))
        await lab.eventually(lambda: lab.is_ready("web"), 5.0)

    assert ("Warning", "ProbeWarning", "Readiness probe warning: moved") in lab.events.said


async def test_a_probe_s_own_host_and_scheme_are_used():
    lab = a_kubelet_lab()
    lab.probes.answers["https://192.0.2.9:8443/well"] = FINE
    get = {"httpGet": {"host": "192.0.2.9", "port": "web", "scheme": "HTTPS", "path": "well"}}
    async with lab.started():
        container = probed(get, ports=[{"name": "web", "containerPort": 8443}])
        await lab.client.create(PODS, a_pod("web", container))
        await lab.eventually(lambda: lab.is_ready("web"), 5.0)
