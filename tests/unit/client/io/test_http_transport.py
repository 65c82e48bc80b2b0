"""A connection to a host that died is not waited for."""

import socket

from minikube_py.client.io.http_transport import DEAD_PEER_S, open_socket


def test_the_kernel_gives_a_silent_peer_up_in_time():
    with open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))) as opened:

        def option(name: int) -> int:
            return opened.getsockopt(socket.IPPROTO_TCP, name)

        idle_s = option(socket.TCP_KEEPIDLE) + option(socket.TCP_KEEPINTVL) * option(socket.TCP_KEEPCNT)
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert idle_s == DEAD_PEER_S
        assert option(socket.TCP_USER_TIMEOUT) == DEAD_PEER_S * 1000
