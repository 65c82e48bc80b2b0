import asyncio

import pytest

from minikube_py.kubelet.io.interrupt import InterruptedByStopError, run_unless


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
