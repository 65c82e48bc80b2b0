"""A socket on which the kernel tells what changed: links, routes, nftables."""

import socket

SO_RCVBUFFORCE = 33
MONITOR_BUFFER_BYTES = 1 << 21
"""What comes while nobody reads; beyond it a read fails with ENOBUFS once: then look at everything."""


def open_netlink_monitor(protocol: int, groups: int) -> socket.socket:
    """Return a non-blocking netlink socket that receives the notifications of a mask of groups.

    Raises:
        OSError: it cannot be made.
    """
    monitor = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, protocol)
    try:
        monitor.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, MONITOR_BUFFER_BYTES)
        monitor.bind((0, groups))
    except BaseException:
        monitor.close()
        raise
    return monitor
