import json

from minikube_py.proxy.endpoints_map import merge_slices
from minikube_py.proxy.health_checks import HealthCheck, health_check_of, render_answer
from minikube_py.testing.service_builders import a_service, a_slice, an_endpoint

ENDPOINTS = merge_slices(
    [
        a_slice(
            an_endpoint("10.244.0.2"),
            an_endpoint("10.244.0.3", ready=False),
            an_endpoint("10.244.1.2", node="node-2"),
        )
    ],
    "node-1",
)


def test_only_ready_endpoints_of_this_node_count():
    service = a_service(type="LoadBalancer", healthCheckNodePort=30111)

    assert health_check_of(service, ENDPOINTS) == HealthCheck("default", "web", 30111, 1)


def test_other_services_have_no_health_port():
    assert health_check_of(a_service(type="NodePort", healthCheckNodePort=30111), ENDPOINTS) is None
    assert health_check_of(a_service(type="LoadBalancer"), ENDPOINTS) is None


def test_the_answer_is_200_with_endpoints_and_a_healthy_proxy_alone():
    some, none = (HealthCheck("default", "web", 30111, count) for count in (2, 0))

    head, _, body = render_answer(some, proxy_is_healthy=True).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert json.loads(body) == {
        "service": {"namespace": "default", "name": "web"},
        "localEndpoints": 2,
        "serviceProxyHealthy": True,
    }
    assert render_answer(none, proxy_is_healthy=True).startswith(b"HTTP/1.1 503 ")
    assert render_answer(some, proxy_is_healthy=False).startswith(b"HTTP/1.1 503 ")
