"""`install`, `upgrade` and `uninstall` on a host whose init is systemd, with real Docker, kernel and units.

The program is a script that stands for the one file: it says where it is, and starts the Python of these tests.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from minikube_py.testing.images import busybox_archive
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import IMAGE
from minikube_py.testing.lab.lab import FEW_EVICTIONS
from minikube_py.testing.lab.systemd_host import SHARED, SystemdHost, systemd_hosts

pytestmark = pytest.mark.node

ROOT = Path(__file__).parents[2]
UNIT = "minikube-py-server.service"
INSTALLED = "/usr/local/bin/minikube-py"
SLEEP = "trap 'exit 0' TERM; sleep 1000 & wait"
PROGRAM = """#!/bin/sh
# {mark}
export MINIKUBE_PY_FILE="$(readlink -f "$0")" PYTHONPATH={root}
{before}
exec {python} -m minikube_py "$@"
"""


class Host(SystemdHost):
    """The host, and what the tests ask of it."""

    def program(self, name, *, before=""):
        """Put a program on the host and return its path there."""
        path = self.shared / name
        path.write_text(PROGRAM.format(mark=name, root=ROOT, python=sys.executable, before=before))
        path.chmod(0o755)
        return f"{SHARED}/{name}"

    def main_pid(self):
        return int(self.run("systemctl", "show", "-p", "MainPID", UNIT).stdout.partition("=")[2])

    def status(self):
        return json.loads(self.run(INSTALLED, "status", "-o", "json", "--wait=60").stdout)

    def run_pod(self):
        """Run a pod (again) and return its container's id."""
        image = self.shared / "image.tar"
        image.write_bytes(busybox_archive(Path(shutil.which("busybox")).read_bytes(), (IMAGE,)))
        self.run(INSTALLED, "image", "import", f"{SHARED}/image.tar")
        manifest = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "runs"},
            "spec": {"containers": [{"name": "c", "image": IMAGE, "command": ["sh", "-c", SLEEP]}]},
        }
        self.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
        self.kubectl("wait", "--for=condition=Ready", "pod/runs", "--timeout=60s")
        return self.running_pod()

    def running_pod(self):
        return self.run("docker", "ps", "-q", "--no-trunc", "--filter=name=k8s_c_runs").stdout.strip()

    def kubectl(self, *words, stdin=None):
        return self.run("kubectl", "--kubeconfig=/etc/minikube-py/kubeconfig.yaml", *words, stdin=stdin)

    def links(self):
        return sorted(self.run("ls", "/sys/class/net").stdout.split())

    def cgroups(self, name):
        return self.run("find", "/sys/fs/cgroup", "-type", "d", "-name", name).stdout.split()

    def files(self):
        """Every file that was written but those of Docker, systemd and Python itself."""
        others = ("/var/lib/docker", "/var/lib/containerd", "/var/lib/systemd", "/etc/docker", "/var/cache", "/root")
        return {n for n in self.written_files() if not n.startswith(others) and "__pycache__" not in n}


@pytest.fixture(scope="module")
def host():
    with systemd_hosts(Path(tempfile.mkdtemp(prefix="mkpyi", dir="/run")), 1, Host) as (booted,):
        yield booted


@pytest.fixture
def installed(host):
    """The host with the first program as its server; it stays for the next test."""
    program = host.program("minikube-py")
    host.run(program, "install", FEW_EVICTIONS, timeout_s=240)
    return host


def test_a_dry_run_says_what_would_be_done_and_does_nothing(host):
    before = host.files()
    said = host.run(host.program("minikube-py"), "install", "--node-name=n1", "--dry-run").stdout
    assert f"{INSTALLED} would be created" in said
    assert f"{UNIT} would be enabled and started" in said
    assert host.files() == before


def test_uninstall_asks_first(installed):
    done = installed.run(INSTALLED, "uninstall", stdin="n\n", check=False)
    assert done.returncode == 1
    assert installed.status()["ready"]


def test_systemd_starts_a_killed_agent_again_and_its_pods_do_not_notice(installed):
    container = installed.run_pod()
    earlier = installed.main_pid()
    installed.run("kill", "-9", str(earlier))
    machine.wait_until(lambda: installed.main_pid() not in (0, earlier), 20, "no new agent")
    assert installed.status()["ready"]
    assert installed.running_pod() == container


def test_the_watchdog_ends_an_agent_that_hangs(installed):
    folder = f"/etc/systemd/system/{UNIT}.d"
    installed.run("sh", "-c", f"mkdir {folder} && printf '[Service]\nWatchdogSec=2\n' > {folder}/quick.conf")
    try:
        installed.run("systemctl", "daemon-reload")
        installed.run("systemctl", "restart", UNIT)
        hanging = installed.main_pid()
        installed.run("kill", "-STOP", str(hanging))
        machine.wait_until(lambda: installed.main_pid() not in (0, hanging), 20, "the agent still hangs")
        assert installed.status()["ready"]
    finally:
        installed.run("rm", "-r", folder)


def test_another_role_is_refused(installed):
    done = installed.run(INSTALLED, "install", "agent", "--no-start", check=False)
    assert done.returncode == 1
    assert f"{UNIT} is installed on this host: run `minikube-py uninstall`" in done.stderr


def test_an_upgrade_replaces_the_program_and_keeps_the_pods(installed):
    container, earlier = installed.run_pod(), installed.main_pid()
    said = installed.run(INSTALLED, "upgrade", installed.program("newer"), timeout_s=240).stdout
    assert f"{UNIT} is active" in said
    assert "# newer" in installed.run("cat", INSTALLED).stdout
    assert installed.main_pid() != earlier
    assert installed.running_pod() == container
    again = installed.run(INSTALLED, "upgrade", installed.program("newer")).stdout
    assert "nothing to do" in again


def test_a_program_that_does_not_get_ready_is_taken_back(installed):
    broken = installed.program("broken", before='[ "$1" != server ] || exit 3')
    done = installed.run(INSTALLED, "upgrade", broken, check=False, timeout_s=240)
    assert done.returncode == 1
    assert "did not become Ready" in done.stderr
    assert "# minikube-py" in installed.run("cat", INSTALLED).stdout
    assert installed.status()["ready"]


def test_what_is_no_program_of_this_kind_is_refused_and_changes_nothing(installed):
    running = installed.main_pid()
    done = installed.run(INSTALLED, "upgrade", "/bin/true", check=False)
    assert done.returncode == 1
    assert "/bin/true is no minikube-py program" in done.stderr
    assert installed.main_pid() == running


def test_a_setting_that_cannot_be_used_is_told_before_anything_is_made(host):
    before = host.files()
    done = host.run(host.program("minikube-py"), "install", "--cluster-cidr=10.96.0.0/16", check=False)
    assert done.returncode == 1
    assert "--cluster-cidr 10.96.0.0/16 and --service-cidr 10.96.0.0/16 overlap" in done.stderr
    assert host.files() == before


def test_what_is_left_over_is_named_and_the_exit_status_says_so(installed):
    installed.run("mkdir", "/sys/fs/cgroup/pids/minikube-py-left")
    try:
        done = installed.run(INSTALLED, "uninstall", "--yes", check=False)
    finally:
        installed.run("rmdir", "/sys/fs/cgroup/pids/minikube-py-left")
    assert done.returncode == 1
    assert "left over: cgroups /sys/fs/cgroup/pids/minikube-py-left" in done.stderr


def test_an_installation_leaves_nothing_behind_when_it_goes(host):
    before, links = host.files(), host.links()
    program = host.program("minikube-py")
    said = host.run(program, "install", "server", FEW_EVICTIONS, timeout_s=240).stdout
    assert f"{UNIT} is active: node {host.name} is Ready" in said
    assert host.run("systemctl", "is-enabled", UNIT).stdout.strip() == "enabled"
    assert host.run("systemd-analyze", "verify", f"/etc/systemd/system/{UNIT}").stderr == ""
    again = host.run(INSTALLED, "install", "server").stdout
    assert "created" not in again
    assert "changed" not in again.replace("unchanged", "")
    host.run_pod()
    assert host.cgroups("kubepods")
    assert host.links() != links

    done = host.run(program, "uninstall", "--yes", timeout_s=120)

    assert done.stdout.endswith("nothing of minikube-py is left on this host\n")
    assert host.files() == before
    assert host.links() == links
    assert host.cgroups("kubepods") == []
    assert host.run("docker", "ps", "-aq").stdout == ""
    assert host.run("systemctl", "status", UNIT, check=False).returncode == 4
