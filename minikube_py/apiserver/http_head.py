"""The head of an answer over HTTP/1: what every answer carries, what this one does, and how long it is.

Of most answers only the length and the Audit-Id differ from the one before, so what stands before these is kept.
Nothing that a header may not hold gets into one, whoever it comes from.

Upstream: net/http (writing), apiserver endpoints/filters (cachecontrol.go, with_auditid.go).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

CONTENT_TYPE = "content-type"
CACHE_CONTROL = "cache-control"
COMMON_FIELDS: Mapping[str, str] = {"Cache-Control": "no-cache, private", "Server": "minikube-py"}
"""What every answer carries that has no Cache-Control of its own, beside its Audit-Id."""
STARTS_KEPT_MAX = 256
"""Beginnings of heads that are kept: one for each status and content type, with and without keeping a connection."""
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What could end a field."""
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


@dataclass(frozen=True, slots=True)
class ClientHttp:
    """What of the client's request shapes the head of its answer."""

    minor_version: int = 1
    keep_alive: bool = True
    wants_body: bool = True
    """False for HEAD: the answer says how long the body would be, and has none."""


USUAL = ClientHttp()


def render_answer(
    status: int, fields: Mapping[str, str], body: bytes, audit_id: str, wall_s: float, client: ClientHttp = USUAL
) -> bytes:
    """Return a whole answer, head and body; `fields` has names in lower case and no Content-Length."""
    start = _start(status, fields.get(CONTENT_TYPE, ""), client, fields.get(CACHE_CONTROL, ""))
    more = _more(fields) if len(fields) > 1 else b""
    kept = body if client.wants_body and status not in _BODILESS else b""
    return b"%s%sAudit-Id: %s\r\nContent-Length: %d\r\nDate: %s\r\n\r\n%s" % (
        start,
        more,
        _checked(audit_id),
        len(body),
        _date(int(wall_s)),
        kept,
    )


@lru_cache(maxsize=STARTS_KEPT_MAX)
def _start(status: int, content_type: str, client: ClientHttp, cache_control: str) -> bytes:
    fields = dict(COMMON_FIELDS)
    if cache_control:  # client-go's cache reads the first one alone
        fields["Cache-Control"] = cache_control
    if content_type:
        fields["Content-Type"] = content_type
    if not client.keep_alive:
        fields["Connection"] = "close"
    elif client.minor_version == 0:
        fields["Connection"] = "keep-alive"
    line = f"HTTP/1.{client.minor_version} {status} {HTTPStatus(status).phrase}\r\n"
    return line.encode() + _rendered(fields)


def _more(fields: Mapping[str, str]) -> bytes:
    return _rendered({name: value for name, value in fields.items() if name not in (CONTENT_TYPE, CACHE_CONTROL)})


def _rendered(fields: Mapping[str, str]) -> bytes:
    return b"".join(b"%s: %s\r\n" % (_checked(name), _checked(value)) for name, value in fields.items())


def _checked(text: str) -> bytes:
    """Return a part of a field as bytes; what a client sent that is no UTF-8 goes back to it as it came."""
    assert not _FORBIDDEN.search(text), f"a header cannot hold {text!r}"
    return text.encode("utf-8", "surrogateescape")


@lru_cache(maxsize=2)
def _date(wall_s: int) -> bytes:
    return formatdate(wall_s, usegmt=True).encode()
