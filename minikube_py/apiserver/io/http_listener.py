"""Where HTTP listens: a server that tells open answers when their client is gone; clear errors for a taken port."""

import asyncio
import errno
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod

from minikube_py.api.errors import BadRequestError, InternalError, MethodNotSupportedError, StatusError
from minikube_py.apiserver.render import status_body

T = TypeVar("T")


class ListenError(Exception):
    """The server cannot listen where it should; says where and why."""


class StatusRequestHandler(web.RequestHandler):
    """One connection; what the HTTP parser refuses is answered with a Status, as everything else is."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that cannot be read, or in which the server failed."""
        if status >= 500:
            super().handle_error(request, status, exc, message)  # logs it
            error: StatusError = InternalError("Internal error occurred: the request could not be served")
        elif isinstance(exc, BadHttpMethod):
            error = MethodNotSupportedError("the server does not allow this method on the requested resource")
        else:
            error = BadRequestError(f"the request cannot be understood: {message or exc}")
        response = web.Response(status=error.code, body=status_body(error), content_type="application/json")
        response.headers["Cache-Control"] = "no-cache, private"
        response.force_close()
        return response


class NotifyingServer(web.Server):
    """aiohttp's server, which also tells open watches and logs that their client is gone."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], **kwargs: Any) -> None:
        super().__init__(handler, **kwargs)
        self.on_lost: dict[object, Callable[[], None]] = {}
        """For a connection's protocol: what to call, once, when the connection is lost."""

    def __call__(self) -> web.RequestHandler:
        """Return the handler of a new connection."""
        return StatusRequestHandler(self, loop=self._loop, **self._kwargs)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Tell who waits for it, then do as aiohttp does."""
        if (lost := self.on_lost.pop(handler, None)) is not None:
            lost()
        super().connection_lost(handler, exc)

    async def while_connected(self, request: web.BaseRequest, work: Coroutine[Any, Any, T]) -> T | None:
        """Await `work` and return what it returns; when the client goes first, it is cancelled: None."""
        task = asyncio.current_task()
        assert task is not None
        gone = False

        def lost() -> None:
            nonlocal gone
            gone = True
            task.cancel()

        self.on_lost[request.protocol] = lost
        try:
            return await work
        except asyncio.CancelledError:
            if not gone:
                raise
            task.uncancel()
            return None
        finally:
            self.on_lost.pop(request.protocol, None)


async def listen(runner: web.ServerRunner, address: str, port: int, tls: ssl.SSLContext | None) -> int:
    """Listen, and return the port (that of the kernel's choice when `port` is 0).

    Raises:
        ListenError: the address cannot be had.
    """
    site = web.TCPSite(runner, address, port, ssl_context=tls, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "address already in use" if taken else error.strerror or str(error)
        hint = "; stop the other server, or choose another --https-listen-port" if taken else ""
        raise ListenError(f"cannot listen on {address}:{port}: {why}{hint}") from error
    return int(runner.addresses[0][1])
