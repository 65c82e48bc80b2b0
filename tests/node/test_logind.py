"""The kubelet's graceful shutdown against a logind that behaves, on a D-Bus daemon of the test's own."""

import asyncio

import pytest

from minikube_py.kubelet.io.dbus import DBusError
from minikube_py.kubelet.io.logind import open_logind
from minikube_py.testing.fake_logind import FakeLogind, private_bus

pytestmark = pytest.mark.node


@pytest.fixture
def bus(tmp_path):
    with private_bus(tmp_path) as socket:
        yield socket


async def eventually(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_lock_holds_the_shutdown_up_until_it_is_let_go(bus, tmp_path):
    config = tmp_path / "logind.conf.d" / "99-minikube-py.conf"
    with FakeLogind(bus, config) as host:
        async with open_logind(str(bus), config) as logind:
            assert await logind.lengthen_delay(3.0) == 5.0
            assert not config.exists(), "logind's own delay is long enough"
            assert await logind.lengthen_delay(30.0) == 30.0
            assert config.read_text() == "[Login]\nInhibitDelayMaxSec=30\n"
            lock = await logind.inhibit()
            assert host.reasons == [("shutdown", "minikube-py", "Kubernetes needs time to end the pods", "delay")]
            assert host.is_held()
            shutdowns = logind.shutdowns()
            async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                first = group.create_task(anext(shutdowns))
                while not first.done():  # it is not told before the bus knows that somebody listens
                    host.announce(begins=True)
                    await asyncio.sleep(0.05)
            assert first.result() is True
            host.announce(begins=False)
            async with asyncio.timeout(60):
                while await anext(shutdowns):
                    pass
            logind.release(lock)
            await eventually(lambda: not host.is_held())


async def test_without_a_bus_or_without_logind_the_reason_is_told(bus, tmp_path):
    with pytest.raises(DBusError, match="No such file"):
        async with open_logind(str(tmp_path / "none")):
            pass
    with pytest.raises(DBusError, match="ServiceUnknown"):
        async with open_logind(str(bus), tmp_path / "conf") as logind:
            await logind.inhibit()
