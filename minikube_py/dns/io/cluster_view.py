"""The indexed copies of Services, EndpointSlices and Namespaces that names are resolved against (ClusterView)."""

import asyncio
from collections.abc import Sequence

from minikube_py.api.endpoint_slices import service_index, service_key_of
from minikube_py.api.meta import Obj, ObjectKey
from minikube_py.api.resources import ENDPOINT_SLICES, NAMESPACES, SERVICES
from minikube_py.client.interface import Informers

_BY_ADDRESS = "dns/address"
_BY_SERVICE = "dns/service"


class InformerView:
    """A ClusterView over informers."""

    def __init__(self, informers: Informers) -> None:
        self._namespaces = informers.informer(NAMESPACES)
        self._services = informers.informer(SERVICES)
        self._slices = informers.informer(ENDPOINT_SLICES)
        self._services.add_index(_BY_ADDRESS, _cluster_ips)
        self._slices.add_index(_BY_ADDRESS, _endpoint_addresses)
        self._slices.add_index(_BY_SERVICE, service_index)

    async def wait_synced(self) -> None:
        """Wait until all copies are complete."""
        async with asyncio.TaskGroup() as group:
            for informer in (self._namespaces, self._services, self._slices):
                group.create_task(informer.wait_synced())

    def has_namespace(self, namespace: str) -> bool:
        """Return whether the namespace exists."""
        return self._namespaces.get(ObjectKey("", namespace)) is not None

    def service(self, namespace: str, name: str) -> Obj | None:
        """Return the Service."""
        return self._services.get(ObjectKey(namespace, name))

    def slices_of(self, namespace: str, name: str) -> Sequence[Obj]:
        """Return the EndpointSlices of a Service."""
        return self._slices.by_index(_BY_SERVICE, f"{namespace}/{name}")

    def services_at(self, address: str) -> Sequence[Obj]:
        """Return the Services with this cluster IP."""
        return self._services.by_index(_BY_ADDRESS, address)

    def slices_at(self, address: str) -> Sequence[Obj]:
        """Return the EndpointSlices with this endpoint address."""
        return self._slices.by_index(_BY_ADDRESS, address)

    def service_of_slice(self, endpoint_slice: Obj) -> Obj | None:
        """Return the Service that a slice belongs to."""
        key = service_key_of(endpoint_slice)
        return self._services.get(key) if key is not None else None


def _cluster_ips(service: Obj) -> tuple[str, ...]:
    spec = service.get("spec") or {}
    return tuple(ip for ip in spec.get("clusterIPs") or (spec.get("clusterIP"),) if ip and ip != "None")


def _endpoint_addresses(endpoint_slice: Obj) -> tuple[str, ...]:
    addresses = (a for e in endpoint_slice.get("endpoints") or () for a in e.get("addresses") or ())
    return tuple(dict.fromkeys(addresses))
