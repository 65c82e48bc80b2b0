"""Sockets in another network namespace: made there, used from here.

A socket stays in the namespace in which it was made, so a thread enters it for the one call and comes back; nothing
of the event loop's own thread changes. Callers run this in a worker thread.
"""

import ctypes
import os
import socket

CLONE_NEWNET = 0x40000000


def open_socket_in(netns: int, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """Return a new socket that lives in the network namespace of the descriptor `netns`.

    Raises:
        OSError: the namespace cannot be entered, or the socket not be made.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(netns, CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"cannot enter the network namespace: {os.strerror(number)}")
        try:
            return socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol)
        finally:
            # A thread that cannot come home must not serve anybody else: assert ends the agent.
            assert libc.setns(home, CLONE_NEWNET) == 0, "cannot return to the host's network namespace"
    finally:
        os.close(home)


def open_socket_of_process(pid: int, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """As open_socket_in, for the network namespace of process `pid`; OSError when it is gone."""
    netns = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return open_socket_in(netns, family, kind, protocol)
    finally:
        os.close(netns)
