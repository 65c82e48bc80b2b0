"""HTTP hooks of a pod on a kubelet in virtual time; exec and sleep hooks: test_container_killer.py."""

import pytest
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from minikube_py.api.resources import PODS
from minikube_py.kubelet.probes import PLAIN_ANSWER, ProbeOutcome, ProbeResult
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime

HTTPS, HTTP = "https://10.244.0.2:8080/started", "http://10.244.0.2:8080/started"
NOT_TLS = ProbeOutcome(ProbeResult.FAILURE, f'Get "{HTTPS}": {PLAIN_ANSWER}')
FAILED = ("Warning", "FailedPostStartHook", "PostStartHook failed")
FELL_BACK = (
    "Warning",
    "LifecycleHTTPFallback",
    "request to HTTPS lifecycle hook 10.244.0.2:8080 got HTTP response, retry with HTTP succeeded",
)


def with_hook(scheme):
    headers = [{"name": "Authorization", "value": "secret"}, {"name": "X-Pod", "value": "web"}]
    get = {"path": "started", "port": 8080, "scheme": scheme, "httpHeaders": headers}
    return a_pod("web", {"name": "c", "lifecycle": {"postStart": {"httpGet": get}}})


async def after_hook(scheme, answers):
    lab = a_kubelet_lab()
    lab.probes.answers |= answers
    async with lab.started() as kubelet:
        await lab.client.create(PODS, with_hook(scheme))
        await lab.eventually(lambda: len(lab.probes.tries) >= len(answers), 2.0)
        await lab.eventually(lambda: lab.phase("web") == "Running" or FAILED in lab.events.said, 2.0)
    return lab, kubelet


async def test_any_response_is_good_enough_for_a_hook():
    lab, _ = await after_hook("HTTP", {HTTP: ProbeOutcome(ProbeResult.FAILURE, "statuscode: 500", answered=True)})

    assert FAILED not in lab.events.said


async def test_a_hook_that_nobody_answers_fails():
    lab, _ = await after_hook("HTTP", {HTTP: ProbeOutcome(ProbeResult.FAILURE, "refused")})

    assert FAILED in lab.events.said


async def test_a_hook_without_tls_at_the_other_end_is_made_again_without_tls_and_without_credentials():
    answer = ProbeOutcome(ProbeResult.SUCCESS, answered=True)
    lab, kubelet = await after_hook("HTTPS", {HTTPS: NOT_TLS, HTTP: answer})

    assert lab.probes.tries == [HTTPS, HTTP]
    assert [sorted(dict(sent)) for sent in lab.probes.headers] == [["Authorization", "X-Pod"], ["X-Pod"]]
    assert FELL_BACK in lab.events.said
    assert FAILED not in lab.events.said
    registry = CollectorRegistry()
    for collector in kubelet.collectors:
        registry.register(collector)
    assert b"kubelet_lifecycle_handler_http_fallbacks_total 1.0" in generate_latest(registry)


async def test_a_fallback_that_fails_too_is_the_hooks_failure():
    lab, _ = await after_hook("HTTPS", {HTTPS: NOT_TLS, HTTP: ProbeOutcome(ProbeResult.FAILURE, "reset")})

    assert FAILED in lab.events.said
    assert FELL_BACK not in lab.events.said
