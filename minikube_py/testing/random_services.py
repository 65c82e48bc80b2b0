"""Random Services with their endpoints, for tests that compare two ways to the same verdict."""

from collections.abc import Iterator
from random import Random

from minikube_py.proxy.endpoints_map import Endpoint, EndpointsByPort
from minikube_py.proxy.service_map import ServicePort
from minikube_py.testing.packet_tracer import Packet

NODE_IP = "192.0.2.1"
BRIDGE_IP = "10.244.0.1"
POD = "10.244.0.2"
OUTSIDE = "198.51.100.7"
OTHER_OUTSIDE = "203.0.113.9"
PROTOCOLS = ("tcp", "udp", "sctp")
Service = tuple[tuple[ServicePort, ...], EndpointsByPort]


def random_services(rng: Random, count: int) -> list[Service]:
    """Return `count` Services; some share external addresses, some have no endpoints, some only foreign ones."""
    return [_service(rng, number) for number in range(count)]


def _service(rng: Random, number: int) -> Service:
    external = [f"203.0.113.{100 + rng.randrange(3)}" for _ in range(rng.randrange(2))]
    balancer = [f"203.0.113.{200 + number % 50}"] if rng.random() < 0.4 else []
    names = [f"p{n}" for n in range(rng.choice((1, 1, 2, 4)))]
    common = {
        "namespace": "default",
        "service": f"s{number}",
        "cluster_ips": (f"10.96.{number // 200}.{number % 200 + 20}",),
        "external_ips": tuple(dict.fromkeys((*external, *balancer))),
        "external_local": rng.random() < 0.3,
        "internal_local": rng.random() < 0.3,
        "affinity_s": rng.choice((0, 0, 60, 10800)),
        "source_ranges": (f"{OUTSIDE}/32", "10.244.0.0/25")[: rng.randrange(3)] if balancer else (),
        "load_balancer_ips": tuple(balancer),
    }
    ports = tuple(
        ServicePort(
            port_name=name,
            protocol=rng.choice(PROTOCOLS),
            port=rng.choice((53, 80, 443, 8000 + place)),
            node_port=30000 + number * 4 + place if rng.random() < 0.6 else 0,
            **common,  # type: ignore[arg-type]
        )
        for place, name in enumerate(names)
    )
    endpoints = tuple(_endpoint(rng, place) for place in range(rng.choice((0, 0, 1, 2, 3, 7))))
    return ports, {name: endpoints for name in names if rng.random() < 0.9}


def _endpoint(rng: Random, place: int) -> Endpoint:
    ready = rng.random() < 0.7
    serving = ready or rng.random() < 0.6
    is_local = rng.random() < 0.4
    address = f"10.244.{0 if is_local else 1}.{2 + place}"
    return Endpoint(address, 8080, ready, serving, terminating=not ready, is_local=is_local)


def packets_to(services: list[Service], rng: Random) -> Iterator[Packet]:
    """Return packets to every entry of the Services and beside it, from everywhere."""
    for ports, _ in services:
        for port in ports:
            for address in (*port.cluster_ips, *port.external_ips, NODE_IP, BRIDGE_IP):
                number = port.node_port or port.port if address in {NODE_IP, BRIDGE_IP} else port.port
                source = rng.choice((POD, "10.244.1.2", NODE_IP, OUTSIDE, OTHER_OUTSIDE))
                yield Packet(source, address, number, port.protocol)
                yield Packet(source, address, number + 1, rng.choice(PROTOCOLS))
    for address in ("10.96.0.10", "10.96.99.99", OUTSIDE, POD, "127.0.0.1"):
        yield Packet(POD, address, 53, "udp")
