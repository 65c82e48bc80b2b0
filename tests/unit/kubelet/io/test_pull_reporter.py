import asyncio

import pytest

from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kubelet.io.pull_reporter import PullReporter
from minikube_py.kubelet.pull_progress import PullProgress

pytestmark = pytest.mark.looptime


class Stage:
    def __init__(self):
        self.said = []
        self.reporter = PullReporter("web:1", SystemClock(), self.say)

    def say(self, message):
        self.said.append((asyncio.get_running_loop().time(), message.partition(": ")[2]))

    async def pull(self, *steps):
        for wait_s, progress in steps:
            await asyncio.sleep(wait_s)
            self.reporter.told(progress)
        return "pulled"


async def test_a_short_pull_is_not_told():
    stage = Stage()

    assert await stage.reporter.report(stage.pull((9.9, PullProgress(1, 1)))) == "pulled"
    assert stage.said == []


async def test_what_has_changed_is_told_and_what_has_not_is_not():
    stage = Stage()
    await stage.reporter.report(
        stage.pull((1, PullProgress(2, 0)), (24, PullProgress(2, 1)), (20, PullProgress(2, 2)))
    )

    assert stage.said == [(10, "0 of 2 layers"), (30, "1 of 2 layers")]


async def test_a_pull_that_fails_is_told_no_more():
    stage = Stage()

    async def fail():
        await asyncio.sleep(15)
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        await stage.reporter.report(fail())
    await asyncio.sleep(100)
    assert stage.said == [(10, "waiting for other pulls of this node")]
