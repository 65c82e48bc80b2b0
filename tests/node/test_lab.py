"""`scripts/lab` as a person types it: a host up, looked into, killed, frozen, rebooted, and gone."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.lab.machine import in_host, run, wait_until

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

LAB = Path(__file__).parents[2] / "scripts/lab"


def test_a_lab_does_what_its_commands_say():
    folder = Path(tempfile.mkdtemp(prefix="mkpylab", dir="/run"))

    def lab(*argv, check=True):
        done = subprocess.run(
            [LAB, *argv[:1], "--dir", folder, *argv[1:]] if argv[0] != "exec" else [LAB, "--dir", folder, *argv],
            capture_output=True,
            text=True,
            timeout=150,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def agent_runs():
        return json.loads(lab("status").stdout)["lab1"]["agent"]

    def ready():
        return (
            "ok" in lab("exec", "lab1", "curl", "-sk", "-m", "3", "https://127.0.0.1:6443/readyz", check=False).stdout
        )

    try:
        assert lab("up").stdout == f"export KUBECONFIG={folder}/kubeconfig.yaml\n"
        assert (folder / "lab1/agent.log").exists()
        assert ready()
        assert "already" in lab("up", check=False).stderr
        lab("pause", "lab1")
        assert not ready()
        lab("resume", "lab1")
        assert ready()
        lab("kill", "lab1")
        assert not agent_runs()
        lab("start", "lab1")
        lab("reboot", "lab1")
        assert ready()
        lab("stop", "lab1")
        assert not agent_runs()
        unknown = lab("start", "lab9", check=False)
        assert unknown.returncode == 1
        assert "no host 'lab9'" in unknown.stderr
    finally:
        lab("down")
    assert not folder.exists()
    assert lab("status", check=False).returncode == 1


RECEIVE = """
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 5005))
server.settimeout(0.5)
print("ready", flush=True)
sys.stdin.readline()
try:
    print(server.recv(9).decode())
except TimeoutError:
    print("nothing")
"""
SEND = """
import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"something", (sys.argv[1], 5005))
"""


def arrives(sender, receiver):
    """Return whether a datagram gets from one host to another: there is nothing that must come back."""
    argv = in_host(receiver, [sys.executable, "-c", RECEIVE])
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout.readline() == "ready\n"
        run(in_host(sender, [sys.executable, "-c", SEND, receiver.address]))
        # The receiver's patience begins when the datagram is on its way, however slowly Python starts.
        return server.communicate("sent\n")[0] == "something\n"


@pytest.mark.parametrize(
    ("routed", "neighbours"), [(False, 0), (True, 0), (True, 2)], ids=["bridge", "router", "both"]
)
def test_links_are_cut_one_way_or_both_and_mended(routed, neighbours):
    lab = Lab(Path(tempfile.mkdtemp(prefix="mkpylab", dir="/run")), 3, routed=routed, neighbours=neighbours)
    try:
        lab.make_hosts()
        one, two, three = lab.layout.hosts
        assert arrives(one, two)
        lab.cut(one, two)
        assert not arrives(one, two)
        assert arrives(two, one)
        assert arrives(one, three)
        lab.partition(one, three)
        assert not arrives(one, three)
        assert not arrives(three, one)
        assert arrives(three, two)
        # A host that was away is on the same link, and what is cut stays cut.
        lab.power_off(two)
        assert not lab.status()["lab2"]["dockerd"]
        lab.power_on(two, wait=False)
        assert not arrives(one, two)
        lab.heal()
        # Who asked for a neighbour's address in vain asks again a second later.
        for pair in ((one, two), (one, three), (three, one)):
            wait_until(lambda pair=pair: arrives(*pair), 60, f"{pair[0].name} reaches {pair[1].name}")
    finally:
        lab.down()


def test_down_takes_everything_of_a_lab_away():
    def seen():
        return run(["ip", "netns"]).stdout, run(["ip", "-br", "link"]).stdout

    lab = Lab(Path(tempfile.mkdtemp(prefix="mkpylab", dir="/run")), 2, routed=True)
    try:
        lab.make_hosts()
        names = {lab.layout.netns, *(host.netns for host in lab.layout.hosts)}
        engines = [pid for name, pid in lab.pids.items() if name.endswith("dockerd")]
        assert all(name in seen()[0] for name in names)
    finally:
        lab.down()
    assert not any(name in seen()[0] for name in names)
    assert lab.layout.uplink not in seen()[1]
    assert not any(Path(f"/proc/{pid}").exists() for pid in engines)
    assert str(lab.layout.dir) not in Path("/proc/self/mountinfo").read_text()
