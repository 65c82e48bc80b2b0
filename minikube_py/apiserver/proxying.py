"""The proxy subresources of nodes, pods and services without I/O: where a request goes, and what of it changes.

`/api/v1/namespaces/x/pods/https:name:8443/proxy/a/b?c` is sent to `https://POD-IP:8443/a/b?c`. A port in the name is
a number, for services also a port's name. Addresses of the API server's own host (loopback, link-local) are refused,
or a pod could be made to point there.

Upstream: apimachinery util/net (SplitSchemeNamePort) and util/proxy, registry/core/*/ (ResourceLocation).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import quote

from minikube_py.api.errors import BadRequestError, UnavailableError, UnnamedError
from minikube_py.api.meta import name_of

T = TypeVar("T")
Choose = Callable[[Sequence[T]], T]

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_CREDENTIALS = "authorization"
_IMPERSONATION = "impersonate-"
_CORS = "access-control-"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a name in the path means: `https:web:8443` is Target("https", "web", "8443")."""

    scheme: str
    name: str
    port: str


@dataclass(frozen=True, slots=True)
class Location:
    """Where a request is sent."""

    scheme: str
    host: str
    port: int
    kubelet: bool = False
    """A node's kubelet, which knows the API server by its certificate, and is known by its own."""

    @property
    def authority(self) -> str:
        """Return host and port as a URL has them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def root(self) -> str:
        """Return the URL without a path."""
        return f"{self.scheme}://{self.authority}"


def request_target(rest: str, query: str) -> str:
    """Return what stands in the request line for a path that is not quoted, and a query that is.

    The path is quoted anew, as Go's URL does it: a client's `%2F` goes on as a slash.
    """
    return quote(rest or "/", safe="/!$&'()*+,;=:@~") + (f"?{query}" if query else "")


def split_target(kind: str, text: str) -> Target:
    """Return the parts of a name; `kind` (pod, service, node) is for the message.

    Raises:
        BadRequestError: it has too many parts, or a scheme that is none.
    """
    parts = text.split(":")
    scheme, name, port = {1: ["", *parts, ""], 2: ["", *parts], 3: parts}.get(len(parts), ["?", "", ""])
    if scheme not in ("", "http", "https") or not name:
        raise BadRequestError(f'invalid {kind} request "{text}"')
    return Target(scheme, name, port)


def pod_location(pod: Mapping[str, Any], target: Target) -> Location:
    """Return where a pod listens: at the port that is asked for, else at its first container port.

    Raises:
        BadRequestError: it has no address yet, or one that must not be reached.
    """
    address = str((pod.get("status") or {}).get("podIP") or "")
    containers = (pod.get("spec") or {}).get("containers") or ()
    first = next((port["containerPort"] for container in containers for port in container.get("ports") or ()), 80)
    return _location(target, address, _number(target.port) if target.port else int(first))


def service_location(
    service: Mapping[str, Any], endpoints: Mapping[str, Any], target: Target, choose: Choose[Any]
) -> Location:
    """Return one of a Service's endpoints; `choose` picks among equals.

    Raises:
        UnavailableError: no such port, or nobody there.
    """
    name = name_of(service)
    port = target.port
    if port.isdigit():
        ports = (service.get("spec") or {}).get("ports") or ()
        named = [p.get("name", "") for p in ports if p.get("port") == int(port)]
        if not named:
            raise UnavailableError(f'no service port {int(port)} found for service "{name}"')
        port = named[0]
    found = [
        (subset["addresses"], item["port"])
        for subset in endpoints.get("subsets") or ()
        for item in subset.get("ports") or ()
        if item.get("name", "") == port and subset.get("addresses")
    ]
    if not found:
        raise UnavailableError(f'no endpoints available for service "{name}"')
    addresses, number = choose(found)
    return _location(target, str(choose(addresses)["ip"]), int(number))


_ADDRESS_TYPES = ("InternalIP", "ExternalIP", "Hostname")
"""In the order of preference (upstream: --kubelet-preferred-address-types, as kubeadm sets it)."""
_KUBELET_PORT = 10250


def node_location(node: Mapping[str, Any], target: Target) -> Location:
    """Return where a node listens: its kubelet, always by HTTPS, or another port by what is asked for.

    Raises:
        UnnamedError: it has no address.
        BadRequestError: it has one that must not be reached.
    """
    status = node.get("status") or {}
    addresses = {a.get("type"): a.get("address") for a in status.get("addresses") or ()}
    address = next((str(addresses[kind]) for kind in _ADDRESS_TYPES if addresses.get(kind)), "")
    if not address:
        known = " ".join(f"{{{kind} {found}}}" for kind, found in addresses.items())
        raise UnnamedError(f"no preferred addresses found; known addresses: [{known}]")
    kubelet = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port")
    port = _number(target.port) if target.port else int(kubelet or _KUBELET_PORT)
    if not target.port or port == kubelet:
        return Location("https", address, port, kubelet=True)
    return _location(target, address, port)


def _location(target: Target, address: str, port: int) -> Location:
    try:
        parsed = ip_address(address)
    except ValueError:
        raise BadRequestError("address not allowed") from None
    if parsed.is_loopback or parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified:
        raise BadRequestError("address not allowed")
    return Location(target.scheme or "http", address, port)


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    if not 0 < number < 65536:
        raise BadRequestError(f'port "{text}" is not a number between 1 and 65535')
    return number


def split_path(path: str, *, namespaced: bool) -> tuple[str, str]:
    """Split a request's path, unquoted: (up to and with `/proxy`, the rest; empty without a slash)."""
    parts = path.split("/")
    count = 8 if namespaced else 6
    rest = parts[count:]
    return "/".join(parts[:count]), "/" + "/".join(rest) if rest else ""


def forwarded_headers(
    headers: Iterable[tuple[str, str]], *, client: str, host: str, uri: str, scheme: str, upgrade: bool
) -> list[tuple[str, str]]:
    """Return the request headers that go on: no credentials, nothing of one hop only, but where it came from."""
    kept = [
        (name, value)
        for name, value in headers
        if name.lower() != _CREDENTIALS
        and not name.lower().startswith(_IMPERSONATION)
        and (name.lower() not in HOP_BY_HOP or (upgrade and name.lower() in ("connection", "upgrade")))
    ]
    before = [value for name, value in kept if name.lower() == "x-forwarded-for"]
    mine = {
        "X-Forwarded-For": ", ".join([*before, client]),
        "X-Forwarded-Host": host,
        "X-Forwarded-Uri": uri,
        "X-Forwarded-Proto": scheme,
    }
    replaced = {name.lower() for name in mine}
    return [pair for pair in kept if pair[0].lower() not in replaced] + list(mine.items())


def returned_headers(
    headers: Iterable[tuple[str, str]], location: Location, prefix: str, *, upgrade: bool = False
) -> list[tuple[str, str]]:
    """Return the answer's headers for the client: redirects lead through the proxy again, CORS is not the pod's."""
    kept: list[tuple[str, str]] = []
    for name, value in headers:
        lower = name.lower()
        if lower.startswith(_CORS) or (lower in HOP_BY_HOP and not upgrade):
            continue
        kept.append((name, rewrite_location(value, location, prefix) if lower == "location" else value))
    return kept


def rewrite_location(value: str, location: Location, prefix: str) -> str:
    """Return a redirect's target as the client must ask for it; one to another host stays as it is."""
    if value.startswith(location.root):
        value = value[len(location.root) :] or "/"
    return prefix + value if value.startswith("/") and not value.startswith("//") else value
