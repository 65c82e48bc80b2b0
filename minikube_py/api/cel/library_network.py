"""URLs, IP addresses and CIDRs as values. Upstream: apiserver cel/library/{urls,ip,cidr}.go."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from minikube_py.api.cel.values import CelError, NoOverloadError, type_name

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_URL_SAFE = "/:@!$&'()*+,;=-._~%"


@dataclass(frozen=True, slots=True)
class UrlValue:
    """A URL."""

    parts: SplitResult

    @property
    def cel_type(self) -> str:
        """Return the CEL name of the type."""
        return "kubernetes.URL"

    def __str__(self) -> str:
        return self.parts.geturl()


@dataclass(frozen=True, slots=True)
class IpValue:
    """An IP address."""

    address: Address

    @property
    def cel_type(self) -> str:
        """Return the CEL name of the type."""
        return "net.IP"

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class CidrValue:
    """An address with a prefix length; the bits behind the prefix stay."""

    interface: ipaddress.IPv4Interface | ipaddress.IPv6Interface

    @property
    def cel_type(self) -> str:
        """Return the CEL name of the type."""
        return "net.CIDR"

    def __str__(self) -> str:
        return str(self.interface)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise NoOverloadError(f"{what}({type_name(value)})")
    return value


def _url(value: Any) -> UrlValue:
    text = _text(value, "url")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise CelError(f'URL parse error during conversion from string: parse "{text}": {error}') from error
    if not parts.scheme and not text.startswith("/"):
        raise CelError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    return UrlValue(parts)


def _ip(value: Any) -> IpValue:
    if isinstance(value, CidrValue):
        return IpValue(value.interface.ip)
    text = _text(value, "ip")
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise CelError(f'IP Address "{text}" parse error during conversion from string') from error
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.scope_id):
        raise CelError(f'IP Address "{text}" parse error during conversion from string: IPv4-mapped or zoned')
    return IpValue(address)


def _cidr(value: Any) -> CidrValue:
    text = _text(value, "cidr")
    try:
        if "/" not in text or not text.partition("/")[2].isdigit():
            raise ValueError(text)
        return CidrValue(ipaddress.ip_interface(text))
    except ValueError as error:
        raise CelError(f'network address parse error during conversion from string: "{text}"') from error


def _is(parse: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        _text(value, "is")
        try:
            parse(value)
        except CelError:
            return False
        return True

    return check


def _parts(value: Any) -> SplitResult:
    if not isinstance(value, UrlValue):
        raise NoOverloadError(f"a URL's method on {type_name(value)}")
    return value.parts


def _host(value: Any) -> str:
    return _parts(value).netloc.rpartition("@")[2]


def _address(value: Any) -> Address:
    if not isinstance(value, IpValue):
        raise NoOverloadError(f"an address's method on {type_name(value)}")
    return value.address


def _network(value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    if not isinstance(value, CidrValue):
        raise NoOverloadError(f"a CIDR's method on {type_name(value)}")
    network: ipaddress.IPv4Network | ipaddress.IPv6Network = value.interface.network
    return network


def _is_canonical(value: Any) -> bool:
    return bool(str(_ip(value)) == value)


def _contains_ip(value: Any, other: Any) -> bool:
    address: Address = other.address if isinstance(other, IpValue) else _ip(other).address
    network = _network(value)
    found: bool = address.version == network.version and address in network
    return found


def _contains_cidr(value: Any, other: Any) -> bool:
    outer, inner = _network(value), _network(other if isinstance(other, CidrValue) else _cidr(other))
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # of one version


def _ip_of(value: Any) -> IpValue:
    _network(value)
    return IpValue(value.interface.ip)


def _is_global_unicast(value: Any) -> bool:
    address = _address(value)
    is_broadcast = address == ipaddress.IPv4Address("255.255.255.255")
    special = (address.is_unspecified, address.is_loopback, address.is_multicast, address.is_link_local, is_broadcast)
    return not any(special)


def _is_link_local_multicast(value: Any) -> bool:
    address = _address(value)
    network = "224.0.0.0/24" if address.version == 4 else "ff02::/16"
    return address in ipaddress.ip_network(network)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "url": _url,
    "isURL": _is(_url),
    "ip": _ip,
    "isIP": _is(_ip),
    "ip.isCanonical": _is_canonical,
    "cidr": _cidr,
    "isCIDR": _is(_cidr),
}
METHODS: Mapping[str, Callable[..., Any]] = {
    "getScheme": lambda value: _parts(value).scheme,
    "getHost": _host,
    "getHostname": lambda value: (_parts(value).hostname or "").strip("[]"),
    "getPort": lambda value: str(_parts(value).port or ""),
    "getEscapedPath": lambda value: quote(_parts(value).path, safe=_URL_SAFE),
    "getQuery": lambda value: parse_qs(_parts(value).query, keep_blank_values=True),
    "family": lambda value: _address(value).version,
    "isUnspecified": lambda value: _address(value).is_unspecified,
    "isLoopback": lambda value: _address(value).is_loopback,
    "isLinkLocalMulticast": _is_link_local_multicast,
    "isLinkLocalUnicast": lambda value: _address(value).is_link_local,
    "isGlobalUnicast": _is_global_unicast,
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "ip": _ip_of,
    "masked": lambda value: CidrValue(ipaddress.ip_interface(str(_network(value)))),
    "prefixLength": lambda value: _network(value).prefixlen,
}
