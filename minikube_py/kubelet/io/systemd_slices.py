"""Makes slices, sets their properties and takes them away, through systemd's D-Bus interface (ports.Slices).

Upstream: opencontainers/cgroups systemd common.go (startUnit, stopUnit, setUnitProperties).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from minikube_py.kubelet.slice_properties import SliceProperty

if TYPE_CHECKING:
    from minikube_py.kubelet.io.dbus import DBusConnection

START_WAIT_S = 10.0
"""How long a slice may take to be active; it takes a millisecond."""
_POLL_S = 0.01
_NAME, _PATH = "org.freedesktop.systemd1", "/org/freedesktop/systemd1"
_UNIT_EXISTS = "org.freedesktop.systemd1.UnitExists"
_NO_SUCH_UNIT = "org.freedesktop.systemd1.NoSuchUnit"


class SystemdSlices:
    """This host's systemd; connects for each call, since slices come and go seldom and systemd may be restarted."""

    def __init__(self, socket: str = "") -> None:
        """`socket`: the bus; empty is the system's."""
        self._socket = socket

    async def apply(self, name: str, properties: Sequence[SliceProperty]) -> None:
        """Make a slice with these properties, or give them to the one that is there.

        Raises:
            OSError: there is no systemd, or it refuses; the message says what.
        """
        from minikube_py.kubelet.io.dbus import DBusError  # noqa: PLC0415 - see `_manager`

        wanted = [(p.name, (p.signature, p.value)) for p in properties]
        about = [("Description", ("s", f"Kubernetes: {name}")), ("DefaultDependencies", ("b", False))]
        async with self._manager() as manager:
            try:
                await manager.call("StartTransientUnit", "ssa(sv)a(sa(sv))", (name, "replace", [*about, *wanted], []))
            except DBusError as error:
                if error.name != _UNIT_EXISTS:
                    raise
                await manager.call("SetUnitProperties", "sba(sv)", (name, True, wanted))
                return
            await manager.wait_active(name)

    async def stop(self, name: str) -> None:
        """Stop a slice with all that is in it; fine when it is not there. What is left a moment later is dying.

        Raises:
            OSError: there is no systemd, or it refuses.
        """
        from minikube_py.kubelet.io.dbus import DBusError  # noqa: PLC0415 - see `_manager`

        async with self._manager() as manager:
            try:
                await manager.call("StopUnit", "ss", (name, "replace"))
            except DBusError as error:
                if error.name != _NO_SUCH_UNIT:
                    raise

    @asynccontextmanager
    async def _manager(self) -> AsyncIterator["_Manager"]:
        # Only a host with the systemd driver pays for the D-Bus library.
        from minikube_py.kubelet.io.dbus import bus_path, open_bus  # noqa: PLC0415

        async with open_bus(self._socket or bus_path()) as bus:
            yield _Manager(bus)


class _Manager:
    """systemd's manager object on an open bus."""

    def __init__(self, bus: "DBusConnection") -> None:
        self._bus = bus

    async def call(self, method: str, signature: str, body: Sequence[object]) -> Any:
        """Call one of its methods."""
        return await self._call(_PATH, "org.freedesktop.systemd1.Manager", method, signature, body)

    async def _call(self, path: str, interface: str, method: str, signature: str, body: Sequence[object]) -> Any:
        from jeepney import DBusAddress  # noqa: PLC0415

        return await self._bus.call(DBusAddress(path, _NAME, interface), method, signature, body)

    async def wait_active(self, name: str) -> None:
        """Wait until a unit that was started is active.

        Raises:
            TimeoutError: it is not in time (an OSError).
        """
        (path,) = await self.call("LoadUnit", "s", (name,))
        asked = ("org.freedesktop.systemd1.Unit", "ActiveState")
        async with asyncio.timeout(START_WAIT_S):
            while True:
                ((_, state),) = await self._call(str(path), "org.freedesktop.DBus.Properties", "Get", "ss", asked)
                if state == "active":
                    return
                await asyncio.sleep(_POLL_S)
