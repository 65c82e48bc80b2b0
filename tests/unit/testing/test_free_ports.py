import socket

import pytest

from minikube_py.testing import free_ports as module
from minikube_py.testing.free_ports import free_ports


def test_ports_differ_and_no_client_is_given_one():
    found = free_ports(100)

    assert len(set(found)) == 100
    assert all(module.FIRST <= port < module.FIRST_GIVEN for port in found)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
def test_a_port_that_somebody_has_is_passed_over(monkeypatch, kind):
    (port,) = free_ports(1)
    monkeypatch.setattr(module, "FIRST", port)
    monkeypatch.setattr(module, "FIRST_GIVEN", port + 1)
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", port))
        with pytest.raises(OSError, match="0 of 1 ports are free"):
            free_ports(1)
    assert free_ports(1) == [port]
