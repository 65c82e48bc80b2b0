"""Ports for servers that cannot be told to take any: free ones, that stay free until the server has them.

The kernel gives outgoing connections their ports from FIRST_GIVEN on (net.ipv4.ip_local_port_range), so what is
free there at one moment is a client's at the next. Below it only servers take ports; they are looked through from a
random place, for others look too.
"""

import secrets
import socket
from contextlib import ExitStack

FIRST, FIRST_GIVEN = 10_000, 30_000


def free_ports(count: int) -> list[int]:
    """Return ports that nobody uses, neither of TCP nor of UDP.

    Raises:
        OSError: there are not so many.
    """
    start = secrets.randbelow(FIRST_GIVEN - FIRST)
    found: list[int] = []
    for offset in range(FIRST_GIVEN - FIRST):
        port = FIRST + (start + offset) % (FIRST_GIVEN - FIRST)
        if _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"{len(found)} of {count} ports are free")


def _is_free(port: int) -> bool:
    with ExitStack() as stack:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("", port))
            except OSError:
                return False
    return True
