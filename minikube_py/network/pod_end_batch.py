"""What a pod's end of its link needs, as one batch of rtnetlink: loopback and link up, an address, two routes.

The pod has a /32, the gateway is on the link, everything else is behind it. One send and one read in the pod's
namespace: pyroute2 would need an event loop and a parser of its own there, 2 ms for each pod that starts.
Formats: include/uapi/linux/rtnetlink.h, if_addr.h, if_link.h.
"""

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address

MESSAGES = 5
"""Each is acknowledged."""
_NEW_LINK, _NEW_ADDRESS, _NEW_ROUTE, _ERROR = 16, 20, 24, 2
_REQUEST, _ACK, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x200, 0x400
_IPV4, _IFF_UP, _LOOPBACK_INDEX = 2, 1, 1
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_HEADER = struct.Struct("=IHHII")
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DESTINATION, _RTA_OUT, _RTA_GATEWAY = 1, 4, 5
_TABLE_MAIN, _PROTOCOL_STATIC, _UNICAST = 254, 4, 1
_SCOPE_UNIVERSE, _SCOPE_LINK = 0, 253


def encode_pod_end(index: int, address: str, gateway: str) -> bytes:
    """Return the batch for the link of that index in the pod's namespace."""
    return b"".join(
        _HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | _ACK | flags, sequence, 0) + body
        for sequence, (kind, flags, body) in enumerate(_changes(index, address, gateway), start=1)
    )


def _changes(index: int, address: str, gateway: str) -> Iterator[tuple[int, int, bytes]]:
    own, router = IPv4Address(address).packed, IPv4Address(gateway).packed
    new, out = _EXCLUSIVE | _CREATE, _attribute(_RTA_OUT, struct.pack("=I", index))
    yield _NEW_LINK, 0, _LINK.pack(0, 0, _LOOPBACK_INDEX, _IFF_UP, _IFF_UP)
    yield (
        _NEW_ADDRESS,
        new,
        _ADDRESS.pack(_IPV4, 32, 0, 0, index) + _attribute(_IFA_LOCAL, own) + _attribute(_IFA_ADDRESS, own),
    )
    yield _NEW_LINK, 0, _LINK.pack(0, 0, index, _IFF_UP, _IFF_UP)
    yield _NEW_ROUTE, new, _route(32, _SCOPE_LINK) + _attribute(_RTA_DESTINATION, router) + out
    yield _NEW_ROUTE, new, _route(0, _SCOPE_UNIVERSE) + _attribute(_RTA_GATEWAY, router) + out


def _route(length: int, scope: int) -> bytes:
    return _ROUTE.pack(_IPV4, length, 0, 0, _TABLE_MAIN, _PROTOCOL_STATIC, scope, _UNICAST, 0)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value


def read_answers(datagram: bytes) -> tuple[int, ...]:
    """Return the kernel's verdicts in a datagram: 0, or the errno with which a message was refused."""
    verdicts: list[int] = []
    offset = 0
    while offset + _HEADER.size + 4 <= len(datagram):
        length, kind, *_ = _HEADER.unpack_from(datagram, offset)
        if kind == _ERROR:
            (error,) = struct.unpack_from("=i", datagram, offset + _HEADER.size)
            verdicts.append(-error)
        offset += max((length + 3) & ~3, _HEADER.size)
    return tuple(verdicts)
