"""Compiled Services, asked through the packet tracer."""

import pytest

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.endpoints_map import merge_slices
from minikube_py.proxy.programs import CompileFacts, compile_service
from minikube_py.proxy.service_map import parse_service
from minikube_py.proxy.topology import NodeFacts
from minikube_py.testing.compiled_ruleset import compile_ruleset
from minikube_py.testing.packet_tracer import Packet, Tracer, Way
from minikube_py.testing.service_builders import a_service, a_slice, an_endpoint

NODE_IP, CLIENT, POD = "192.0.2.1", "198.51.100.7", "10.244.0.77"
VIP = "10.96.0.20"
A, B, C = "10.244.0.2", "10.244.0.3", "10.244.1.4"
LOCAL_AND_REMOTE = a_slice(an_endpoint(A), an_endpoint(B), an_endpoint(C, node="node-2"))
NODE_PORT = {"ports": ({"name": "http", "port": 80, "nodePort": 30080},), "type": "NodePort"}
FACTS = CompileFacts(NodeFacts("node-1"), frozenset({"10.96.0.10"}))


def a_node(service, *slices, **config) -> Tracer:
    endpoints = merge_slices(slices, "node-1")
    ruleset = compile_ruleset([(parse_service(service), endpoints)], FACTS)
    return Tracer(ruleset, ProxyConfig("node-1", **config), frozenset({NODE_IP, "10.244.0.1"}))


def targets(*addresses: str) -> frozenset[tuple[str, int]]:
    return frozenset((address, 8080) for address in addresses)


def test_a_pod_reaches_every_endpoint_of_a_cluster_ip_with_its_own_address():
    way = a_node(a_service(), LOCAL_AND_REMOTE).trace(Packet(POD, VIP, 80))

    assert way == Way("sent", targets(A, B, C))


def test_who_is_no_pod_is_masqueraded_to_a_cluster_ip():
    way = a_node(a_service(), LOCAL_AND_REMOTE).trace(Packet(NODE_IP, VIP, 80))

    assert way == Way("sent", targets(A, B, C), targets(A, B, C))


def test_a_pod_that_reaches_itself_is_masqueraded_to_itself_only():
    way = a_node(a_service(), LOCAL_AND_REMOTE).trace(Packet(A, VIP, 80))

    assert way == Way("sent", targets(A, B, C), targets(A))


@pytest.mark.parametrize("port", [81, 8080])
def test_an_unused_port_of_a_cluster_ip_is_rejected(port):
    assert a_node(a_service(), LOCAL_AND_REMOTE).trace(Packet(POD, VIP, port)) == Way("rejected")


def test_the_protocol_counts():
    assert a_node(a_service(), LOCAL_AND_REMOTE).trace(Packet(POD, VIP, 80, "udp")) == Way("rejected")


def test_an_address_that_no_service_has_is_dropped():
    assert a_node(a_service(), LOCAL_AND_REMOTE).trace(Packet(POD, "10.96.9.9", 80)) == Way("dropped")


def test_a_service_without_endpoints_is_rejected_everywhere():
    node = a_node(a_service(**NODE_PORT, externalIPs=["192.0.2.50"]), a_slice())

    packets = (Packet(POD, VIP, 80), Packet(CLIENT, NODE_IP, 30080), Packet(CLIENT, "192.0.2.50", 80))
    assert [node.trace(packet) for packet in packets] == [Way("rejected")] * 3


def test_a_node_port_masquerades_and_answers_at_every_address_of_the_node():
    node = a_node(a_service(**NODE_PORT), LOCAL_AND_REMOTE)

    for address in (NODE_IP, "10.244.0.1"):
        assert node.trace(Packet(CLIENT, address, 30080)) == Way("sent", targets(A, B, C), targets(A, B, C))
    assert node.trace(Packet(CLIENT, "192.0.2.2", 30080)) == Way("untouched")
    assert node.trace(Packet(CLIENT, NODE_IP, 30081)) == Way("untouched")


def test_local_external_policy_keeps_addresses_and_stays_on_the_node():
    node = a_node(a_service(**NODE_PORT, externalTrafficPolicy="Local"), LOCAL_AND_REMOTE)

    assert node.trace(Packet(CLIENT, NODE_IP, 30080)) == Way("sent", targets(A, B))
    assert node.trace(Packet(POD, NODE_IP, 30080)) == Way("sent", targets(A, B, C))
    assert node.trace(Packet(NODE_IP, NODE_IP, 30080)) == Way("sent", targets(A, B, C), targets(A, B, C))


def test_local_external_policy_without_local_endpoints_drops_outsiders():
    node = a_node(
        a_service(**NODE_PORT, externalTrafficPolicy="Local", externalIPs=["192.0.2.50"]),
        a_slice(an_endpoint(C, node="node-2")),
    )

    assert node.trace(Packet(CLIENT, NODE_IP, 30080)) == Way("dropped")
    assert node.trace(Packet(CLIENT, "192.0.2.50", 80)) == Way("dropped")
    assert node.trace(Packet(POD, NODE_IP, 30080)) == Way("sent", targets(C))


def test_local_internal_policy_stays_on_the_node_and_drops_without_endpoints_there():
    service = a_service(internalTrafficPolicy="Local")

    assert a_node(service, LOCAL_AND_REMOTE).trace(Packet(POD, VIP, 80)) == Way("sent", targets(A, B))
    only_remote = a_slice(an_endpoint(C, node="node-2"))
    assert a_node(service, only_remote).trace(Packet(POD, VIP, 80)) == Way("dropped")
    assert a_node(service).trace(Packet(POD, VIP, 80)) == Way("rejected")


def test_external_ips_masquerade():
    node = a_node(a_service(externalIPs=["192.0.2.50"]), LOCAL_AND_REMOTE)

    assert node.trace(Packet(CLIENT, "192.0.2.50", 80)) == Way("sent", targets(A, B, C), targets(A, B, C))


def test_what_the_host_serves_itself_is_left_alone():
    node = a_node(a_service(cluster_ip="10.96.0.10"), LOCAL_AND_REMOTE)

    assert node.ruleset.elements.keys() == a_node(a_service(ports=()), LOCAL_AND_REMOTE).ruleset.elements.keys() | {
        key for key in node.ruleset.elements if key.map == "hairpin"
    }
    assert node.trace(Packet(POD, "10.96.0.10", 80)) == Way("untouched")


def test_terminating_endpoints_serve_when_there_is_no_other_but_count_as_withdrawn():
    dying = {"ready": False, "serving": True, "terminating": True}
    last = merge_slices((a_slice(an_endpoint(A, **dying)),), "node-1")
    both = merge_slices((a_slice(an_endpoint(A, **dying), an_endpoint(B)),), "node-1")

    alone = compile_service(parse_service(a_service()), last, FACTS)
    beside = compile_service(parse_service(a_service()), both, FACTS)

    assert set(alone.elements.values()) >= {("10.244.0.2", 8080)}
    assert alone.forwards == frozenset()
    assert beside.forwards == {B}


def test_udp_flows_may_live_on_with_all_that_serve():
    port = {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": 30053}
    service = a_service(ports=(port,), type="NodePort")
    slices = a_slice(
        an_endpoint(A),
        an_endpoint(B, ready=False, serving=True, terminating=True),
        an_endpoint(C, ready=False),
        ports=({"name": "dns", "port": 5353, "protocol": "UDP"},),
    )

    program = compile_service(parse_service(service), merge_slices((slices,), "node-1"), FACTS)

    serving = {(A, 5353), (B, 5353)}
    assert program.udp == {(VIP, 53): serving, ("", 30053): serving}


def test_affinity_and_plain_services_have_chains_of_their_own():
    chains = a_node(a_service(**NODE_PORT, sessionAffinity="ClientIP"), LOCAL_AND_REMOTE).ruleset.chains

    assert chains == {"cluster-affinity-10800s-3", "node-port-affinity-10800s-3"}


def test_clients_may_keep_the_endpoints_of_their_list_and_no_others():
    service = a_service(**NODE_PORT, sessionAffinity="ClientIP", externalTrafficPolicy="Local")
    ruleset = a_node(service, LOCAL_AND_REMOTE).ruleset

    def kept(chosen_in: str, kept_in: str, lists: tuple[int, ...]) -> list[set[object]]:
        """Return where the identities lead that are given out from each list on."""
        where = {key.key[-1]: data for key, data in ruleset.elements.items() if key.map == kept_in}
        chosen = [(key.key[-1], data) for key, data in ruleset.elements.items() if key.map == chosen_in]
        return [{where[identity] for index, identity in chosen if index >> 16 == place} for place in lists]

    everywhere = {data for key, data in ruleset.elements.items() if key.map == "endpoints"}
    here, all_of_them = kept("node-port-affinity-choices", "node-port-affinity-endpoints", (0, 1))
    assert kept("affinity-choices", "affinity-endpoints", (0,)) == [everywhere]
    assert all_of_them == everywhere
    assert here < everywhere
    assert sum(key.map == "node-port-affinity-endpoints" for key in ruleset.elements) == len(here) + len(everywhere)


def test_of_two_services_with_one_node_port_the_first_has_it():
    first, second = (parse_service(a_service(name, **NODE_PORT)) for name in ("a", "b"))
    one, other = (merge_slices((a_slice(an_endpoint(address)),), "node-1") for address in (A, B))

    ruleset = compile_ruleset([(first, one), (second, other)], FACTS)

    way = Tracer(ruleset, ProxyConfig("node-1"), frozenset({NODE_IP})).trace(Packet(CLIENT, NODE_IP, 30080))
    assert way.targets == targets(A)
