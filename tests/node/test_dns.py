"""The cluster DNS on a real bridge, asked from a real network namespace."""

import asyncio
import random
import socket
import sys
import threading

import dnslib
import pytest

from minikube_py.api.resources import NAMESPACES, SERVICES
from minikube_py.dns.config import DnsConfig
from minikube_py.dns.io.dns_server import DnsServer
from minikube_py.kit.io.system_clock import SystemClock, system_ids
from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.pod_network import BridgePodNetwork
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.netns import Sandbox, run_on_fresh_host

pytestmark = pytest.mark.node
CLIENT = """
import dnslib, sys
name, kind, tcp = sys.argv[1], sys.argv[2], sys.argv[3] == "tcp"
query = dnslib.DNSRecord.question(name, kind)
reply = dnslib.DNSRecord.parse(query.send("10.96.0.10", 53, tcp=tcp, timeout=20))
print(dnslib.RCODE[reply.header.rcode], *sorted(str(rr.rdata) for rr in reply.rr))
"""


def serve_upstream(port: int) -> socket.socket:
    """Answer every A question with 192.0.2.7, in a thread; ends when the socket is closed."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", port))
    server.settimeout(0.2)

    def loop() -> None:
        while True:
            try:
                data, client = server.recvfrom(2048)
            except TimeoutError:
                continue
            except OSError:
                return
            reply = dnslib.DNSRecord.parse(data).reply()
            reply.add_answer(dnslib.RR(reply.q.qname, rdata=dnslib.A("192.0.2.7"), ttl=60))
            server.sendto(reply.pack(), client)

    threading.Thread(target=loop, daemon=True).start()
    return server


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_pods_resolve_services_and_the_outside(transport):
    async def scenario() -> None:
        client = FakeClient(SystemClock(), system_ids())
        await client.create(NAMESPACES, {"metadata": {"name": "shop"}})
        spec = {"clusterIP": "10.96.3.4", "clusterIPs": ["10.96.3.4"], "ports": [{"port": 80}]}
        await client.create(SERVICES, {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
        network = BridgePodNetwork(NetworkConfig(), SystemClock())
        config = DnsConfig(upstreams=("127.0.0.1:5353",), upstream_timeout_s=5.0)
        server = DnsServer(config, FakeInformers(client), SystemClock(), random.Random(1))
        pod = Sandbox()
        upstream = serve_upstream(5353)

        async def ask(name: str, kind: str = "A") -> str:
            argv = (sys.executable, "-c", CLIENT, name, kind, transport)
            return (await asyncio.to_thread(pod.run, *argv)).strip()

        async def converse() -> None:
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(server.run())
                await network.ensure_bridge()
                await network.attach("uid", pod.pid)

                assert await ask("web.shop.svc.cluster.local") == "NOERROR 10.96.3.4"
                assert await ask("absent.shop.svc.cluster.local") == "NXDOMAIN"
                assert await ask("4.3.96.10.in-addr.arpa", "PTR") == "NOERROR web.shop.svc.cluster.local."
                if transport == "udp":
                    assert await ask("example.org") == "NOERROR 192.0.2.7"
                upstream.close()
                assert await ask("other.example.org") == "SERVFAIL"
                serving.cancel()

        try:
            await converse()
        finally:
            upstream.close()
            pod.stop()
            await network.close()

    run_on_fresh_host(scenario)
