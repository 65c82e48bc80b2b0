"""Whose change was it: reading the kernel's notifications about nftables.

Every notification about a table, chain, rule, set or element names its table in attribute 1 and carries the netlink
port of the socket that asked for the change. Formats: include/uapi/linux/netfilter/nf_tables.h.
"""

import struct

NFNL_SUBSYS_NFTABLES = 10
_HEADER = struct.Struct("=IHHII")
_GENERIC_BYTES = 4
_ATTRIBUTE = struct.Struct("=HH")
_TABLE_NAME = 1
_NEW_GENERATION = 15
"""Ends each change; its attribute 1 is a number."""


def changers(datagram: bytes, table: str) -> frozenset[int]:
    """Return the netlink ports of those who changed something in `table`."""
    ports: set[int] = set()
    offset = 0
    while offset + _HEADER.size <= len(datagram):
        length, kind, _, _, port = _HEADER.unpack_from(datagram, offset)
        if length < _HEADER.size:
            break
        end = min(offset + length, len(datagram))
        is_change = kind >> 8 == NFNL_SUBSYS_NFTABLES and kind & 0xFF != _NEW_GENERATION
        if is_change and _table_of(datagram, offset, end) == table:
            ports.add(port)
        offset += (length + 3) & ~3
    return frozenset(ports)


def _table_of(datagram: bytes, start: int, end: int) -> str | None:
    position = start + _HEADER.size + _GENERIC_BYTES
    if position + _ATTRIBUTE.size > end:
        return None
    length, kind = _ATTRIBUTE.unpack_from(datagram, position)
    if kind != _TABLE_NAME:
        return None
    return datagram[position + _ATTRIBUTE.size : position + length].rstrip(b"\0").decode(errors="replace")
