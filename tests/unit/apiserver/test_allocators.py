from ipaddress import IPv4Network
from random import Random

import pytest

from minikube_py.apiserver.allocators import NOTHING, Held, allocate, held_by
from minikube_py.apiserver.service_ranges import Ranges

RANGES = Ranges((IPv4Network("10.96.0.0/29"),), 30000, 30003, frozenset({"10.96.0.5"}))


def a_service(type_="ClusterIP", ports=((80, "TCP", 0),), **spec):
    rendered = [
        {"port": port, "protocol": protocol, **({"nodePort": node_port} if node_port else {})}
        for port, protocol, node_port in ports
    ]
    return {"metadata": {"name": "s"}, "spec": {"type": type_, "ports": rendered, **spec}}


def given(service, old=None, taken=NOTHING, seed=0):
    faults = allocate(service, old, taken, RANGES, Random(seed))
    assert not faults, faults
    return service["spec"]


def faults_of(service, taken=NOTHING):
    return [str(fault) for fault in allocate(service, None, taken, RANGES, Random(0))]


@pytest.mark.parametrize("seed", range(20))
def test_an_address_is_free_usable_and_not_reserved(seed):
    taken = Held(frozenset({"10.96.0.1", "10.96.0.2"}))
    spec = given(a_service(), taken=taken, seed=seed)
    assert spec["clusterIP"] in {"10.96.0.3", "10.96.0.4", "10.96.0.6"}
    assert spec["clusterIPs"] == [spec["clusterIP"]]


def test_an_address_that_is_asked_for_is_given_even_a_reserved_one():
    assert given(a_service(clusterIP="10.96.0.5"))["clusterIPs"] == ["10.96.0.5"]


def test_headless_and_external_services_get_no_address():
    assert given(a_service(clusterIP="None"))["clusterIPs"] == ["None"]
    assert "clusterIP" not in given(a_service("ExternalName", ()))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            "10.96.0.1",
            'spec.clusterIPs: Invalid value: ["10.96.0.1"]: failed to allocate IP 10.96.0.1: provided IP is already '
            "allocated",
        ),
        (
            "192.168.1.1",
            'spec.clusterIPs: Invalid value: ["192.168.1.1"]: failed to allocate IP 192.168.1.1: the provided '
            "network does not match the current range",
        ),
        (
            "10.96.0.7",
            'spec.clusterIPs: Invalid value: ["10.96.0.7"]: failed to allocate IP 10.96.0.7: the provided '
            "network does not match the current range",
        ),
    ],
)
def test_an_address_that_cannot_be_had_is_refused(asked, message):
    assert faults_of(a_service(clusterIP=asked), Held(frozenset({"10.96.0.1"}))) == [message]


def test_a_full_range_says_so():
    everything = Held(frozenset(f"10.96.0.{n}" for n in range(1, 7)))
    assert faults_of(a_service(), everything) == [
        "spec.clusterIPs: Invalid value: []: failed to allocate IP : range is full"
    ]


def test_node_ports_are_different_but_shared_by_the_protocols_of_one_port():
    spec = given(a_service("NodePort", ((53, "UDP", 0), (53, "TCP", 0), (80, "TCP", 0))))
    dns_udp, dns_tcp, http = (port["nodePort"] for port in spec["ports"])
    assert dns_udp == dns_tcp
    assert http != dns_udp
    assert {dns_udp, http} <= set(range(30000, 30004))


def test_a_port_asked_for_later_is_not_given_away_before():
    for seed in range(8):
        ports = given(a_service("NodePort", ((1, "TCP", 0), (2, "TCP", 30001))), seed=seed)["ports"]
        assert ports[0]["nodePort"] != ports[1]["nodePort"] == 30001


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (80, "provided port is not in the valid range. The range of valid ports is 30000-30003"),
        (30002, "provided port is already allocated"),
    ],
)
def test_a_node_port_that_cannot_be_had_is_refused(asked, why):
    taken = Held(node_ports=frozenset({30002}))
    assert faults_of(a_service("NodePort", ((80, "TCP", asked),)), taken) == [
        f"spec.ports[0].nodePort: Invalid value: {asked}: {why}"
    ]


def test_a_service_keeps_what_it_has():
    old = a_service("NodePort", clusterIP="10.96.0.2")
    given(old)
    held = held_by(old)
    new = a_service("NodePort", ((80, "TCP", old["spec"]["ports"][0]["nodePort"]),), clusterIP="10.96.0.2")
    assert given(new, old, held) == old["spec"]


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ({"ipFamilyPolicy": "RequireDualStack"}, ["spec.ipFamilyPolicy"]),
        ({"ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv4"]}, []),
        ({"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "PreferDualStack"}, ["spec.ipFamilies[1]"]),
        ({"clusterIPs": ["None"], "clusterIP": "None", "ipFamilies": ["IPv6"]}, []),
        (
            {"clusterIPs": ["None"], "clusterIP": "None", "ipFamilies": ["IPv6"], "selector": {"a": "b"}},
            ["spec.ipFamilies[0]"],
        ),
    ],
    ids=str,
)
def test_families_that_the_cluster_does_not_have_are_refused_but_for_services_without_address_and_selector(
    spec, fields
):
    faults = allocate(a_service(**spec), None, NOTHING, RANGES, Random(0))
    assert [fault.field for fault in faults] == fields


def test_a_local_load_balancer_gets_a_health_check_port():
    spec = given(a_service("LoadBalancer", externalTrafficPolicy="Local"))
    assert spec["healthCheckNodePort"] not in {port["nodePort"] for port in spec["ports"]}
    assert "healthCheckNodePort" not in given(a_service("LoadBalancer"))
    without = given(a_service("LoadBalancer", allocateLoadBalancerNodePorts=False))
    assert "nodePort" not in without["ports"][0]


def test_what_a_service_holds_can_be_read_from_it():
    service = a_service("NodePort", ((80, "TCP", 30001),), clusterIP="10.96.0.2", healthCheckNodePort=30002)
    assert held_by(service) == Held(frozenset({"10.96.0.2"}), frozenset({30001, 30002}))
    assert held_by(a_service(clusterIP="None")) == NOTHING
