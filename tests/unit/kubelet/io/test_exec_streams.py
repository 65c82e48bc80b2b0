import subprocess
import sys
import time
from pathlib import Path

from minikube_py.kubelet.io.exec_streams import kill_process_tree

TREE = "import subprocess, sys, time; subprocess.Popen(['sleep', '600']); print('up', flush=True); time.sleep(600)"


def a_tree():
    process = subprocess.Popen([sys.executable, "-c", TREE], stdout=subprocess.PIPE)
    process.stdout.readline()
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return process, int(child)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_process_is_killed_with_its_children_and_only_when_it_belongs_to_the_container():
    process, child = a_tree()
    try:
        kill_process_tree(process.pid, "no-such-container")
        assert process.poll() is None
        assert is_alive(child)

        # What every process's cgroup file holds, as stand-in for a container's id in it.
        kill_process_tree(process.pid, "/")
        assert process.wait() == -9
    finally:
        process.kill()
        process.stdout.close()
    # Both got SIGKILL at once; which of them the kernel buries first is its own affair.
    while is_alive(child):
        time.sleep(0.001)


def test_a_process_that_is_gone_is_nothing_to_do():
    process = subprocess.Popen(["true"])
    process.wait()

    kill_process_tree(process.pid, "/")
