import asyncio

import pytest

from minikube_py.kubelet.io.interrupt import InterruptedByStopError, run_beside, run_unless


async def work(seconds, error=None):
    await asyncio.sleep(seconds)
    if error is not None:
        raise error
    return "done"


async def test_work_that_ends_first_gives_its_result():
    assert await run_unless(asyncio.Event(), work(0)) == "done"


async def test_an_error_of_the_work_passes_through():
    with pytest.raises(OSError, match="broken"):
        await run_unless(asyncio.Event(), work(0, OSError("broken")))


@pytest.mark.looptime
async def test_the_event_cuts_the_work_off():
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(1, event.set)

    with pytest.raises(InterruptedByStopError):
        await run_unless(event, work(60))
    assert asyncio.get_running_loop().time() < 2


@pytest.mark.looptime
async def test_what_runs_beside_the_work_ends_with_it():
    ended = []

    async def beside():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(asyncio.get_running_loop().time())

    assert await run_beside(beside(), work(1)) == "done"
    assert ended == [1]
