import asyncio

import pytest

from minikube_py.kit.io.lifetime import finish_within


async def test_work_that_ends_in_time_is_finished():
    assert await finish_within(60.0, asyncio.sleep(0))


async def test_work_that_does_not_end_is_cut_off():
    assert not await finish_within(0.01, asyncio.sleep(10))


async def test_a_cancelled_caller_still_finishes_the_work_and_stays_cancelled():
    done = []

    async def clean_up():
        await asyncio.sleep(0.01)
        done.append(True)

    async def caller():
        await finish_within(60.0, clean_up())

    task = asyncio.get_running_loop().create_task(caller())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert done


async def test_failures_of_the_work_are_raised():
    async def broken():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await finish_within(60.0, broken())
