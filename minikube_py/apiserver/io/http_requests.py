"""What is read of an HTTP request, within bounds, and how a long answer is compressed."""

import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import web

from minikube_py.api.errors import TooLargeError, TooManyRequestsError
from minikube_py.apiserver.io.audit_log import Exchange
from minikube_py.apiserver.routes import RequestInfo, parse_request

ASKED_MAX = 4096
"""Request lines whose meaning is kept: clients ask for the same things again and again."""
TARGET_LENGTH_MAX = 512
"""Longer targets are read anew each time."""

EXCHANGE = web.RequestKey("exchange", Exchange)
"""Wants to know when an answer that is streamed begins."""


async def start(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Send the head of an answer whose body is streamed."""
    if (exchange := request.get(EXCHANGE)) is not None:
        exchange.begun(response.status)
    await response.prepare(request)


def too_many_requests() -> TooManyRequestsError:
    """Return the answer beyond a bound."""
    return TooManyRequestsError("too many requests, please try again later.", retry_after_s=1)


def compress_parts(parts: Iterable[bytes]) -> list[bytes]:
    """Return the parts as one gzip stream, at the fastest level; other threads run meanwhile."""
    packer = zlib.compressobj(level=1, wbits=31)
    packed = [packer.compress(part) for part in parts]
    packed.append(packer.flush())
    return [piece for piece in packed if piece]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request line says; of a parameter that stands twice the first one counts, as for Go's url.Values.Get."""

    info: RequestInfo
    query: Mapping[str, str]


class AskedBefore:
    """Reads request lines, and keeps what the last ones mean."""

    def __init__(self, asked_max: int) -> None:
        self._asked_max = asked_max
        self._kept: OrderedDict[tuple[str, str], Asked] = OrderedDict()

    def of(self, request: web.BaseRequest) -> Asked:
        """Return what a request asks for."""
        key = (request.method, request.raw_path)
        asked = self._kept.get(key)
        if asked is None:
            asked = _read(request)
            if len(request.raw_path) <= TARGET_LENGTH_MAX:
                self._kept[key] = asked
                if len(self._kept) > self._asked_max:
                    self._kept.popitem(last=False)
        return asked


def _read(request: web.BaseRequest) -> Asked:
    query: dict[str, str] = {}
    for name, value in request.query.items():
        query.setdefault(name, value)
    return Asked(parse_request(request.method, unquote(request.rel_url.raw_path), query), query)


class BodyRoom:
    """Room for the bodies of the requests that are being answered; each counts by what has come of it."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self.taken_bytes = 0

    @contextmanager
    def holding(self) -> Iterator[Callable[[int], None]]:
        """Give a function that takes more room; all is given back when the context ends.

        Raises (the function):
            TooManyRequestsError: there is no room for more.
        """
        held = 0

        def grow(more: int) -> None:
            nonlocal held
            if self.taken_bytes + more > self._bytes_max:
                raise too_many_requests()
            self.taken_bytes += more
            held += more

        try:
            yield grow
        finally:
            self.taken_bytes -= held


async def read_body(request: web.BaseRequest, bytes_max: int, grow: Callable[[int], None]) -> bytes:
    """Return the body; `grow` is told of each piece before it is kept.

    Raises:
        TooLargeError: it is longer than `bytes_max`.
        TooManyRequestsError: there is no room for it.
    """
    pieces: list[bytes] = []
    size = 0
    while piece := await request.content.readany():
        grow(len(piece))
        size += len(piece)
        if size > bytes_max:
            raise TooLargeError(f"Request entity too large: limit is {bytes_max}")
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
