"""What is read of an HTTP request, within bounds, and how a long answer is compressed."""

import zlib
from collections.abc import Iterable, Mapping

from aiohttp import web

from minikube_py.api.errors import TooLargeError, TooManyRequestsError


def too_many_requests() -> TooManyRequestsError:
    """Return the answer beyond a bound."""
    return TooManyRequestsError("too many requests, please try again later.", retry_after_s=1)


def compress_parts(parts: Iterable[bytes]) -> list[bytes]:
    """Return the parts as one gzip stream, at the fastest level; other threads run meanwhile."""
    packer = zlib.compressobj(level=1, wbits=31)
    packed = [packer.compress(part) for part in parts]
    packed.append(packer.flush())
    return [piece for piece in packed if piece]


def query_of(request: web.BaseRequest) -> Mapping[str, str]:
    """Return the query; of a parameter that stands twice the first one counts, as Go's url.Values.Get takes it."""
    if not request.rel_url.raw_query_string:
        return {}
    query: dict[str, str] = {}
    for name, value in request.query.items():
        query.setdefault(name, value)
    return query


async def read_body(request: web.BaseRequest, bytes_max: int) -> bytes:
    """Return the body.

    Raises:
        TooLargeError: it is longer than `bytes_max`.
    """
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLargeError(f"Request entity too large: limit is {bytes_max}") from error
