import socket

from minikube_py.kit.io.sd_notify import SdNotify, watchdog_interval_s


def test_states_arrive_as_one_message(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "notify"))

        SdNotify(str(tmp_path / "notify")).send("READY=1", "STATUS=up")

        assert server.recv(100) == b"READY=1\nSTATUS=up"


def test_without_systemd_nothing_is_sent():
    SdNotify("").send("READY=1")


def test_the_watchdog_is_fed_twice_as_often_as_asked(monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    assert watchdog_interval_s() == 10
    monkeypatch.delenv("WATCHDOG_USEC")
    assert watchdog_interval_s() == 0
