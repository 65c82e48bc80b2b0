"""Follows the ServiceCIDRs: what this host sends to a Service of any of them goes out by the pods' bridge.

Without a route a host that has no default route could not even begin; with one, the address that it sends from is the
bridge's, which every pod can answer.

Nothing is changed before all ServiceCIDRs are known: the ways of an agent that has just started stay as they are.
"""

import asyncio
import logging

from minikube_py.api.resources import SERVICE_CIDRS
from minikube_py.api.service_networks import service_networks
from minikube_py.client.interface import Informers
from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.pod_network import BridgePodNetwork

log = logging.getLogger("network")


class ServiceRoutes:
    """Keeps this host's routes to cluster IPs right."""

    def __init__(self, config: NetworkConfig, informers: Informers, network: BridgePodNetwork) -> None:
        self._config = config
        self._network = network
        self._service_cidrs = informers.informer(SERVICE_CIDRS)
        self._wake = asyncio.Event()
        self._service_cidrs.subscribe(lambda change: self._wake.set())

    async def run(self) -> None:
        """Follow the ServiceCIDRs for ever."""
        await self._service_cidrs.wait_synced()
        routed: tuple[str, ...] = ()
        while True:
            self._wake.clear()
            networks = service_networks(self._service_cidrs.list(), self._config.service_cidr)
            if networks != routed:
                routed = networks
                try:
                    await self._network.use_service_networks(networks)
                except OSError as error:
                    log.warning("cannot set the routes to Services, the next repair tries again: %s", error)
            await self._wake.wait()
