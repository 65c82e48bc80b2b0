import json
import socket
import threading

import pytest

from minikube_py.testing.lab.machine import LabError
from minikube_py.testing.vm.command_port import CommandPort


@pytest.fixture
def answering(tmp_path):
    """Return what makes a port whose other end answers the first request with these lines, and then ends."""
    path = tmp_path / "port"
    threads = []

    def make(*answers):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()

        def serve():
            with listener, listener.accept()[0] as end:
                end.recv(1 << 16)
                end.sendall(b"".join(json.dumps(answer).encode() + b"\n" for answer in answers))

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        port = CommandPort(path)
        assert port.connect_nowait()
        return port

    yield make
    for thread in threads:
        thread.join()


def an_answer(number, code, said=""):
    return {"id": number, "returncode": code, "stdout": said, "stderr": ""}


def test_the_answer_is_that_of_the_request_not_one_that_nobody_waited_for(answering):
    port = answering(an_answer(0, 9), an_answer(1, 3, "yes"))
    done = port.run(["true"], 5)
    port.close()

    assert (done.returncode, done.stdout) == (3, "yes")


def test_a_program_that_did_not_end_in_time_is_named(answering):
    port = answering(an_answer(1, None))
    with pytest.raises(LabError, match="sleep 9 did not end"):
        port.run(["sleep", "9"], 5)
    port.close()


def test_a_machine_that_ends_is_told_of(answering):
    port = answering()
    with pytest.raises(LabError, match="ended"):
        port.run(["true"], 5)
    port.close()


def test_nobody_listens_where_no_machine_is(tmp_path):
    port = CommandPort(tmp_path / "port")

    assert not port.connect_nowait()
    port.close()
