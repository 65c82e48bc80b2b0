"""Which pods a Service selects, and what address and ports they offer."""

import pytest

from minikube_py.api.resources import PODS, SERVICES
from minikube_py.client.interface import Change
from minikube_py.controllers.plan import Listers
from minikube_py.controllers.service_pods import (
    PODS_BY_LABEL,
    SERVICES_BY_SELECTOR,
    has_endpoints,
    hostname_of,
    is_headless,
    items_of_pod,
    pod_addresses,
    resolve_port,
    select_pods,
    trigger_time,
)
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.workload_objects import NOW, a_pod, a_service


def listers(*objects) -> Listers:
    client = FakeClient(ManualClock())
    for obj in objects:
        client.seed(PODS if obj["kind"] == "Pod" else SERVICES, obj)
    informers = FakeInformers(client)
    for index in (PODS_BY_LABEL, SERVICES_BY_SELECTOR):
        informers.informer(index.resource).add_index(index.name, index.values)
    return Listers({r.qualified: informers.informer(r) for r in (PODS, SERVICES)})


def test_a_service_selects_by_all_its_pairs_within_its_namespace() -> None:
    both = a_pod("both", labels={"app": "web", "tier": "front"})
    one = a_pod("one", labels={"app": "web"})
    elsewhere = a_pod("far", labels={"app": "web", "tier": "front"}, metadata={"namespace": "other"})
    service = a_service(selector={"app": "web", "tier": "front"})

    assert [pod["metadata"]["name"] for pod in select_pods(listers(both, one, elsewhere), service)] == ["both"]


def test_a_relabelled_pod_concerns_the_services_before_and_after() -> None:
    seen = listers(a_service("a", selector={"app": "a"}), a_service("b", selector={"app": "b"}))
    items = items_of_pod(Change(a_pod(labels={"app": "a"}), a_pod(labels={"app": "b"})), seen)

    assert [item.key.name for item in items] == ["a", "b"]


def test_what_no_service_can_notice_concerns_none() -> None:
    seen = listers(a_service())
    restarted = a_pod()
    restarted["status"]["containerStatuses"] = [{"restartCount": 1}]

    assert items_of_pod(Change(a_pod(), restarted), seen) == ()
    assert len(items_of_pod(Change(a_pod(), a_pod(deleting=True)), seen)) == 1
    assert len(items_of_pod(Change(a_pod(), a_pod(ready=False)), seen)) == 1


@pytest.mark.parametrize(
    ("service_port", "expected"),
    [
        pytest.param({"port": 80}, 80, id="no target: the port itself"),
        pytest.param({"port": 80, "targetPort": 8080}, 8080, id="number"),
        pytest.param({"port": 80, "targetPort": "http"}, 9090, id="name"),
        pytest.param({"port": 53, "targetPort": "dns", "protocol": "UDP"}, 53, id="name and protocol"),
        pytest.param({"port": 53, "targetPort": "dns"}, None, id="name of another protocol"),
        pytest.param({"port": 1, "targetPort": "side"}, 7, id="port of a sidecar"),
    ],
)
def test_target_ports_are_resolved_in_the_pod(service_port, expected) -> None:
    containers = [
        {"ports": [{"name": "http", "containerPort": 9090}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]}
    ]
    sidecars = [{"restartPolicy": "Always", "ports": [{"name": "side", "containerPort": 7}]}]
    pod = a_pod(spec={"containers": containers, "initContainers": sidecars})

    assert resolve_port(pod, service_port) == expected


def test_kinds_of_services() -> None:
    assert has_endpoints(a_service())
    assert not has_endpoints(a_service(selector={}))
    assert not has_endpoints(a_service(type="ExternalName"))
    assert is_headless(a_service(clusterIP="None"))
    assert not is_headless(a_service())


def test_addresses_are_told_apart_by_family() -> None:
    pod = a_pod(ip="10.244.0.5")
    pod["status"]["podIPs"].append({"ip": "fd00::5"})

    assert pod_addresses(pod, "IPv4") == ["10.244.0.5"]
    assert pod_addresses(pod, "IPv6") == ["fd00::5"]
    assert pod_addresses(a_pod(), "IPv4") == []


def test_a_hostname_needs_the_services_subdomain() -> None:
    assert hostname_of(a_pod(spec={"hostname": "db-0", "subdomain": "web"}), a_service()) == "db-0"
    assert hostname_of(a_pod(spec={"hostname": "db-0", "subdomain": "other"}), a_service()) == ""


def test_the_trigger_is_the_latest_moment() -> None:
    assert trigger_time(a_service(), [a_pod(since=NOW), a_pod("q")]) == NOW
