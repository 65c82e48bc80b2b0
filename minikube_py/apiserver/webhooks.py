"""Where a webhook is: from a clientConfig to an address, a path and the name on its certificate.

A webhook given by Service is called at a ready endpoint of it, as the API server's own proxying is: that works on
hosts without service rules too. Its certificate carries the Service's name.

Upstream: apiserver util/webhook (ClientManager), util/proxy (ResolveEndpoint).
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from minikube_py.api.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class Target:
    """What to call: `url` is where the bytes go, `shown` what messages name."""

    url: str
    shown: str
    server_name: str = ""
    """The name that the certificate must have; empty: the URL's host."""
    ca_pem: str = ""
    """The certificates that are trusted; empty: the host's."""


def service_port(service: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    """Return a Service's port.

    Raises:
        UnavailableError: it has none of this number.
    """
    for port in (service.get("spec") or {}).get("ports") or ():
        if port.get("port") == number:
            found: Mapping[str, Any] = port
            return found
    meta = service["metadata"]
    raise UnavailableError(f'no service port {number} found for service "{meta["name"]}"')


def pick_endpoint(
    service: Mapping[str, Any], slices: Sequence[Mapping[str, Any]], number: int, turn: int
) -> tuple[str, int]:
    """Return address and port of a ready endpoint; `turn` chooses among them.

    Raises:
        UnavailableError: there is none.
    """
    port_name = service_port(service, number).get("name") or ""
    found = []
    for endpoint_slice in slices:
        ports = [p.get("port") for p in endpoint_slice.get("ports") or () if (p.get("name") or "") == port_name]
        for endpoint in endpoint_slice.get("endpoints") or ():
            if ports and (endpoint.get("conditions") or {}).get("ready") is not False:
                found += [(address, int(ports[0] or number)) for address in endpoint.get("addresses") or ()]
    if not found:
        name = service["metadata"]["name"]
        raise UnavailableError(f'no endpoints available for service "{name}"')
    return sorted(found)[turn % len(found)]


def server_name(service: Mapping[str, Any]) -> str:
    """Return the name that a webhook's certificate must have: `name.namespace.svc`."""
    return f"{service['name']}.{service['namespace']}.svc"


def service_target(service: Mapping[str, Any], endpoint: tuple[str, int], ca_bundle: str, query: str = "") -> Target:
    """Return the target for a clientConfig's service (or an APIService's) at an endpoint."""
    address, port = endpoint
    host = f"[{address}]" if ":" in address else address
    path = "/" + str(service.get("path") or "").lstrip("/")
    name = server_name(service)
    return Target(
        url=f"https://{host}:{port}{path}{query}",
        shown=f"https://{name}:{service.get('port', 443)}{path}{query}",
        server_name=name,
        ca_pem=decode_bundle(ca_bundle),
    )


def url_target(url: str, ca_bundle: str, query: str = "") -> Target:
    """Return the target for a clientConfig's URL."""
    full = url if urlsplit(url).path else f"{url}/"
    return Target(url=f"{full}{query}", shown=f"{full}{query}", ca_pem=decode_bundle(ca_bundle))


def decode_bundle(ca_bundle: str) -> str:
    """Return the PEM text in a caBundle, an empty one when there is none.

    Raises:
        UnavailableError: it is no base64.
    """
    if not ca_bundle:
        return ""
    try:
        return base64.b64decode(ca_bundle, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UnavailableError(f"unable to load root certificates: {error}") from error
