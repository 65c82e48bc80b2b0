import asyncio

import pytest

from minikube_py.api.errors import TooManyRequestsError
from minikube_py.apiserver.io.fair_room import FairRoom


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


class Guests:
    """Those who wait for room, and in which order they came in."""

    def __init__(self, room, group):
        self._room, self._group = room, group
        self.inside = []

    def come(self, name, size, *, again=False):
        return self._group.create_task(self._come(name, size, again=again))

    async def _come(self, name, size, *, again):
        await (self._room.take_again(size) if again else self._room.take(name[0], size))
        self.inside.append(name)


async def test_as_many_go_on_as_have_room_and_the_others_follow_in_their_order():
    room = FairRoom(10, 20)
    async with asyncio.TaskGroup() as group:
        guests = Guests(room, group)
        for name, size in (("a1", 6), ("a2", 4), ("a3", 5), ("a4", 1)):
            guests.come(name, size)
        await settle()
        assert guests.inside == ["a1", "a2"]
        room.give_back(4)
        await settle()
        assert guests.inside == ["a1", "a2"]
        room.give_back(6)
    assert guests.inside == ["a1", "a2", "a3", "a4"]


async def test_users_get_room_one_after_the_other():
    room = FairRoom(1, 20)
    async with asyncio.TaskGroup() as group:
        guests = Guests(room, group)
        for name in ("a1", "a2", "a3", "b1"):
            guests.come(name, 1)
        for _ in range(3):
            await settle()
            room.give_back(1)
    assert guests.inside == ["a1", "a2", "b1", "a3"]


async def test_what_is_larger_than_all_room_has_it_alone():
    room = FairRoom(10, 20)
    async with asyncio.TaskGroup() as group:
        guests = Guests(room, group)
        guests.come("a", 11)
        guests.come("b", 1)
        await settle()
        assert guests.inside == ["a"]
        room.give_back(11)
    assert guests.inside == ["a", "b"]


async def test_who_was_inside_comes_before_those_who_were_not():
    room = FairRoom(10, 20)
    async with asyncio.TaskGroup() as group:
        guests = Guests(room, group)
        guests.come("a", 10)
        guests.come("b", 10)
        guests.come("c", 10, again=True)
        await settle()
        room.give_back(10)
        await settle()
        assert guests.inside == ["a", "c"]
        room.give_back(10)


async def test_beyond_the_bound_nobody_waits_and_one_user_has_a_part_of_the_places_only():
    room = FairRoom(10, 8)
    async with asyncio.TaskGroup() as group:
        guests = Guests(room, group)
        waiting = [guests.come(name, 10) for name in ("a0", "a1", "a2", "b1", "b2", "c1", "c2", "d1", "d2")]
        await settle()
        for user in ("a", "e"):
            with pytest.raises(TooManyRequestsError) as refused:
                await room.take(user, 1)
            assert refused.value.retry_after_s == 1
        for task in waiting[1:]:
            task.cancel()


async def test_who_goes_away_while_he_waits_leaves_no_hole():
    room = FairRoom(10, 20)
    async with asyncio.TaskGroup() as group:
        guests = Guests(room, group)
        tasks = [guests.come(name, size) for name, size in (("a", 10), ("b", 8), ("c", 10))]
        await settle()
        tasks[1].cancel()
        room.give_back(10)
    assert guests.inside == ["a", "c"]


async def test_who_is_cancelled_in_the_moment_in_which_he_gets_room_gives_it_back():
    room = FairRoom(10, 20)
    async with asyncio.TaskGroup() as group:
        guests = Guests(room, group)
        tasks = [guests.come(name, size) for name, size in (("a", 10), ("b", 8), ("c", 10))]
        await settle()
        room.give_back(10)
        tasks[1].cancel()
    assert guests.inside == ["a", "c"]


async def test_who_goes_away_while_he_waits_leaves_his_place_to_others():
    room = FairRoom(10, 8)
    async with asyncio.TaskGroup() as group:
        guests = Guests(room, group)
        tasks = [guests.come(name, 10) for name in ("a0", "a1", "a2", "b1")]
        await settle()
        with pytest.raises(TooManyRequestsError):
            await room.take("a", 1)
        tasks[2].cancel()
        await settle()
        guests.come("a3", 10)
        for _ in range(4):
            await settle()
            room.give_back(10)
    assert guests.inside == ["a0", "a1", "b1", "a3"]


async def test_who_was_inside_and_does_not_come_back_leaves_his_place_to_others():
    room = FairRoom(10, 8)
    async with asyncio.TaskGroup() as group:
        guests = Guests(room, group)
        tasks = [guests.come(name, 10, again=name != "a") for name in ("a", "b", "c")]
        await settle()
        tasks[1].cancel()
        await settle()
        room.give_back(10)
        await settle()
        room.give_back(10)
    assert guests.inside == ["a", "c"]
