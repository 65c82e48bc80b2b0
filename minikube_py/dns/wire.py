"""DNS messages as bytes: queries in, replies out, with EDNS and truncation (RFC 1035, 6891).

Never raises on bytes from the network: what cannot be parsed is a None, and the server decides whether there is
enough of a header left to answer FORMERR.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dnslib

from minikube_py.dns.records import Question, Rcode, Record, Reply, Soa, Srv

_dnslib: Any = dnslib
"""dnslib carries no types."""
UDP_BYTES_PLAIN = 512
"""What a client without EDNS takes."""
UDP_BYTES_MAX = 1232
"""What we send at most over UDP, whatever the client offers: no fragments on any path (DNS flag day 2020)."""
TCP_BYTES_MAX = 65535
_HEADER = struct.Struct(">HHHHHH")
_RESPONSE, _TRUNCATED = 0x8000, 0x0200
_OPCODE_MASK, _RECURSION_DESIRED = 0x7800, 0x0100
_RCODES: dict[str, int] = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
_REFRESH_S, _RETRY_S, _EXPIRE_S = 7200, 1800, 86400
_OPT = 41
_POINTER = 0xC0


@dataclass(frozen=True, slots=True)
class Query:
    """A client's query; `raw` is passed on unchanged (but for its id) to upstreams."""

    id: int
    question: Question
    has_edns: bool
    udp_bytes: int
    """What the client takes over UDP."""
    raw: bytes
    parsed: Any

    @property
    def cache_key(self) -> tuple[str, str, bytes]:
        """Return what answers are remembered by: the name in lower case, the type, and all that asks for more."""
        flags = self.raw[2:4]
        tail = self.raw[-11:] if self.has_edns else b""
        return (self.question.name.lower(), self.question.type, flags + tail)


def parse_query(data: bytes) -> Query | None:
    """Return the query in a message; None when it is none, or not exactly one question of class IN."""
    try:
        parsed = _dnslib.DNSRecord.parse(data)
    except (_dnslib.DNSError, ValueError, IndexError, struct.error):
        return None
    header = parsed.header
    if header.qr or header.opcode or len(parsed.questions) != 1 or parsed.q.qclass not in {1, 255}:
        return None
    edns = next((record for record in parsed.ar if record.rtype == _OPT), None)
    offered = edns.edns_len if edns is not None else UDP_BYTES_PLAIN
    return Query(
        id=header.id,
        question=Question(str(parsed.q.qname).rstrip("."), _type_name(parsed.q.qtype)),
        has_edns=edns is not None,
        udp_bytes=min(max(offered, UDP_BYTES_PLAIN), UDP_BYTES_MAX),
        raw=bytes(data),
        parsed=parsed,
    )


def render_reply(query: Query, reply: Reply, bytes_max: int, further: Sequence[Any] = ()) -> bytes:
    """Return the message; without its records and with TC set when it would be longer than `bytes_max`.

    `further` are answer records of an upstream (`answer_records`) that follow ours.
    """
    message = query.parsed.reply(ra=1, aa=1)
    message.header.rcode = _RCODES[reply.rcode]
    for record in reply.answers:
        message.add_answer(_resource_record(record, query))
    message.add_answer(*further)
    for record in reply.authority:
        message.add_auth(_resource_record(record, query))
    for record in reply.additional:
        message.add_ar(_resource_record(record, query))
    if query.has_edns:
        message.add_ar(_dnslib.EDNS0(udp_len=UDP_BYTES_MAX))
    packed = bytes(message.pack())
    return packed if len(packed) <= bytes_max else truncate(packed)


def render_failure(query: Query, rcode: Rcode) -> bytes:
    """Return an answer that says only what went wrong."""
    return render_reply(query, Reply(rcode), TCP_BYTES_MAX)


def render_format_error(data: bytes) -> bytes | None:
    """Return FORMERR for a message that cannot be parsed (NOTIMP for another opcode); None when it is no query."""
    if len(data) < _HEADER.size:
        return None
    message_id, flags, *_ = _HEADER.unpack_from(data)
    if flags & _RESPONSE:
        return None
    rcode: Rcode = "NOTIMP" if flags & _OPCODE_MASK else "FORMERR"
    kept = flags & (_OPCODE_MASK | _RECURSION_DESIRED)
    return _HEADER.pack(message_id, _RESPONSE | kept | _RCODES[rcode], 0, 0, 0, 0)


def truncate(message: bytes) -> bytes:
    """Return header and question with TC set: the client will ask again over TCP."""
    message_id, flags, questions, *_ = _HEADER.unpack_from(message)
    end = _skip_name(message, _HEADER.size) + 4 if questions else _HEADER.size
    return _HEADER.pack(message_id, flags | _TRUNCATED, questions, 0, 0, 0) + message[_HEADER.size : end]


def with_id(message: bytes, message_id: int) -> bytes:
    """Return the message under another id."""
    return message_id.to_bytes(2, "big") + message[2:]


def answers_query(message: bytes, query: bytes) -> bool:
    """Return whether a message is a response to that query: its id and its question, byte for byte."""
    if len(message) < _HEADER.size or message[:2] != query[:2] or not message[2] & 0x80:
        return False
    try:
        end = _skip_name(query, _HEADER.size) + 4
    except IndexError:
        return False
    return message[_HEADER.size : end].lower() == query[_HEADER.size : end].lower()


def is_truncated(message: bytes) -> bool:
    """Return whether TC is set."""
    return len(message) > 2 and bool(message[2] & 0x02)


def cacheable_s(message: bytes) -> int:
    """Return for how many seconds a response may be kept: its least TTL; 0 when it may not be kept."""
    if len(message) < _HEADER.size or is_truncated(message) or message[3] & 0xF not in {0, 3}:
        return 0
    try:
        ttls = [struct.unpack_from(">I", message, offset)[0] for offset in _ttl_offsets(message)]
    except (IndexError, struct.error):
        return 0
    return min(ttls, default=0)


def aged(message: bytes, age_s: int) -> bytes:
    """Return a response with all TTLs lowered by its age."""
    changed = bytearray(message)
    for offset in _ttl_offsets(message):
        ttl = struct.unpack_from(">I", message, offset)[0]
        struct.pack_into(">I", changed, offset, max(0, ttl - age_s))
    return bytes(changed)


def answer_records(message: bytes) -> list[Any]:
    """Return the answer section of an upstream's response; empty when it cannot be parsed."""
    try:
        return list(_dnslib.DNSRecord.parse(message).rr)
    except (_dnslib.DNSError, ValueError, IndexError, struct.error):
        return []


def render_question(name: str, type_name: str, message_id: int) -> bytes:
    """Return a query of our own."""
    question = _dnslib.DNSQuestion(name, getattr(_dnslib.QTYPE, type_name))
    header = _dnslib.DNSHeader(id=message_id, rd=1)
    return bytes(_dnslib.DNSRecord(header, q=question).pack())


def _type_name(number: int) -> str:
    try:
        return str(_dnslib.QTYPE[number])
    except _dnslib.DNSError:
        return f"TYPE{number}"


def _resource_record(record: Record, query: Query) -> Any:
    data = record.data
    if isinstance(data, Srv):
        rdata = _dnslib.SRV(data.priority, data.weight, data.port, data.target)
    elif isinstance(data, Soa):
        times = (data.serial, _REFRESH_S, _RETRY_S, _EXPIRE_S, data.negative_ttl_s)
        rdata = _dnslib.SOA(data.primary, data.mailbox, times)
    else:
        rdata = getattr(_dnslib, record.type)(data)
    # The question's own label, where it is meant: turned to text and back, odd bytes would not survive.
    owner = query.parsed.q.qname if record.name == query.question.name else record.name
    return _dnslib.RR(owner, getattr(_dnslib.QTYPE, record.type), ttl=record.ttl_s, rdata=rdata)


def _ttl_offsets(message: bytes) -> list[int]:
    """Return where the TTLs stand; OPT has none."""
    _, _, questions, *counts = _HEADER.unpack_from(message)
    offset = _HEADER.size
    for _ in range(questions):
        offset = _skip_name(message, offset) + 4
    offsets = []
    for _ in range(sum(counts)):
        offset = _skip_name(message, offset)
        kind, _, _, length = struct.unpack_from(">HHIH", message, offset)
        if kind != _OPT:
            offsets.append(offset + 4)
        offset += 10 + length
    return offsets


def _skip_name(message: bytes, offset: int) -> int:
    while True:
        length = message[offset]
        if length >= _POINTER:
            return offset + 2
        offset += 1 + length
        if length == 0:
            return offset
