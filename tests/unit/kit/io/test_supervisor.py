import asyncio

import pytest

from minikube_py.kit.io.supervisor import Supervisor


async def test_a_crash_ends_the_whole_tree():
    async def crash():
        raise ValueError("bug")

    async def forever():
        await asyncio.sleep(100)

    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            supervisor = Supervisor(group)
            supervisor.spawn("good", forever)
            supervisor.spawn("bad", crash)

    assert caught.group_contains(ValueError, match="bug")
    assert supervisor.health["bad"].state == "failed"
    assert supervisor.health["good"].state == "stopped"
