"""Whose change was it: reading the kernel's notifications about nftables.

Every notification about a table, chain, rule, set or element names its table in attribute 1 and carries the netlink
port of the socket that asked for the change. Formats: include/uapi/linux/netfilter/nf_tables.h.
"""

import struct
from collections.abc import Collection

NFNL_SUBSYS_NFTABLES = 10
_HEADER = struct.Struct("=IHHII")
_GENERIC_BYTES = 4
_ATTRIBUTE = struct.Struct("=HH")
_TABLE_NAME = 1
_NEW_GENERATION = 15
"""Ends each change; its attribute 1 is a number."""


def touches_table(datagram: bytes, table: str, own_ports: Collection[int]) -> bool:
    """Return whether somebody with another netlink port changed something in `table`."""
    offset = 0
    while offset + _HEADER.size <= len(datagram):
        length, kind, _, _, port = _HEADER.unpack_from(datagram, offset)
        if length < _HEADER.size:
            return False
        is_change = kind >> 8 == NFNL_SUBSYS_NFTABLES and kind & 0xFF != _NEW_GENERATION
        if is_change and port not in own_ports and _table_of(datagram, offset, offset + length) == table:
            return True
        offset += (length + 3) & ~3
    return False


def _table_of(datagram: bytes, start: int, end: int) -> str | None:
    position = start + _HEADER.size + _GENERIC_BYTES
    if position + _ATTRIBUTE.size > end:
        return None
    length, kind = _ATTRIBUTE.unpack_from(datagram, position)
    if kind != _TABLE_NAME:
        return None
    return datagram[position + _ATTRIBUTE.size : position + length].rstrip(b"\0").decode(errors="replace")
