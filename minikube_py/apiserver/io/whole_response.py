"""An answer over HTTP whose bytes are all there when it is made: head and body leave in one write.

aiohttp's own Response keeps its headers in a multidict, fills in defaults and writes them out one by one; for an
answer with one object that costs more than finding the object.
"""

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from minikube_py.apiserver.http_head import USUAL, ClientHttp

WRITER = web.RequestKey("writer", AbstractStreamWriter)
"""Where the answer to a request goes."""


class WholeResponse(web.StreamResponse):
    """One answer, as `http_head.render_answer` wrote it; aiohttp calls `prepare`, then `write_eof`."""

    def __init__(self, request: web.BaseRequest, status: int, answer: bytes) -> None:
        super().__init__(status=status)
        self._answer = answer
        self._to = request[WRITER]
        if not request.keep_alive:
            self.force_close()

    @property
    def keep_alive(self) -> bool:
        """Return whether the connection may carry another request."""
        return super().keep_alive is not False

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Return where the answer will go."""
        return self._to

    async def write_eof(self, data: bytes = b"") -> None:
        """Write the answer, and wait while the client is slow to read.

        Raises:
            ConnectionError: the client is gone.
        """
        await self._to.write_eof(self._answer)


def client_http(request: web.BaseRequest) -> ClientHttp:
    """Return what of a request shapes the head of its answer."""
    if request.version == HttpVersion11 and request.keep_alive and request.method != "HEAD":
        return USUAL
    return ClientHttp(request.version.minor, request.keep_alive, request.method != "HEAD")
