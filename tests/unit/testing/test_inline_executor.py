import asyncio
import threading

import pytest

from minikube_py.testing.inline_executor import InlineExecutor


async def test_work_for_a_thread_is_done_on_the_loop_and_its_error_is_that_of_who_waits():
    asyncio.get_running_loop().set_default_executor(InlineExecutor())

    assert await asyncio.to_thread(threading.get_ident) == threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(lambda: 1 / 0)
