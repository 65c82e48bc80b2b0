"""Telling systemd how the service fares (sd_notify(3)): READY, STATUS, STOPPING, WATCHDOG."""

import os
import socket


class SdNotify:
    """Sends states to the socket that systemd gave us; does nothing when there is none."""

    def __init__(self, address: str | None = None) -> None:
        given = os.environ.get("NOTIFY_SOCKET", "") if address is None else address
        self._address = "\0" + given[1:] if given.startswith("@") else given

    def send(self, *states: str) -> None:
        """Send states such as `READY=1` in one message."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as client:
            client.connect(self._address)
            client.sendall("\n".join(states).encode())


def watchdog_interval_s() -> float:
    """Return how often WATCHDOG=1 is due (half of what systemd allows), 0 when it does not watch."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    return int(os.environ.get("WATCHDOG_USEC", "0")) / 2e6
