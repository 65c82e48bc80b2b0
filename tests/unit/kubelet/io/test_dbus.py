import asyncio
import socket

import pytest
from jeepney import DBusAddress, HeaderFields, MessageType, Parser, new_error, new_method_return

from minikube_py.kubelet.io.dbus import DBusConnection, DBusError

SERVICE = DBusAddress("/x", "org.example", "org.example.X")


class Bus:
    """The other end of a connection: gives what it was asked, and answers as it is told."""

    def __init__(self, end):
        self._end = end
        self._parser = Parser()

    async def asked(self, count):
        found = []
        while len(found) < count:
            self._parser.add_data(await asyncio.get_running_loop().sock_recv(self._end, 4096))
            while (message := self._parser.get_next_message()) is not None:
                assert message.header.message_type is MessageType.method_call
                found.append(message)
        return found

    async def answer(self, message):
        await asyncio.get_running_loop().sock_sendall(self._end, message.serialise(serial=1))


@pytest.fixture
async def ends():
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    connection = DBusConnection(ours)
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(connection.run())
        yield connection, Bus(theirs)
        reader.cancel()
    theirs.close()


async def test_calls_side_by_side_get_their_own_answers_in_whatever_order_these_come(ends):
    connection, bus = ends
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        calls = [group.create_task(connection.call(SERVICE, method)) for method in ("First", "Second")]
        first, second = await bus.asked(2)
        assert first.header.fields[HeaderFields.member] == "First"
        await bus.answer(new_method_return(first, "s", ("one",)))
        assert await calls[0] == ("one",)
        await bus.answer(new_method_return(second, "s", ("two",)))

    assert calls[1].result() == ("two",)
    assert not connection._answers


async def test_a_refusal_carries_the_services_words_and_their_name(ends):
    connection, bus = ends
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        call = group.create_task(_refused(connection))
        (asked,) = await bus.asked(1)
        await bus.answer(new_error(asked, "org.example.No", "s", ("not today",)))

    assert (str(call.result()), call.result().name) == ("org.example.No: not today", "org.example.No")


async def _refused(connection):
    with pytest.raises(DBusError) as refusal:
        await connection.call(SERVICE, "Method")
    return refusal.value
