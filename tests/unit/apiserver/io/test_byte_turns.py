import asyncio

import pytest

from minikube_py.api.errors import TooManyRequestsError
from minikube_py.apiserver.io.byte_turns import ByteTurns


class Holder:
    """Holds a turn until it is told to end."""

    def __init__(self, turns, size_bytes):
        self._turns, self._size_bytes = turns, size_bytes
        self.began, self.end = False, asyncio.Event()

    async def run(self):
        async with self._turns.turn(self._size_bytes):
            self.began = True
            await self.end.wait()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def began(holders):
    await settle()
    return [holder.began for holder in holders]


async def test_as_many_go_on_as_have_room_and_the_others_follow_in_their_order():
    turns = ByteTurns(10, 5)
    holders = [Holder(turns, size) for size in (6, 4, 5, 1)]
    async with asyncio.TaskGroup() as group:
        for holder in holders:
            group.create_task(holder.run())
        assert await began(holders) == [True, True, False, False]
        holders[1].end.set()
        assert await began(holders) == [True, True, False, False]
        holders[0].end.set()
        assert await began(holders) == [True, True, True, True]
        for holder in holders:
            holder.end.set()


async def test_what_is_larger_than_all_room_has_its_turn_alone():
    turns = ByteTurns(10, 5)
    holders = [Holder(turns, 11), Holder(turns, 1)]
    async with asyncio.TaskGroup() as group:
        for holder in holders:
            group.create_task(holder.run())
        assert await began(holders) == [True, False]
        for holder in holders:
            holder.end.set()
    assert holders[1].began


async def test_beyond_the_bound_nobody_waits():
    turns = ByteTurns(10, 1)
    holders = [Holder(turns, 10), Holder(turns, 10)]
    async with asyncio.TaskGroup() as group:
        for holder in holders:
            group.create_task(holder.run())
        await settle()
        with pytest.raises(TooManyRequestsError):
            async with turns.turn(1):
                pass
        for holder in holders:
            holder.end.set()


async def test_who_goes_away_while_he_waits_leaves_no_hole():
    turns = ByteTurns(10, 5)
    first, leaver, last = holders = [Holder(turns, 10), Holder(turns, 8), Holder(turns, 10)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(holder.run()) for holder in holders]
        await settle()
        tasks[1].cancel()
        first.end.set()
        assert (await began(holders))[2]
        assert not leaver.began
        last.end.set()


async def test_who_is_cancelled_together_with_the_one_before_him_leaves_no_hole():
    turns = ByteTurns(10, 5)
    holders = [Holder(turns, 10), Holder(turns, 8), Holder(turns, 10)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(holder.run()) for holder in holders]
        await settle()
        for task in tasks[:2]:
            task.cancel()
        assert (await began(holders))[2]
        holders[2].end.set()
