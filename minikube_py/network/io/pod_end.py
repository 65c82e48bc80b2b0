"""A pod's end of its link, in the pod's own network namespace.

It is asked for by ioctl and set up by one batch: pyroute2 would need a netlink socket and a parser of its own in each
namespace, 5 ms for each pod that runs while a node starts. This takes some 50 µs.
"""

import errno
import fcntl
import os
import socket
import struct
from dataclasses import dataclass

from minikube_py.kit.io.netns import open_socket_in
from minikube_py.network.links import POD_END
from minikube_py.network.pod_end_batch import MESSAGES, encode_pod_end, read_answers

_SIOCGIFADDR = 0x8915
_SIOCGIFINDEX = 0x8933
_REQUEST = struct.Struct("16s24x")
"""struct ifreq: the link's name, then what the kernel answers."""
_INDEX = struct.Struct("16xi20x")
_ADDRESS = struct.Struct("20x4s16x")
"""The address within a struct sockaddr_in."""
_ANSWER_S_MAX = 10.0
_ANSWER_BYTES_MAX = 1 << 14


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


def set_up_pod_end(netns: int, address: str, gateway: str) -> None:
    """Give the end in the namespace of a descriptor its address and routes; for worker threads.

    Raises:
        OSError: there is none, or the kernel refused.
    """
    with open_socket_in(netns, socket.AF_INET, socket.SOCK_DGRAM) as asked:
        index = _index(asked)
    with open_socket_in(netns, socket.AF_NETLINK, socket.SOCK_RAW) as kernel:
        kernel.settimeout(_ANSWER_S_MAX)
        kernel.send(encode_pod_end(index, address, gateway))
        answers: tuple[int, ...] = ()
        while len(answers) < MESSAGES:
            answers += read_answers(kernel.recv(_ANSWER_BYTES_MAX))
    refused = next(filter(None, answers), 0)
    if refused:
        raise OSError(refused, f"the pod's end of the link cannot be set up: {os.strerror(refused)}")


def _index(asked: socket.socket) -> int:
    (index,) = _INDEX.unpack(_ask(asked, _SIOCGIFINDEX))
    return int(index)


def _ask(asked: socket.socket, question: int) -> bytes:
    return fcntl.ioctl(asked, question, _REQUEST.pack(POD_END.encode()))
