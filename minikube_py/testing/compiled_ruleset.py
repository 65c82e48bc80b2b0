"""All Services compiled to one table at once: what the proxy's changes, one Service at a time, must come to."""

from collections.abc import Iterable

from minikube_py.proxy.endpoints_map import EndpointsByPort
from minikube_py.proxy.programs import CompileFacts, compile_service
from minikube_py.proxy.ruleset import Data, ElementKey, Ruleset, chain_of
from minikube_py.proxy.service_map import ServicePort


def compile_ruleset(
    services: Iterable[tuple[tuple[ServicePort, ...], EndpointsByPort]], facts: CompileFacts
) -> Ruleset:
    """Return the whole table; of two Services that claim the same entry the first in order wins."""
    elements: dict[ElementKey, Data] = {}
    for ports, endpoints in services:
        for key, data in compile_service(ports, endpoints, facts).elements.items():
            elements.setdefault(key, data)
    chains = (chain_of(data) for data in elements.values())
    return Ruleset(elements, frozenset(chain for chain in chains if chain is not None))
