"""What systemd and `status` are told while an agent starts, and that a start can be stopped."""

import asyncio
import os
import signal
import socket

import pytest

from minikube_py.agent.errors import AgentError
from minikube_py.agent.host import this_host
from minikube_py.agent.process import Process, run_process
from minikube_py.config import collect_settings, parse_config
from minikube_py.kit.own_address import OwnAddress


class PortTakenError(Exception):
    """A room's error whose message says all."""


def a_process() -> Process:
    config = parse_config(collect_settings({}, {}, {}), host_name="n1", default_ip=OwnAddress("192.0.2.7", ""))
    return Process(config, this_host())


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """Listen where systemd would."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def test_systemd_and_the_status_say_what_a_start_waits_for(systemd):
    process = a_process()
    process.say("the server https://m1:6443: it cannot be reached")
    facts = process.status("https://m1:6443")

    assert systemd.recv(1000) == b"STATUS=waiting for the server https://m1:6443: it cannot be reached"
    assert facts["waiting_for"] == "the server https://m1:6443: it cannot be reached"
    assert (facts["node"], facts["ready"], facts["api"]) == ("n1", False, "https://m1:6443")


def test_a_signal_ends_a_start_that_is_not_up_yet_without_an_error():
    process = a_process()
    left = []

    async def start() -> None:
        process.catch_stop()
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            left.append("in order")

    run_process(start(), ())

    assert left == ["in order"]


def test_a_signal_lets_a_process_that_is_up_end_by_itself(systemd):
    process = a_process()
    left = []

    async def run() -> None:
        process.catch_stop()
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGTERM)
        await process.wait_stopping()
        left.append("told to stop")

    run_process(run(), ())

    assert left == ["told to stop"]
    assert systemd.recv(1000) == b"STOPPING=1"


@pytest.mark.parametrize("error", [AgentError("no engine"), PortTakenError("no engine")])
def test_an_error_that_explains_itself_becomes_the_commands_line_from_however_deep_it_comes(error):
    async def fail() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(_raise(error))

    with pytest.raises(AgentError, match="no engine"):
        run_process(fail(), (PortTakenError,))


def test_an_error_that_nobody_foresaw_is_shown_as_it_is():
    with pytest.raises(ZeroDivisionError):
        run_process(_raise(ZeroDivisionError()), (PortTakenError,))


async def _raise(error: Exception) -> None:
    raise error
