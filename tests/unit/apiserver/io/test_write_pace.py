"""How many writes begin in one turn of the loop, with a clock that only the writes move."""

import asyncio

from minikube_py.apiserver.io.write_pace import BEGINNING_MAX, FIRST, TURN_S, WritePace

WRITES = 100


class Clock:
    """Stands still unless somebody works."""

    def __init__(self):
        self.at_s = 0.0

    def now_s(self):
        return self.at_s


class Turns:
    """Counts what is done in each turn of the loop, as a timer between the turns would see it."""

    def __init__(self):
        self.done = [0]

    def watch(self):
        if self.done[-1] or len(self.done) < WRITES:
            self.done.append(0)
            asyncio.get_running_loop().call_soon(self.watch)


async def done_by_turn(write_s):
    clock, turns = Clock(), Turns()
    pace = WritePace(clock)
    order = []

    async def write(number):
        await pace.begin()
        order.append(number)
        clock.at_s += write_s
        turns.done[-1] += 1

    turns.watch()
    async with asyncio.TaskGroup() as group:
        for number in range(WRITES):
            group.create_task(write(number))
    assert order == list(range(WRITES))
    return [done for done in turns.done if done]


async def test_as_many_begin_in_a_turn_as_it_has_time_for():
    done = await done_by_turn(TURN_S / 4)

    assert done[0] == FIRST
    assert max(done[1:]) <= 5


async def test_one_that_takes_longer_than_a_turn_is_alone_in_it():
    done = await done_by_turn(TURN_S * 3)

    assert set(done[1:]) == {1}


async def test_those_that_take_little_come_to_be_more_and_never_too_many():
    done = await done_by_turn(0.0)

    assert done[:4] == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]
    assert max(done) <= BEGINNING_MAX


async def test_who_gives_up_waiting_keeps_nobody_else_waiting():
    pace = WritePace(Clock())
    async with asyncio.TaskGroup() as group:
        writes = [group.create_task(pace.begin()) for _ in range(FIRST + 2)]
        await asyncio.sleep(0)
        assert [write.done() for write in writes] == [True] * FIRST + [False] * 2
        writes[FIRST].cancel()
    assert writes[FIRST].cancelled()
    assert writes[FIRST + 1].done()
