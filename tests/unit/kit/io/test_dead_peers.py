"""A connection to a host that died is not waited for."""

import socket

import pytest

from minikube_py.kit.io.dead_peers import DEAD_PEER_S, give_up_dead_peers, open_socket


@pytest.mark.parametrize("accepted", [False, True], ids=["dialled", "accepted"])
def test_the_kernel_gives_a_silent_peer_up_in_time(accepted):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        give_up_dead_peers(listener)
        with open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", None)) as dialled:
            dialled.connect(listener.getsockname())
            answered, _ = listener.accept()
            with answered:
                seen = answered if accepted else dialled

                def option(name: int) -> int:
                    return seen.getsockopt(socket.IPPROTO_TCP, name)

                idle_s = option(socket.TCP_KEEPIDLE) + option(socket.TCP_KEEPINTVL) * option(socket.TCP_KEEPCNT)
                assert seen.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert idle_s == DEAD_PEER_S
                assert option(socket.TCP_USER_TIMEOUT) == DEAD_PEER_S * 1000
