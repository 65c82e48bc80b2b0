"""Does a notification of the kernel concern the ways to other nodes?

Pods come and go all the time, and each tells of links and routes; only our own routes and a few links matter.
Formats: include/uapi/linux/rtnetlink.h, if_link.h.
"""

import struct

NEW_LINK, DELETED_LINK, NEW_ADDRESS, DELETED_ADDRESS, DELETED_ROUTE = 16, 17, 20, 21, 25
LINK_GROUPS = 0x1 | 0x10 | 0x40
"""Links, IPv4 addresses, IPv4 routes: the groups to listen to."""
_HEADER = struct.Struct("=IHHII")
_INDEX_OFFSET = 4
"""Of the link's index in both ifinfomsg and ifaddrmsg."""
_PROTOCOL_OFFSET = 5
"""Of the protocol in rtmsg."""
_BODY_BYTES_MIN = 8


def concerns(datagram: bytes, links: frozenset[int], route_protocol: int) -> bool:
    """Return whether a link of `links` changed, or a route of that protocol was taken away."""
    offset = 0
    while offset + _HEADER.size + _BODY_BYTES_MIN <= len(datagram):
        length, kind, _, _, _ = _HEADER.unpack_from(datagram, offset)
        if length < _HEADER.size:
            break
        body = offset + _HEADER.size
        if kind in (NEW_LINK, DELETED_LINK, NEW_ADDRESS, DELETED_ADDRESS):
            (index,) = struct.unpack_from("=I", datagram, body + _INDEX_OFFSET)
            if index in links:
                return True
        elif kind == DELETED_ROUTE and datagram[body + _PROTOCOL_OFFSET] == route_protocol:
            return True
        offset += (length + 3) & ~3
    return False
