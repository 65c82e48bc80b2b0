"""Which ranges the pod network is told to lead to the bridge, and when."""

import asyncio

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import SERVICE_CIDRS
from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.service_routes import ServiceRoutes
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.manual_clock import ManualClock, settle

CONFIG = NetworkConfig(pod_cidr="10.244.7.0/24", node_name="n", service_cidr="10.96.0.0/16")
FURTHER = {"metadata": {"name": "further"}, "spec": {"cidrs": ["10.200.0.0/24"]}}
ONE, BOTH = ("10.96.0.0/16",), ("10.96.0.0/16", "10.200.0.0/24")


class FakeNetwork:
    """Remembers what it leads to the bridge; refuses once when told so."""

    def __init__(self):
        self.used = []
        self.refuses = False

    async def use_service_networks(self, networks):
        self.used.append(networks)
        if self.refuses:
            raise OSError(1, "Operation not permitted")


async def test_routes_follow_the_ranges_and_nothing_is_done_twice():
    client, network = FakeClient(ManualClock()), FakeNetwork()
    routes = ServiceRoutes(CONFIG, FakeInformers(client), network)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(routes.run())
        await settle()
        assert network.used == [ONE]

        await client.create(SERVICE_CIDRS, FURTHER)
        await client.create(SERVICE_CIDRS, {"metadata": {"name": "within"}, "spec": {"cidrs": ["10.96.3.0/24"]}})
        await settle()
        network.refuses = True
        await client.delete(SERVICE_CIDRS, ObjectKey("", "further"))
        await settle()
        network.refuses = False
        await client.create(SERVICE_CIDRS, FURTHER)
        await settle()
        task.cancel()

    assert network.used == [ONE, BOTH, ONE, BOTH]
