import asyncio

import pytest

from minikube_py.api.errors import TooManyRequestsError
from minikube_py.apiserver.io.byte_turns import ByteTurns, asking_outside, user_in_turn


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_turn_lasts_as_long_as_the_context_and_the_next_one_follows():
    turns, order = ByteTurns(10, 10, 20), []

    async def hold(user):
        async with turns.turn(user, 10):
            order.append(f"{user} begins")
            await settle()
            order.append(f"{user} ends")

    async with asyncio.TaskGroup() as group:
        for user in "ab":
            group.create_task(hold(user))
    assert order == ["a begins", "a ends", "b begins", "b ends"]


async def test_what_is_done_in_a_turn_knows_whose_it_is():
    turns = ByteTurns(10, 10, 20)
    async with turns.turn("jane", 1):
        assert user_in_turn() == "jane"
    assert user_in_turn() == ""


async def test_while_somebody_outside_is_asked_a_turn_as_large_may_begin_and_end():
    turns = ByteTurns(10, 10, 20)
    async with turns.turn("a", 10), asking_outside(), asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(take_a_turn(turns, "b", 10))


async def take_a_turn(turns, user, size):
    async with turns.turn(user, size):
        await settle()


async def test_after_the_question_it_is_waited_for_room_again_before_all_who_have_not_begun():
    turns, order = ByteTurns(10, 10, 20), []
    answered, go_on = asyncio.Event(), asyncio.Event()

    async def first():
        async with turns.turn("a", 10):
            async with asking_outside():
                await answered.wait()
            order.append("first")

    async def other(name):
        async with turns.turn(name, 10):
            order.append(name)
            await go_on.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        await settle()
        group.create_task(other("b"))
        group.create_task(other("c"))
        await settle()
        answered.set()
        await settle()
        assert order == ["b"]
        go_on.set()
    assert order == ["b", "first", "c"]


async def test_questions_side_by_side_put_the_turn_aside_until_the_last_is_answered():
    turns, answers = ByteTurns(10, 10, 20), [asyncio.Event(), asyncio.Event()]

    async def ask(answer):
        async with asking_outside():
            await answer.wait()

    async with turns.turn("a", 10), asyncio.timeout(30), asyncio.TaskGroup() as group:
        for answer in answers:
            group.create_task(ask(answer))
        await settle()
        answers[0].set()
        await settle()
        other = group.create_task(take_a_turn(turns, "b", 10))
        await other
        answers[1].set()
    async with asyncio.timeout(30):
        await take_a_turn(turns, "c", 10)


async def test_when_too_much_was_put_aside_no_further_turn_begins():
    turns, answered = ByteTurns(10, 10, 20), asyncio.Event()

    async def ask():
        async with turns.turn("a", 10), asking_outside():
            await answered.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(ask())
        await settle()
        with pytest.raises(TooManyRequestsError):
            await take_a_turn(turns, "b", 1)
        answered.set()
    await take_a_turn(turns, "b", 1)


async def test_a_turn_that_ends_while_it_is_aside_leaves_nothing_behind():
    turns = ByteTurns(10, 10, 20)

    async def ask():
        async with turns.turn("a", 10), asking_outside():
            await asyncio.Event().wait()

    for _ in range(3):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(ask())
            await settle()
            task.cancel()
        async with asyncio.timeout(30):
            await take_a_turn(turns, "b", 10)


async def test_outside_of_a_turn_nothing_is_put_aside():
    async with asking_outside():
        assert user_in_turn() == ""
