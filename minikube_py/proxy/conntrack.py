"""Which UDP flows to forget, and the messages by which the kernel lists and forgets them.

A UDP sender that never pauses keeps its conntrack entry for ever, also when the endpoint behind it is gone, the
Service was deleted or scaled to zero, or the entry was made before there was any rule. So, whenever the endpoints of
a UDP entry change, every flow to that entry whose answers would come from anyone but a serving endpoint is deleted.
TCP is left alone: its ends notice. Upstream: pkg/proxy/conntrack cleanup.go and the bugs listed in the design notes
(1.8). Formats: include/uapi/linux/netfilter/nfnetlink_conntrack.h.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from minikube_py.proxy.programs import Target, UdpEntry

UDP = 17
FAMILY_IPV4 = 2
_CTNETLINK = 1 << 8
_CT_GET, _CT_DELETE = 1, 2
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_DUMP = 0x1, 0x4, 0x300
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_CTA_TUPLE_ORIG, _CTA_TUPLE_REPLY = 1, 2
_CTA_TUPLE_IP, _CTA_TUPLE_PROTO = 1, 2
_CTA_IP_V4_SRC, _CTA_IP_V4_DST = 1, 2
_CTA_PROTO_NUM, _CTA_PROTO_SRC_PORT, _CTA_PROTO_DST_PORT = 1, 2, 3
_TYPE_MASK = 0x3FFF
_HEADER = struct.Struct("=IHHII")
_GENERIC_BYTES = 4
_ATTRIBUTE = struct.Struct("=HH")


@dataclass(frozen=True, slots=True)
class UdpFlow:
    """One UDP flow: where the client sends, and who answers; `original` names it to the kernel."""

    destination: Target
    answered_by: Target
    original: bytes


def stale_flows(flows: Iterable[UdpFlow], allowed: Mapping[UdpEntry, frozenset[Target]]) -> tuple[UdpFlow, ...]:
    """Return the flows to one of the entries in `allowed` that none of its endpoints answers."""
    return tuple(flow for flow in flows if _is_stale(flow, allowed))


def _is_stale(flow: UdpFlow, allowed: Mapping[UdpEntry, frozenset[Target]]) -> bool:
    targets = allowed.get(flow.destination)
    if targets is None:
        # A node port is entered at any address; flows to that port elsewhere were not translated by us.
        targets = allowed.get(("", flow.destination[1]))
    return targets is not None and flow.answered_by not in targets


def render_dump(sequence: int) -> bytes:
    """Return the request that lists all IPv4 flows."""
    return _message(_CT_GET, _NLM_F_REQUEST | _NLM_F_DUMP, sequence, b"")


def render_delete(flow: UdpFlow, sequence: int) -> bytes:
    """Return the request that forgets a flow."""
    return _message(_CT_DELETE, _NLM_F_REQUEST | _NLM_F_ACK, sequence, flow.original)


def parse_dump(datagram: bytes) -> tuple[tuple[UdpFlow, ...], bool]:
    """Return the UDP flows of one datagram of a dump, and whether the dump is complete.

    Raises:
        OSError: the kernel refused the dump.
    """
    flows: list[UdpFlow] = []
    offset = 0
    while offset + _HEADER.size <= len(datagram):
        length, kind, *_ = _HEADER.unpack_from(datagram, offset)
        if kind == _NLMSG_DONE:
            return tuple(flows), True
        if kind == _NLMSG_ERROR:
            raise OSError(-struct.unpack_from("=i", datagram, offset + _HEADER.size)[0], "conntrack dump refused")
        flow = _parse_flow(datagram, offset + _HEADER.size + _GENERIC_BYTES, offset + length)
        if flow is not None:
            flows.append(flow)
        offset += (length + 3) & ~3
    return tuple(flows), False


def count_answers(datagram: bytes) -> tuple[int, int]:
    """Return how many deletions this datagram answers, and how many of them found their flow still there."""
    answers = deleted = offset = 0
    while offset + _HEADER.size <= len(datagram):
        length, kind, *_ = _HEADER.unpack_from(datagram, offset)
        if kind == _NLMSG_ERROR:
            answers += 1
            deleted += struct.unpack_from("=i", datagram, offset + _HEADER.size)[0] == 0
        offset += (length + 3) & ~3
    return answers, deleted


def _parse_flow(data: bytes, start: int, end: int) -> UdpFlow | None:
    found = {kind: (begin, stop) for kind, begin, stop in _attributes(data, start, end) if kind <= _CTA_TUPLE_REPLY}
    if found.keys() != {_CTA_TUPLE_ORIG, _CTA_TUPLE_REPLY}:
        return None
    begin, stop = found[_CTA_TUPLE_ORIG]
    original = _parse_tuple(data, begin, stop)
    if original is None:
        return None
    reply = _parse_tuple(data, *found[_CTA_TUPLE_REPLY])
    if reply is None:
        return None
    return UdpFlow(original[1], reply[0], data[begin - _ATTRIBUTE.size : (stop + 3) & ~3])


def _parse_tuple(data: bytes, start: int, end: int) -> tuple[Target, Target] | None:
    """Return source and destination of a UDP tuple, None for another protocol."""
    fields: dict[tuple[int, int], bytes] = {}
    for kind, begin, stop in _attributes(data, start, end):
        for inner, inner_begin, inner_stop in _attributes(data, begin, stop):
            fields[kind, inner] = data[inner_begin:inner_stop]
    if fields.get((_CTA_TUPLE_PROTO, _CTA_PROTO_NUM)) != bytes([UDP]):
        return None
    return (
        _end(fields, _CTA_IP_V4_SRC, _CTA_PROTO_SRC_PORT),
        _end(fields, _CTA_IP_V4_DST, _CTA_PROTO_DST_PORT),
    )


def _end(fields: Mapping[tuple[int, int], bytes], address: int, port: int) -> Target:
    raw = fields[_CTA_TUPLE_IP, address]
    return ".".join(map(str, raw)), int.from_bytes(fields[_CTA_TUPLE_PROTO, port], "big")


def _attributes(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield type, start and end of each attribute's body."""
    while start + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, start)
        if length < _ATTRIBUTE.size:
            return
        yield kind & _TYPE_MASK, start + _ATTRIBUTE.size, start + length
        start += (length + 3) & ~3


def _message(command: int, flags: int, sequence: int, body: bytes) -> bytes:
    size = _HEADER.size + _GENERIC_BYTES + len(body)
    return _HEADER.pack(size, _CTNETLINK | command, flags, sequence, 0) + bytes((FAMILY_IPV4, 0, 0, 0)) + body
