"""The role and the node where SELinux enforces a policy, on a virtual machine whose root has labels.

The tests stand in the order of a node's life; each begins where the one before it ended.
"""

import json
import tempfile
from pathlib import Path

import pytest

from minikube_py.testing.lab.cluster import IMAGE
from minikube_py.testing.lab.installed_host import INSTALLED
from minikube_py.testing.playbooks import Control
from minikube_py.testing.vm.borrowed_root import borrowed_root
from minikube_py.testing.vm.images import default_folder
from minikube_py.testing.vm.labelled_root import POLICY, labelled_root
from minikube_py.testing.vm.virtual_cluster import PATIENCE_S, VirtualCluster
from minikube_py.testing.vm.virtual_host import virtual_host

pytestmark = [pytest.mark.node, pytest.mark.soak, pytest.mark.timeout(1800)]

CONNECTIONS = Path(__file__).parent / "ansible_connections"
EVICTIONS = "eviction-hard=memory.available<20Mi,nodefs.available<50Mi,imagefs.available<50Mi"
RUNTIMES = "/var/lib/minikube-py/runtime"
OWN_LABELS = f"/etc/selinux/{POLICY}/contexts/files/file_contexts.local"
POLICYS_OWN = ("/etc/selinux/", "/var/lib/selinux/", "/var/log/")
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
READS = f"cat /config/said; ls {TOKEN}; hostname > /disk/by; cat /disk/by > /memory/by; sleep 3600"
VOLUMES = {
    "config": {"configMap": {"name": "words"}},
    "disk": {"emptyDir": {}},
    "memory": {"emptyDir": {"medium": "Memory"}},
}
OBJECTS = (
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words"}, "data": {"said": "hello\n"}},
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "reads"},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "c",
                    "image": IMAGE,
                    "command": ["sh", "-c", READS],
                    "volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name in VOLUMES],
                    "readinessProbe": {"exec": {"command": ["test", "-s", "/memory/by"]}, "periodSeconds": 2},
                }
            ],
            "volumes": [{"name": name, **source} for name, source in VOLUMES.items()],
        },
    },
)


class Machine(VirtualCluster):
    """The machine, and the control host that plays the playbooks on it."""

    control: Control
    program: Path

    def play(self, name):
        variables = {
            "minikube_py_file": str(self.program),
            "minikube_py_kubeconfig": "",
            "minikube_py_firewall": False,
            "minikube_py_config": {"kubelet-arg": [EVICTIONS]},
        }
        with self.lent_port() as port:
            reached = {
                "ansible_connection": "virtual_machine",
                "ansible_python_interpreter": "/usr/bin/python3",
                "virtual_machine_port": str(port),
                "virtual_machine_shared": str(self.shared),
            }
            self.control.write_inventory({self.name: reached}, {})
            return self.control.play(name, variables)

    def files(self):
        return {name for name in super().files() if not name.startswith(POLICYS_OWN)}

    def type_of(self, *paths):
        """Return the types in the labels of files, by path."""
        said = self.run("stat", "-c", "%n %C", *paths).stdout
        return {path: label.split(":")[2] for path, label in map(str.split, said.splitlines())}

    def own_labels(self):
        """Return the labels that somebody has set on this host, by the pattern of their paths."""
        lines = self.run("sh", "-c", f"cat {OWN_LABELS} 2>/dev/null || true").stdout.splitlines()
        rules = [line.split() for line in lines if line.startswith("/")]
        return {pattern: label.split(":")[2] for pattern, *_, label in rules}

    def denials(self):
        """Return what SELinux has denied."""
        return [line for line in self.run("dmesg").stdout.splitlines() if "avc:  denied" in line]


@pytest.fixture(scope="module")
def machine(binary, tmp_path_factory):
    folder = Path(tempfile.mkdtemp(prefix="mkpys", dir="/run"))
    system = labelled_root(default_folder(), borrowed_root(default_folder()))
    with virtual_host(folder, system, Machine) as booted:
        booted.control, booted.program = Control(tmp_path_factory.mktemp("ansible"), CONNECTIONS), binary
        booted.run("systemctl", "start", "docker")
        booted.load_image()
        booted.be_patient()
        booted.before = (booted.files(), booted.links(), booted.own_labels())
        yield booted


def test_the_policy_is_enforced_on_labelled_files(machine):
    assert machine.run("getenforce").stdout == "Enforcing\n"
    assert machine.type_of("/usr/sbin/nft") == {"/usr/sbin/nft": "iptables_exec_t"}
    assert machine.run("id", "-Z").stdout.startswith("unconfined_u:unconfined_r:unconfined_t:")


def test_site_makes_a_ready_node_whose_files_have_their_labels(machine):
    assert machine.play("site").changed[machine.name] > 0
    assert machine.is_ready()
    (program,) = machine.run("sh", "-c", f"echo {RUNTIMES}/*/bin/minikube-py").stdout.split()
    unit = "/etc/systemd/system/minikube-py-server.service"
    assert machine.type_of(INSTALLED, RUNTIMES, program, unit) == {
        INSTALLED: "bin_t",
        RUNTIMES: "bin_t",
        program: "bin_t",
        unit: "systemd_unit_t",
    }
    # Debian's policy knows no containers, so there is no label for what they mount.
    assert machine.own_labels() == {f"{RUNTIMES}(/.*)?": "bin_t"}


def test_a_second_site_changes_nothing(machine):
    played = machine.play("site")
    assert played.changed == {machine.name: 0}, played.said[-6000:]


def test_a_pod_reads_and_writes_what_it_mounts(machine):
    machine.read_kubeconfig()
    machine.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": OBJECTS}))
    machine.await_condition("condition=Ready", "pod/reads")
    assert machine.kubectl("logs", "reads") == "hello\nca.crt\nnamespace\ntoken\n"
    assert machine.kubectl("exec", "reads", "--", "cat", "/memory/by") == "reads\n"


def test_the_node_runs_in_the_domain_of_services_and_was_denied_nothing(machine):
    pid = machine.run("systemctl", "show", "-p", "MainPID", "--value", "minikube-py-server").stdout.strip()
    assert machine.run("cat", f"/proc/{pid}/attr/current").stdout.strip("\0\n") == "system_u:system_r:initrc_t:s0"
    assert [line for line in machine.denials() if "minikube" in line or ":initrc_t:" in line] == []


def test_an_installation_mends_the_label_of_a_program_that_was_moved_from_a_home(machine):
    machine.run("chcon", "-t", "user_home_t", INSTALLED)
    machine.run(INSTALLED, "install", "--no-start")
    assert machine.type_of(INSTALLED) == {INSTALLED: "bin_t"}


def test_reset_leaves_neither_files_nor_labels(machine):
    assert machine.play("reset").changed[machine.name] > 0
    assert (machine.files(), machine.links(), machine.own_labels()) == machine.before
    assert machine.run("docker", "ps", "-aq", timeout_s=PATIENCE_S).stdout == ""
