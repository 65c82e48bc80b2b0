import pytest

from minikube_py.proxy.service_map import is_ipv4, parse_service
from minikube_py.testing.service_builders import a_service


def test_every_port_of_a_service_is_one_value():
    ports = ({"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"})

    udp, tcp = parse_service(a_service(ports=ports))

    assert (udp.protocol, udp.port, udp.cluster_ips) == ("udp", 53, ("10.96.0.20",))
    assert (tcp.protocol, str(tcp)) == ("tcp", "default/web:dns-tcp")


@pytest.mark.parametrize(
    "service",
    [
        a_service(cluster_ip="None"),
        a_service(cluster_ip=""),
        a_service(type="ExternalName", externalName="example.org"),
        a_service() | {"metadata": {"name": "x", "labels": {"service.kubernetes.io/service-proxy-name": "other"}}},
        a_service(ports=()),
        a_service(cluster_ip="fd00::1"),
    ],
    ids=["headless", "no-ip-yet", "external-name", "other-proxy", "no-ports", "ipv6"],
)
def test_what_needs_no_rules_has_no_ports(service):
    assert parse_service(service) == ()


def test_node_ports_count_only_for_the_types_that_have_them():
    ports = ({"port": 80, "nodePort": 30080},)

    assert parse_service(a_service(ports=ports, type="NodePort"))[0].node_port == 30080
    assert parse_service(a_service(ports=ports, type="LoadBalancer"))[0].node_port == 30080
    assert parse_service(a_service(ports=ports))[0].node_port == 0


def test_external_ips_and_load_balancer_ips_are_external():
    service = a_service(externalIPs=["192.0.2.9", "fd00::9"], type="LoadBalancer")
    ingress = [{"ip": "192.0.2.10"}, {"ip": "192.0.2.11", "ipMode": "Proxy"}, {"hostname": "lb"}, {"ip": "192.0.2.9"}]
    service["status"] = {"loadBalancer": {"ingress": ingress}}

    assert parse_service(service)[0].external_ips == ("192.0.2.9", "192.0.2.10")


def test_policies_and_affinity_are_read():
    service = a_service(externalTrafficPolicy="Local", internalTrafficPolicy="Local", sessionAffinity="ClientIP")

    port = parse_service(service)[0]

    assert (port.external_local, port.internal_local, port.affinity_s) == (True, True, 10800)


def test_only_plain_ipv4_addresses_count():
    assert is_ipv4("10.0.0.1")
    assert not any(is_ipv4(text) for text in ("", "fd00::1", "10.0.0.01", "10.0.0", None))
