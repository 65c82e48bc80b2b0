import pytest

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.host_ports import compile_host_ports
from minikube_py.proxy.programs import EMPTY
from minikube_py.proxy.ruleset import Ruleset
from minikube_py.testing.packet_tracer import Packet, Tracer, Way

POD, CLIENT, NODE_IP = "10.244.0.2", "198.51.100.7", "192.0.2.1"
HTTP = {"containerPort": 80, "hostPort": 8080}


def a_pod(*ports, pod_ip=POD, phase="Running", **spec):
    return {"spec": {"containers": [{"ports": list(ports)}], **spec}, "status": {"podIP": pod_ip, "phase": phase}}


def trace(pod, packet: Packet) -> Way:
    elements = compile_host_ports(pod).elements
    chains = frozenset({"node-port-local-1-of-1", "external-local-1-of-1"})
    tracer = Tracer(Ruleset(elements, chains), ProxyConfig("node-1"), frozenset({NODE_IP, "192.0.2.2"}))
    return tracer.trace(packet)


def test_a_host_port_leads_to_the_pod_and_keeps_the_clients_address():
    assert trace(a_pod(HTTP), Packet(CLIENT, NODE_IP, 8080)) == Way("sent", frozenset({(POD, 80)}))


def test_the_host_itself_is_masqueraded_and_so_is_the_pod_to_itself():
    target = frozenset({(POD, 80)})

    assert trace(a_pod(HTTP), Packet(NODE_IP, NODE_IP, 8080)) == Way("sent", target, target)
    assert trace(a_pod(HTTP), Packet(POD, NODE_IP, 8080)) == Way("sent", target, target)


def test_a_host_ip_restricts_the_port_to_that_address():
    pod = a_pod(HTTP | {"hostIP": "192.0.2.2"})

    assert trace(pod, Packet(CLIENT, "192.0.2.2", 8080)).targets == {(POD, 80)}
    assert trace(pod, Packet(CLIENT, NODE_IP, 8080)) == Way("untouched")
    assert trace(a_pod(HTTP | {"hostIP": "0.0.0.0"}), Packet(CLIENT, NODE_IP, 8080)).targets == {(POD, 80)}


def test_udp_ports_name_the_only_flows_that_may_live_on():
    program = compile_host_ports(a_pod({"containerPort": 53, "hostPort": 5353, "protocol": "UDP"}))

    assert program.udp == {("", 5353): {(POD, 53)}}
    assert program.forwards == set()


@pytest.mark.parametrize(
    "pod",
    [
        a_pod({"containerPort": 80}),
        a_pod(HTTP, hostNetwork=True),
        a_pod(HTTP, pod_ip=None),
        a_pod(HTTP, phase="Succeeded"),
        a_pod(HTTP | {"protocol": "ICMP"}),
        {},
    ],
    ids=["no-host-port", "host-network", "no-address-yet", "ended", "odd-protocol", "bare"],
)
def test_other_pods_contribute_nothing(pod):
    assert compile_host_ports(pod) == EMPTY
