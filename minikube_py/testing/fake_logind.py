"""logind on a D-Bus of the test's own: hands out locks, takes its delay from its file, announces shutdowns.

`FakeLogind` answers on a real bus (`private_bus`), in a thread, with jeepney's blocking connection.
"""

import os
import re
import select
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jeepney import (
    DBusAddress,
    FileDescriptor,
    HeaderFields,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.io.blocking import open_dbus_connection

_BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/>
  </policy>
</busconfig>
"""
_MANAGER = DBusAddress("/org/freedesktop/login1", interface="org.freedesktop.login1.Manager")


@contextmanager
def private_bus(folder: Path) -> Iterator[Path]:
    """Run a D-Bus daemon while the context lasts; gives its socket."""
    socket, config = folder / "bus", folder / "bus.conf"
    config.write_text(_BUS_CONFIG.format(socket=socket))
    argv = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as daemon:
        try:
            assert daemon.stdout is not None
            daemon.stdout.readline()  # written when it listens
            yield socket
        finally:
            daemon.terminate()


class FakeLogind:
    """One login manager; use it as a context."""

    def __init__(self, bus: Path, config_file: Path) -> None:
        self._connection = open_dbus_connection(f"unix:path={bus}", enable_fds=True)
        self._config_file = config_file
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._stop, self._stopper = os.pipe()
        self._locks: list[int] = []
        self.delay_us = 5_000_000
        self.reasons: list[tuple[str, ...]] = []

    def __enter__(self) -> "FakeLogind":
        """Take the names and answer."""
        for name in ("org.freedesktop.login1", "org.freedesktop.systemd1"):
            self._connection.send_and_get_reply(message_bus.RequestName(name))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Go away."""
        os.write(self._stopper, b"x")
        self._thread.join(5)
        self._connection.close()
        for descriptor in (self._stop, self._stopper, *self._locks):
            os.close(descriptor)

    def announce(self, *, begins: bool) -> None:
        """Say that a shutdown begins, or was called off."""
        self._connection.send(new_signal(_MANAGER, "PrepareForShutdown", "b", (begins,)))

    def is_held(self) -> bool:
        """Return whether anybody holds a lock."""
        return any(not select.select([lock], [], [], 0)[0] for lock in self._locks)

    def _serve(self) -> None:
        while not select.select([self._stop, self._connection.sock], [], [])[0].count(self._stop):
            message = self._connection.receive(timeout=1)
            if message.header.message_type is MessageType.method_call:
                self._connection.send(self._answer(message))

    def _answer(self, message: Any) -> Any:
        method = message.header.fields[HeaderFields.member]
        if method == "Get" and message.body[1] == "InhibitDelayMaxUSec":
            return new_method_return(message, "v", (("t", self.delay_us),))
        if method == "KillUnit":
            found = re.search(r"InhibitDelayMaxSec=(\d+)", self._config_file.read_text())
            self.delay_us = int(found[1]) * 1_000_000 if found else self.delay_us
            return new_method_return(message)
        if method == "Inhibit":
            self.reasons.append(message.body)
            mine, theirs = os.pipe()
            self._locks.append(mine)
            return new_method_return(message, "h", (FileDescriptor(theirs),))
        return new_error(message, "org.freedesktop.DBus.Error.UnknownMethod")
