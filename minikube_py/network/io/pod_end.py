"""A pod's end of its link, as the pod's own network namespace shows it.

Asked by ioctl: pyroute2 would need a netlink socket and a parser of its own in each namespace, 5 ms for each pod that
runs while a node starts. This takes some 50 µs.
"""

import errno
import fcntl
import os
import socket
import struct
from dataclasses import dataclass

from minikube_py.kit.io.netns import open_socket_in
from minikube_py.network.links import POD_END

_SIOCGIFADDR = 0x8915
_SIOCGIFINDEX = 0x8933
_REQUEST = struct.Struct("16s24x")
"""struct ifreq: the link's name, then what the kernel answers."""
_INDEX = struct.Struct("16xi20x")
_ADDRESS = struct.Struct("20x4s16x")
"""The address within a struct sockaddr_in."""


@dataclass(frozen=True, slots=True)
class PodEnd:
    """What identifies it."""

    index: int
    address: str


def read_pod_end(pid: int) -> PodEnd | None:
    """Return the end that is in the network namespace of process `pid`; None when there is none, or no process.

    For worker threads: the thread enters the namespace for a moment.

    Raises:
        OSError: the kernel refused.
    """
    try:
        netns = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        with open_socket_in(netns, socket.AF_INET, socket.SOCK_DGRAM) as asked:
            index = _index(asked)
            (address,) = _ADDRESS.unpack(_ask(asked, _SIOCGIFADDR))
    except OSError as error:
        if error.errno in (errno.ENODEV, errno.EADDRNOTAVAIL):
            return None
        raise
    finally:
        os.close(netns)
    return PodEnd(index, socket.inet_ntoa(address))


def pod_end_index(netns: int) -> int:
    """Return the index of the end in the namespace of a descriptor; for worker threads.

    Raises:
        OSError: there is none.
    """
    with open_socket_in(netns, socket.AF_INET, socket.SOCK_DGRAM) as asked:
        return _index(asked)


def _index(asked: socket.socket) -> int:
    (index,) = _INDEX.unpack(_ask(asked, _SIOCGIFINDEX))
    return int(index)


def _ask(asked: socket.socket, question: int) -> bytes:
    return fcntl.ioctl(asked, question, _REQUEST.pack(POD_END.encode()))
