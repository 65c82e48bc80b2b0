"""A connection to the system's D-Bus: calls, answers with file descriptors, and signals.

jeepney does the wire format; the socket is ours, since jeepney's own asyncio connection cannot take the file
descriptor that logind's lock is.
"""

import array
import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from jeepney import DBusAddress, MatchRule, MessageType, Parser, message_bus, new_method_call
from jeepney.auth import BEGIN, AuthenticationError, Authenticator
from jeepney.fds import FileDescriptor
from jeepney.low_level import HeaderFields, Message

from minikube_py.kit.io.mailbox import Mailbox, MailboxClosedError, OnFull

CALL_TIMEOUT_S = 10.0
FDS_MAX = 16
"""File descriptors in one message; logind sends one."""
SIGNALS_MAX = 64
"""Signals that nobody has taken; the oldest is dropped then."""
DEFAULT_ADDRESS = "unix:path=/run/dbus/system_bus_socket"


class DBusError(OSError):
    """The bus, or a service on it, is not there or refuses; the message says what."""

    def __init__(self, message: str, name: str = "") -> None:
        """`name` is the service's word for it (`org.freedesktop.systemd1.UnitExists`)."""
        super().__init__(message)
        self.name = name


def bus_path() -> str:
    """Return the socket of the system's bus."""
    address = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", DEFAULT_ADDRESS)
    for part in address.split(";"):
        if part.startswith("unix:path="):
            return part.removeprefix("unix:path=").partition(",")[0]
    raise DBusError(f"the address of the bus is not understood: {address}")


class DBusConnection:
    """One connection; `run` reads it, in a task of its own."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._parser = Parser()
        self._serial = 0
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._signals = Mailbox[Message](SIGNALS_MAX, OnFull.DROP_OLDEST)

    @classmethod
    async def open(cls, path: str) -> "DBusConnection":
        """Connect and authenticate; the first call must be `hello`.

        Raises:
            DBusError: there is no bus, or it does not want us.
        """
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await loop.sock_connect(sock, path)
                dialogue = Authenticator(enable_fds=True)
                for line in dialogue:
                    await loop.sock_sendall(sock, line)
                    dialogue.feed(await loop.sock_recv(sock, 1024))
                await loop.sock_sendall(sock, BEGIN)
        except (OSError, TimeoutError, AuthenticationError) as error:
            sock.close()
            raise DBusError(f"{path}: {getattr(error, 'strerror', None) or error or 'no answer'}") from error
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    def close(self) -> None:
        """Close it; who waits for an answer is told."""
        self._socket.close()
        self._signals.close()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(DBusError("the bus closed the connection"))

    async def run(self) -> None:
        """Read until the bus closes the connection."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self._socket.fileno(), readable.set)
        try:
            while True:
                await readable.wait()
                readable.clear()
                while self._receive():
                    pass
        except DBusError:
            return
        finally:
            loop.remove_reader(self._socket.fileno())
            self.close()

    def _receive(self) -> bool:
        """Take what has come; False when nothing more is there."""
        try:
            data, ancillary, _, _ = self._socket.recvmsg(
                self._parser.bytes_desired(), socket.CMSG_SPACE(FDS_MAX * array.array("i").itemsize)
            )
        except BlockingIOError:
            return False
        except OSError as error:
            raise DBusError(str(error)) from error
        if not data:
            raise DBusError("the bus closed the connection")
        self._parser.add_data(data, FileDescriptor.from_ancdata(ancillary))
        while (message := self._parser.get_next_message()) is not None:
            self._dispatch(message)
        return True

    def _dispatch(self, message: Message) -> None:
        kind = message.header.message_type
        if kind is MessageType.signal:
            self._signals.put_nowait(message)
        elif kind in (MessageType.method_return, MessageType.error):
            answer = self._answers.pop(message.header.fields.get(HeaderFields.reply_serial, 0), None)
            if answer is not None and not answer.done():
                answer.set_result(message)

    async def hello(self) -> None:
        """Introduce ourselves to the bus."""
        await self._ask(message_bus.Hello())

    async def call(self, address: DBusAddress, method: str, signature: str = "", body: Sequence[Any] = ()) -> Any:
        """Call a method and return the body of its answer.

        Raises:
            DBusError: nobody is there, or it refuses.
        """
        return await self._ask(new_method_call(address, method, signature or None, tuple(body)))

    async def _ask(self, message: Message) -> Any:
        self._serial += 1
        serial, answer = self._serial, asyncio.get_running_loop().create_future()
        self._answers[serial] = answer
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await asyncio.get_running_loop().sock_sendall(self._socket, message.serialise(serial=serial))
                said = await answer
        except TimeoutError as error:
            raise DBusError(f"{message.header.fields.get(HeaderFields.member)}: no answer") from error
        finally:
            self._answers.pop(serial, None)
        if said.header.message_type is MessageType.error:
            name = said.header.fields.get(HeaderFields.error_name, "error")
            raise DBusError(f"{name}: {said.body[0] if said.body else ''}".rstrip(": "), str(name))
        return said.body

    async def follow(self, rule: MatchRule) -> None:
        """Let the bus send the signals that `rule` matches."""
        await self._ask(message_bus.AddMatch(rule))

    async def signals(self) -> AsyncIterator[Message]:
        """Yield signals until the connection ends."""
        while True:
            try:
                yield await self._signals.get()
            except MailboxClosedError:
                return


@asynccontextmanager
async def open_bus(path: str) -> AsyncIterator[DBusConnection]:
    """Connect to a bus while the context lasts.

    Raises:
        DBusError: there is no bus, or a call in the context failed: told as it is, not in a group.
    """
    bus = await DBusConnection.open(path)
    failure: DBusError | None = None
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(bus.run(), name="dbus")
        try:
            await bus.hello()
            yield bus
        except DBusError as error:
            failure = error
        finally:
            reader.cancel()
    if failure is not None:
        raise failure
