"""A shutdown of the host on a kubelet in virtual time, with an inhibitor that behaves."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from minikube_py.api.resources import NODES, PODS
from minikube_py.testing.fake_runtime import Program
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime


class Host:
    """Who holds up shutdowns: remembers its locks, announces what the test says."""

    def __init__(self, delay_s=60.0):
        self.delay_s = delay_s
        self.given = 0
        self.held = set()
        self.announced = asyncio.Queue(8)
        self.away = False

    @asynccontextmanager
    async def open(self):
        if self.away:
            raise FileNotFoundError(2, "No such file or directory", "/run/dbus/system_bus_socket")
        yield self

    async def lengthen_delay(self, grace_s):
        return self.delay_s

    async def inhibit(self):
        self.given += 1
        self.held.add(self.given)
        return self.given

    def release(self, lock):
        self.held.remove(lock)

    async def shutdowns(self):
        while True:
            yield await self.announced.get()


def a_lab(host, grace_s=30.0, critical_s=10.0):
    lab = a_kubelet_lab()
    lab.config = replace(lab.config, shutdown_grace_period_s=grace_s, shutdown_grace_period_critical_s=critical_s)
    lab.open_inhibitor = host.open
    return lab


async def running(lab, *pods):
    for pod in pods:
        await lab.client.create(PODS, pod)
    names = [pod["metadata"]["name"] for pod in pods]
    await lab.eventually(lambda: all(lab.phase(name) == "Running" for name in names), 5.0)


def ready_of(lab):
    (node,) = lab.client.objects(NODES)
    return next(c for c in node["status"]["conditions"] if c["type"] == "Ready")


async def test_pods_end_before_the_shutdown_goes_on_and_critical_ones_last():
    host = Host()
    lab = a_lab(host)
    async with lab.started():
        await running(lab, a_pod("web"), a_pod("dns", priority=2_000_000_000))
        await lab.eventually(lambda: bool(host.held), 1.0)
        host.announced.put_nowait(True)
        await lab.eventually(lambda: lab.phase("web") == "Failed" and lab.phase("dns") == "Failed", 40.0)
        await lab.eventually(lambda: not host.held, 5.0)

        status = await lab.status("web")
        assert (status["reason"], status["message"]) == (
            "Terminated",
            "Pod was terminated in response to imminent node shutdown.",
        )
        target = next(c for c in status["conditions"] if c["type"] == "DisruptionTarget")
        assert (target["status"], target["reason"]) == ("True", "TerminationByKubelet")
        ready = ready_of(lab)
        assert (ready["status"], ready["reason"], ready["message"]) == (
            "False",
            "KubeletNotReady",
            "node is shutting down",
        )
        stops = [line for line in lab.runtime.journal if line.startswith("stop sandbox")]
        assert stops == ["stop sandbox web/0", "stop sandbox dns/0"]


async def test_who_does_not_end_in_time_does_not_hold_the_shutdown_up_any_longer():
    host = Host(delay_s=8.0)
    lab = a_lab(host)
    lab.runtime.programs["c"] = Program(term_after_s=None)
    async with lab.started():
        await running(lab, a_pod("slow", terminationGracePeriodSeconds=600))
        await lab.eventually(lambda: bool(host.held), 1.0)
        began_s = lab.clock.now_s()
        host.announced.put_nowait(True)
        await lab.eventually(lambda: not host.held, 20.0)
        assert lab.clock.now_s() - began_s <= 9.0, "logind waits 8 s, whatever we asked for"


async def test_a_pod_that_comes_meanwhile_is_refused_and_one_after_a_call_off_is_not():
    host = Host()
    lab = a_lab(host)
    async with lab.started():
        await lab.eventually(lambda: bool(host.held), 1.0)
        host.announced.put_nowait(True)
        await lab.eventually(lambda: not host.held, 5.0)
        await lab.client.create(PODS, a_pod("late"))
        await lab.eventually(lambda: lab.phase("late") == "Failed", 5.0)
        status = await lab.status("late")
        assert (status["reason"], status["message"]) == (
            "NodeShutdown",
            "Pod was rejected as the node is shutting down.",
        )
        host.announced.put_nowait(False)
        await lab.eventually(lambda: bool(host.held), 5.0)
        await lab.eventually(lambda: ready_of(lab)["status"] == "True", 15.0)
        await running(lab, a_pod("next"))


async def test_a_stop_of_the_agent_alone_ends_no_pod():
    host = Host()
    lab = a_lab(host)
    async with lab.started():
        await running(lab, a_pod("web"))
        await lab.eventually(lambda: bool(host.held), 1.0)
    assert not host.held
    assert lab.phase("web") == "Running"
    assert not any(line.startswith(("stop", "term", "kill")) for line in lab.runtime.journal)


async def test_without_logind_it_is_said_once_and_tried_again(caplog):
    host = Host()
    host.away = True
    lab = a_lab(host)
    async with lab.started():
        await running(lab, a_pod("web"))
        await asyncio.sleep(20)
        said = [r.message for r in caplog.records if "not held up" in r.message]
        assert len(said) == 1
        host.away = False
        await lab.eventually(lambda: bool(host.held), 10.0)


async def test_nothing_is_held_up_unless_a_grace_period_is_set():
    host = Host()
    lab = a_lab(host, grace_s=0.0)
    async with lab.started():
        await asyncio.sleep(10)
        assert host.given == 0
