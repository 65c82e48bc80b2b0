"""Questions, records and replies as values: what zone, cache and wire format agree on."""

from dataclasses import dataclass
from typing import Literal

Rcode = Literal["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]
RecordType = Literal["A", "CNAME", "NS", "PTR", "SOA", "SRV", "TXT"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the name as the client wrote it (without the final dot), the type by its name."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Srv:
    """Where a named port is served."""

    port: int
    target: str
    priority: int = 0
    weight: int = 100


@dataclass(frozen=True, slots=True)
class Soa:
    """Who is responsible for the zone, and for how long its absent names may be remembered."""

    primary: str
    mailbox: str
    serial: int
    negative_ttl_s: int


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record; `data` is an address, a name or a text, or the value of its type."""

    name: str
    type: RecordType
    ttl_s: int
    data: str | Srv | Soa


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the cluster zone."""

    rcode: Rcode = "NOERROR"
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    chase: str = ""
    """A name outside the zone that the answer's CNAME leads to: the client wants its records in the same answer."""
