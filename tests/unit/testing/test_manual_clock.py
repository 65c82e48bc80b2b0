import asyncio

from minikube_py.testing.manual_clock import ManualClock


async def test_sleepers_wake_in_order_of_their_time_and_may_sleep_again():
    clock = ManualClock()
    woken = []

    async def sleeper(name: str, seconds: float, times: int) -> None:
        for _ in range(times):
            await clock.sleep(seconds)
            woken.append((name, clock.now_s() - 1000))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("slow", 5, 1))
        group.create_task(sleeper("fast", 2, 3))
        await clock.advance(10)

    assert woken == [("fast", 2), ("fast", 4), ("slow", 5), ("fast", 6)]
    assert clock.now_s() == 1010


async def test_nobody_wakes_before_its_time():
    clock = ManualClock()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(clock.sleep(5))
        await clock.advance(4)
        assert not task.done()
        assert clock.next_wakeup_s() == 1
        await clock.advance(1)
        assert task.done()
        assert clock.next_wakeup_s() is None


def test_wall_and_monotonic_time_move_together():
    clock = ManualClock(wall_s=100.0)
    clock.move(5)

    assert (clock.wall_s(), clock.now_s()) == (105.0, 1005.0)
