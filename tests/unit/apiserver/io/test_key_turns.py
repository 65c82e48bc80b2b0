"""Turns by key."""

import asyncio

import pytest

from minikube_py.apiserver.io.key_turns import KeyTurns


async def test_who_comes_first_is_served_first_and_one_at_a_time():
    turns = KeyTurns()
    log = []

    async def change(number):
        async with turns.turn("a"):
            log.append(f"{number} begins")
            await asyncio.sleep(0)
            log.append(f"{number} ends")

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(change(number))
    assert log == [f"{number} {what}" for number in range(3) for what in ("begins", "ends")]
    assert len(turns) == 0


async def test_other_keys_do_not_wait():
    turns = KeyTurns()
    async with turns.turn("a"), asyncio.timeout(30), turns.turn("b"):
        assert len(turns) == 2
    assert len(turns) == 0


async def test_who_gives_up_waiting_or_fails_leaves_the_turn_to_the_next():
    turns = KeyTurns()
    served = []

    async def change(name):
        async with turns.turn("a"):
            served.append(name)

    async with asyncio.TaskGroup() as group:
        with pytest.raises(ValueError, match="failed"):
            async with turns.turn("a"):
                waiting = [group.create_task(change(name)) for name in ("b", "c")]
                await asyncio.sleep(0)
                waiting[0].cancel()
                await asyncio.sleep(0)
                raise ValueError("failed")
    assert served == ["c"]
    assert len(turns) == 0
