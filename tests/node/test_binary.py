"""First light with the one file (`scripts/build-binary`) in a root folder that holds no Python and no other tools."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from minikube_py.testing.bare_root import bare_root
from minikube_py.testing.lab.cluster import Cluster, wait_until, web
from minikube_py.testing.lab.lab import Lab
from tools.onefile.check import BYTES_MAX, check_file
from tools.onefile.payload import split

pytestmark = pytest.mark.node

FIRST_START_CPU_S = 4.0
LATER_START_CPU_S = 0.3


def cpu_seconds(argv, **options):
    """Run a program; return the processor time of it and its children, and what it printed."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options) as process:
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, printed
    return usage.ru_utime + usage.ru_stime, printed


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The lab's folder, and beside it the root folder in which the program runs."""
    lab_folder = Path(f"/run/mkpy-file-{os.getpid()}")
    lab_folder.mkdir()
    try:
        with bare_root(tmp_path_factory.mktemp("bare") / "root", [lab_folder]) as made:
            yield made, lab_folder
    finally:
        shutil.rmtree(lab_folder, ignore_errors=True)


@pytest.fixture(scope="module")
def program(root, binary):
    """What starts the file in that root folder."""
    made, _ = root
    return made.argv(made.install(binary))


@pytest.fixture(scope="module")
def node(root, program, tmp_path_factory):
    """A node that the file runs."""
    _, lab_folder = root
    lab = Lab(lab_folder, 1)
    lab.program = program
    try:
        lab.up()
        cluster = Cluster(lab, tmp_path_factory.mktemp("kubectl"))
        cluster.load_images(tmp_path_factory.mktemp("images"))
        yield cluster
    finally:
        shutil.copy(lab_folder / "lab1/agent.log", tmp_path_factory.getbasetemp() / "binary-agent.log")
        lab.down()


def test_file_is_small_and_needs_nothing_newer_than_glibc_2_17(binary, capsys):
    report = check_file(split(binary.read_bytes()))
    assert not report.faults
    assert report.elf_files > 50
    assert report.newest_glibc == (2, 17)
    size = binary.stat().st_size
    with capsys.disabled():
        print(f"\n{binary}: {size} bytes (at most {BYTES_MAX}), {report.elf_files} ELF files, GLIBC_2.17")


def test_root_folder_holds_no_python(root):
    made, _ = root
    names = [path.name for place in ("usr", "etc") for path in (made.folder / place).rglob("*")]
    assert "nft" in names
    assert not [name for name in names if "python" in name.lower() or name in ("sh", "bash", "tar", "xz")]


def test_first_start_unpacks_and_later_ones_are_quick(program, root, capsys):
    made, _ = root
    runtimes = made.folder / "var/lib/minikube-py/runtime"
    shutil.rmtree(runtimes, ignore_errors=True)
    first, printed = cpu_seconds([*program, "version"])
    assert re.fullmatch(r"minikube-py \S+ \(Kubernetes v1\.36\.\d+, Python 3\.13\.\d+\)\n", printed)
    (runtime,) = [path for path in runtimes.iterdir() if not path.name.startswith(".")]
    before = sorted(str(path) for path in runtime.rglob("*"))
    later = min(cpu_seconds([*program, "version"])[0] for _ in range(5))
    with capsys.disabled():
        print(f"\nfirst start {first:.2f} s, later starts {later:.2f} s of CPU")
    assert sorted(str(path) for path in runtime.rglob("*")) == before
    assert first < FIRST_START_CPU_S
    assert later < LATER_START_CPU_S


IMPORT_ALL = """
import importlib, pkgutil, sys
import minikube_py, pyroute2
assert "sqlite3" in sys.modules and not hasattr(sys.modules["sqlite3"], "connect")
names = [module.name for module in pkgutil.walk_packages(minikube_py.__path__, "minikube_py.")]
for name in names:
    if "etcd" not in name and not name.endswith("__main__"):  # etcd's are an extra, which the file does not hold
        importlib.import_module(name)
print(len(names))
"""


def test_every_module_finds_what_it_imports(program, root):
    made, _ = root
    subprocess.run([*program, "version"], check=True, capture_output=True)
    (python,) = made.folder.glob("var/lib/minikube-py/runtime/*/bin/minikube-py")
    inside = f"/{python.relative_to(made.folder)}"
    done = subprocess.run(made.argv(inside, "-I", "-B", "-c", IMPORT_ALL), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 300


def test_node_is_ready_and_a_pod_answers_by_its_cluster_ip(node):
    assert node.get("node", "lab1")["status"]["nodeInfo"]["kubeletVersion"].startswith("v1.36")
    node.apply("default", web(replicas=2))
    node.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    address = node.get("service", "web")["spec"]["clusterIP"]
    wait_until(lambda: len(set(node.ask(address, 80, 8))) == 2, what="answers of both pods")


def test_logs_and_exec_go_through_the_files_own_kubelet(node):
    pod = node.get("pods", "-l", "app=web")["items"][0]["metadata"]["name"]
    assert "started" in node.kubectl("logs", pod).stdout
    assert node.kubectl("exec", pod, "--", "hostname").stdout.strip() == pod


def test_other_commands_answer(node):
    assert node.minikube_py("status").stdout.startswith("Node:        lab1")
    config = yaml.safe_load(node.minikube_py("kubeconfig").stdout)
    assert config["clusters"][0]["cluster"]["server"].endswith(":6443")
    assert json.loads(node.minikube_py("snapshot", "save", "-o", "json").stdout)["keys"] > 0
    planned = node.in_host(*node.lab.program, "install", "server", "--dry-run").stdout
    assert "/etc/systemd/system/minikube-py-server.service would be created" in planned
    helped = node.in_host(*node.lab.program, "--help").stdout
    assert helped.startswith("Usage: minikube-py ")


def test_doctor_finds_the_host_fit(node):
    socket = f"--docker-host=unix://{node.host.docker_socket}"
    node.lab.stop(node.host)
    done = node.in_host(*node.lab.program, "doctor", socket, f"--data-dir={node.host.data_dir}")
    assert "fail" not in done.stdout.lower()
    node.lab.start(node.host)


def test_process_bears_the_programs_name_and_uses_nothing_outside_its_root(node, root):
    made, _ = root
    pid = node.lab.pids["lab1/agent"]
    assert Path(f"/proc/{pid}/comm").read_text() == "minikube-py\n"
    mapped = {line.split()[5] for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if ".so" in line}
    assert any("/var/lib/minikube-py/runtime/" in path for path in mapped)
    assert not [path for path in mapped if not path.startswith(str(made.folder))]
