"""What this host is called and which address it uses towards others."""

import ctypes
import fcntl
import socket
import struct
from urllib.parse import urlsplit

from minikube_py.kit.own_address import LinkAddress, OwnAddress, choose_own_address

SIOCGIFCONF = 0x8912
ADDRESSES_MAX = 1024
"""Addresses of the host that are looked at; further ones are not seen."""
_ENTRY = struct.Struct("@16sHH4s16x")
"""struct ifreq with a sockaddr_in: the link's name, family, port, address."""
_DOCUMENTATION_ADDRESS = "192.0.2.1"


def host_name() -> str:
    """Return the host's name, lower case, as a node is named by default."""
    return socket.gethostname().lower()


def find_own_address(server_url: str = "") -> OwnAddress:
    """Return the address by which other nodes reach this host; sends nothing but a look-up of the server's name.

    Args:
        server_url: the master to join; its way decides before the default route's.
    """
    server = urlsplit(server_url).hostname or ""
    routed = _source_towards(server) if server else ""
    if routed and not routed.startswith("127."):
        return choose_own_address(routed, f"the way to {server}", list_addresses())
    # 192.0.2.0/24 is reserved for documentation: only the routing table is asked.
    return choose_own_address(_source_towards(_DOCUMENTATION_ADDRESS), "the default route", list_addresses())


def list_addresses() -> tuple[LinkAddress, ...]:
    """Return this host's IPv4 addresses, in the order of its links."""
    room = ctypes.create_string_buffer(_ENTRY.size * ADDRESSES_MAX)
    request = struct.pack("@iP", len(room), ctypes.addressof(room))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        answer = fcntl.ioctl(control, SIOCGIFCONF, request)
    used = struct.unpack("@iP", answer)[0]
    found = (_ENTRY.unpack_from(room, offset) for offset in range(0, used, _ENTRY.size))
    return tuple(LinkAddress(name.rstrip(b"\0").decode(), socket.inet_ntoa(address)) for name, _, _, address in found)


def _source_towards(host: str) -> str:
    """Return the source address of the way to a host; empty when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
        return address
