"""Connections whose other end is gone without a word (a host without power, a cut cable): the kernel gives them up.

Without this a connection on which nothing is sent stays for ever, and one with something unsent for a quarter of an
hour. Upstream: the health check of HTTP/2 (30 s, and 15 s for the answer); Go's listeners probe after 15 s.
"""

import socket
from typing import Any

DEAD_PEER_S = 30
"""A connection whose other end answers nothing for so long, not even empty probes, is over."""
_PROBE_S, _PROBES = 5, 3


def give_up_dead_peers(opened: socket.socket) -> None:
    """Let the kernel end a connection whose other end is gone; connections that a listener accepts inherit it."""
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, DEAD_PEER_S - _PROBE_S * _PROBES)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_S)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_S * 1000)


def open_socket(address: tuple[int, int, int, str, Any]) -> socket.socket:
    """Return a socket for an address as getaddrinfo gives it, on which a dead peer is given up."""
    family, kind, protocol, _, _ = address
    opened = socket.socket(family, kind, protocol)
    give_up_dead_peers(opened)
    return opened
