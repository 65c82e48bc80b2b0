"""logind: holds a shutdown of the host up until the pods have ended, and says when one begins.

A delay lock is a file descriptor: the host shuts down when it is closed, or after InhibitDelayMaxSec at the latest.
When that is shorter than our grace period a file of ours lengthens it. Upstream: kubelet/nodeshutdown/systemd.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from jeepney import DBusAddress, HeaderFields, MatchRule

from minikube_py.kit.io.files import write_atomic
from minikube_py.kubelet.io.dbus import DBusConnection, open_bus
from minikube_py.kubelet.shutdown import delay_override

CONFIG_FILE = Path("/etc/systemd/logind.conf.d/99-minikube-py.conf")
RELOAD_WAIT_S = 2.0
"""How long logind has to take its file up."""
_LOGIN = DBusAddress("/org/freedesktop/login1", "org.freedesktop.login1", "org.freedesktop.login1.Manager")
_PROPERTIES = DBusAddress("/org/freedesktop/login1", "org.freedesktop.login1", "org.freedesktop.DBus.Properties")
_SYSTEMD = DBusAddress("/org/freedesktop/systemd1", "org.freedesktop.systemd1", "org.freedesktop.systemd1.Manager")


class Logind:
    """The login manager, as far as shutdowns are concerned."""

    def __init__(self, bus: DBusConnection, config_file: Path = CONFIG_FILE) -> None:
        self._bus = bus
        self._config_file = config_file

    async def lengthen_delay(self, grace_s: float) -> float:
        """Let logind wait at least `grace_s` for locks, and return how long it waits.

        Raises:
            DBusError: it does not answer.
            OSError: its file cannot be written.
        """
        delay_s = await self._delay_s()
        if delay_s >= grace_s:
            return delay_s
        self._config_file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self._config_file, delay_override(grace_s).encode(), 0o644)
        await self._bus.call(_SYSTEMD, "KillUnit", "ssi", ("systemd-logind.service", "all", int(signal.SIGHUP)))
        deadline = asyncio.get_running_loop().time() + RELOAD_WAIT_S
        while delay_s < grace_s and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
            delay_s = await self._delay_s()
        return delay_s

    async def _delay_s(self) -> float:
        asked = ("org.freedesktop.login1.Manager", "InhibitDelayMaxUSec")
        ((_, microseconds),) = await self._bus.call(_PROPERTIES, "Get", "ss", asked)
        return float(microseconds) / 1e6

    async def inhibit(self) -> int:
        """Return a lock that holds up a shutdown until this file descriptor is closed.

        Raises:
            DBusError: logind gives none.
        """
        why = ("shutdown", "minikube-py", "Kubernetes needs time to end the pods", "delay")
        (lock,) = await self._bus.call(_LOGIN, "Inhibit", "ssss", why)
        return int(lock.to_raw_fd())

    def release(self, lock: int) -> None:
        """Let the shutdown go on."""
        os.close(lock)

    async def shutdowns(self) -> AsyncIterator[bool]:
        """Yield True when a shutdown begins, False when it was called off; ends with the connection.

        Raises:
            DBusError: the bus does not answer.
        """
        rule = MatchRule(
            type="signal", interface=_LOGIN.interface, member="PrepareForShutdown", path=_LOGIN.object_path
        )
        await self._bus.follow(rule)
        async for message in self._bus.signals():
            if message.header.fields.get(HeaderFields.member) == "PrepareForShutdown":
                yield bool(message.body[0])


@asynccontextmanager
async def open_logind(bus_path: str, config_file: Path = CONFIG_FILE) -> AsyncIterator[Logind]:
    """Connect to logind while the context lasts.

    Raises:
        DBusError: there is no bus.
    """
    async with open_bus(bus_path) as bus:
        yield Logind(bus, config_file)
