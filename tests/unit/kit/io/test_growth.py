import asyncio

from minikube_py.kit.io.growth import Growth


async def test_those_go_on_who_wait_for_no_more_than_what_is_reached():
    growth = Growth()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(growth.wait(number, 60.0)) for number in (1, 2, 3)]
        await asyncio.sleep(0)
        growth.reach(2)
        await asyncio.sleep(0)
        assert [task.done() for task in waiting] == [True, True, False]
        growth.reach(7)
    assert [task.result() for task in waiting] == [True] * 3


async def test_who_waits_in_vain_is_told_so_and_nobody_waits_any_more():
    growth = Growth()
    assert not await growth.wait(1, 0.001)
    assert not growth._waiters
