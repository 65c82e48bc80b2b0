"""`install`, `upgrade` and `uninstall` on a host whose init is systemd, with real Docker, kernel and units."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from minikube_py.install.plan import RUNTIME_DIR
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import IMAGE
from minikube_py.testing.lab.installed_host import INSTALLED, InstalledHost
from minikube_py.testing.lab.lab import FEW_EVICTIONS
from minikube_py.testing.lab.systemd_host import SHARED, systemd_hosts

pytestmark = pytest.mark.node

UNIT = "minikube-py-server.service"
CONFIG = "/etc/minikube-py/config.yaml"
PROVISIONER = Path(__file__).parents[2] / "scripts" / "vagrant" / "provision.sh"
UNITS = PROVISIONER.parents[2] / "systemd"
COMPLETE = """
source /etc/bash_completion.d/minikube-py
COMP_WORDS=(minikube-py tok) COMP_CWORD=1
_minikube_py_completion minikube-py
echo "${COMPREPLY[@]}"
"""
EVICTION_HARD = FEW_EVICTIONS.removeprefix("--kubelet-arg=")
SLEEP = "trap 'exit 0' TERM; sleep 1000 & wait"


class Host(InstalledHost):
    """The host, and what these tests do with it."""

    def offer(self, file):
        """Put a file where the host can start it, and return its path there."""
        shutil.copy(file, self.shared / "one-file")
        return f"{SHARED}/one-file"

    def main_pid(self):
        return int(self.run("systemctl", "show", "-p", "MainPID", UNIT).stdout.partition("=")[2])

    def run_pod(self):
        """Run a pod (again) and return its container's id."""
        self.load_image()
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
    assert installed.is_ready()


def test_systemd_starts_a_killed_agent_again_and_its_pods_do_not_notice(installed):
    container = installed.run_pod()
    earlier = installed.main_pid()
    installed.run("kill", "-9", str(earlier))
    machine.wait_until(lambda: installed.main_pid() not in (0, earlier), 60, "no new agent")
    assert installed.is_ready()
    assert installed.running_pod() == container


def test_the_watchdog_ends_an_agent_that_hangs(installed):
    folder = f"/etc/systemd/system/{UNIT}.d"
    installed.run("sh", "-c", f"mkdir {folder} && printf '[Service]\nWatchdogSec=2\n' > {folder}/quick.conf")
    try:
        installed.run("systemctl", "daemon-reload")
        installed.run("systemctl", "restart", UNIT)
        hanging = installed.main_pid()
        installed.run("kill", "-STOP", str(hanging))
        machine.wait_until(lambda: installed.main_pid() not in (0, hanging), 60, "the agent still hangs")
        assert installed.is_ready()
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
    assert installed.is_ready()


def test_an_upgrade_that_is_interrupted_while_the_new_program_hangs_is_taken_back(installed):
    running = installed.main_pid()
    hanging = installed.program("hanging", before='[ "$1" != server ] || exec sleep 1000')
    # A shell starts what is in its background deaf to SIGINT, these tests perhaps.
    upgrade = subprocess.Popen(
        [*installed.entry, "env", "--default-signal=INT", INSTALLED, "upgrade", hanging],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    machine.wait_until(lambda: installed.main_pid() not in (0, running), 60, "the new program does not start")
    waiting = installed.run("pgrep", "--oldest", "--full", f"minikube_py upgrade {hanging}").stdout.strip()
    installed.run("kill", "-INT", waiting)
    _, said = upgrade.communicate(timeout=120)
    assert upgrade.returncode == 1
    assert said.endswith("runs again: it was interrupted\n")
    assert "# minikube-py" in installed.run("cat", INSTALLED).stdout
    assert installed.is_ready()


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


def test_an_installation_of_the_one_file_leaves_nothing_behind_when_it_goes(host, binary):
    before, links = host.files(), host.links()
    program = host.offer(binary)
    said = host.run(program, "install", "server", FEW_EVICTIONS, timeout_s=240).stdout
    assert f"{UNIT} is active: node {host.name} is Ready" in said
    assert host.run("systemctl", "is-enabled", UNIT).stdout.strip() == "enabled"
    shutil.copy(UNITS / "minikube-py-agent.service", host.shared)
    for unit in (f"/etc/systemd/system/{UNIT}", f"{SHARED}/minikube-py-agent.service"):
        assert host.run("systemd-analyze", "verify", unit).stderr == ""
    assert host.run("bash", "-c", COMPLETE).stdout == "token\n"
    again = host.run(INSTALLED, "install", "server").stdout
    assert "created" not in again
    assert "changed" not in again.replace("unchanged", "")
    host.run_pod()
    assert host.is_ready()
    assert host.pod_cgroups()
    assert host.links() != links

    done = host.run(program, "uninstall", "--yes", timeout_s=120)

    assert done.stdout.endswith("nothing of minikube-py is left on this host\n")
    assert host.files() == before
    assert host.links() == links
    assert host.pod_cgroups() == []
    assert host.run("docker", "ps", "-aq").stdout == ""
    assert host.run("systemctl", "status", UNIT, check=False).returncode == 4


def test_a_node_is_upgraded_to_the_one_file_and_its_pods_do_not_notice(installed, binary):
    container = installed.run_pod()
    said = installed.run(INSTALLED, "upgrade", installed.offer(binary), timeout_s=240).stdout
    assert f"{UNIT} is active" in said
    assert installed.run("readlink", f"/proc/{installed.main_pid()}/exe").stdout.startswith(RUNTIME_DIR)
    assert installed.is_ready()
    assert installed.running_pod() == container
    done = installed.run(INSTALLED, "uninstall", "--yes", timeout_s=120)
    assert done.stdout.endswith("nothing of minikube-py is left on this host\n")


def test_the_vagrant_provisioner_makes_a_host_a_node_and_again_changes_nothing(host):
    (host.shared / "provision.sh").write_bytes(PROVISIONER.read_bytes())
    host.run("sh", "-c", f"mkdir -p /etc/minikube-py && echo 'kubelet-arg: [\"{EVICTION_HARD}\"]' > {CONFIG}")
    try:
        ends = []
        for _ in range(2):
            pushed = host.program("pushed")
            provision = ["env", f"MINIKUBE_PY_PUSHED={pushed}", "sh", f"{SHARED}/provision.sh"]
            host.run(*provision, "server", host.address, host.address, timeout_s=240)
            ends.append(host.main_pid())
        assert host.is_ready()
        assert ends[0] == ends[1]
        assert not (host.shared / "pushed").exists()
        assert f"node-ip: {host.address}" in host.run("cat", CONFIG).stdout
        refused = host.run("sh", f"{SHARED}/provision.sh", "master", host.address, host.address, check=False)
        assert (refused.returncode, "not master" in refused.stderr) == (2, True)
    finally:
        host.run(INSTALLED, "uninstall", "--yes", timeout_s=120)
