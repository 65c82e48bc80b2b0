"""Where HTTP listens: a server that tells open answers when their client is gone; clear errors for a taken port."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from aiohttp import web

from minikube_py.kit.io.dead_peers import give_up_dead_peers

T = TypeVar("T")


class ListenError(Exception):
    """The server cannot listen where it should; says where and why."""


class NotifyingServer(web.Server):
    """aiohttp's server, which also tells open watches and logs that their client is gone."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        connection: type[web.RequestHandler] = web.RequestHandler,
        **kwargs: Any,
    ) -> None:
        super().__init__(handler, **kwargs)
        self._connection = connection
        self.on_lost: dict[object, Callable[[], None]] = {}
        """For a connection's protocol: what to call, once, when the connection is lost."""

    def __call__(self) -> web.RequestHandler:
        """Return the handler of a new connection."""
        return self._connection(self, loop=self._loop, **self._kwargs)

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


async def listen(runner: web.ServerRunner, address: str, port: int, tls: ssl.SSLContext | None, flag: str) -> int:
    """Listen, and return the port (that of the kernel's choice when `port` is 0); `flag` is how a user sets it.

    Raises:
        ListenError: the address cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, port), family=family, backlog=1024)
        give_up_dead_peers(listener)
        await web.SockSite(runner, listener, ssl_context=tls, backlog=1024).start()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "address already in use" if taken else error.strerror or str(error)
        hint = f"; stop the other server, or choose another {flag}" if taken else ""
        raise ListenError(f"cannot listen on {address}:{port}: {why}{hint}") from error
    return int(runner.addresses[0][1])
