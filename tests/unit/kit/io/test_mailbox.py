import asyncio

import pytest

from minikube_py.kit.io.mailbox import Mailbox, MailboxClosedError, OnFull


async def test_block_makes_the_sender_wait_for_room():
    box = Mailbox[int](1, OnFull.BLOCK)
    await box.put(1)
    async with asyncio.TaskGroup() as group:
        second = group.create_task(box.put(2))
        await asyncio.sleep(0)
        assert not second.done()

        assert await box.get() == 1

    assert await box.get() == 2


async def test_drop_oldest_keeps_the_newest():
    box = Mailbox[int](2, OnFull.DROP_OLDEST)
    for number in (1, 2, 3):
        box.put_nowait(number)

    assert [await box.get(), await box.get()] == [2, 3]


async def test_disconnect_tells_the_slow_reader():
    box = Mailbox[int](1, OnFull.DISCONNECT)
    box.put_nowait(1)
    box.put_nowait(2)

    with pytest.raises(MailboxClosedError):
        await box.get()


async def test_closed_box_is_read_to_its_end():
    box = Mailbox[int](2, OnFull.BLOCK)
    box.put_nowait(1)
    box.close()

    assert await box.get() == 1
    with pytest.raises(MailboxClosedError):
        await box.get()
