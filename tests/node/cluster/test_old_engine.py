"""CentOS 7's case: cgroup version 1, iptables of the legacy kind, an engine of API 1.40; what is older is refused."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from minikube_py.testing.capped_engine import capped_engine
from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until, web
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.lab.machine import in_host, run

pytestmark = pytest.mark.node

LEGACY = ("iptables", "iptables-save", "iptables-restore")
POD = f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: words}}
data: {{word: hello}}
---
apiVersion: v1
kind: Pod
metadata: {{name: old}}
spec:
  terminationGracePeriodSeconds: 20
  shareProcessNamespace: true
  securityContext: {{sysctls: [{{name: net.ipv4.tcp_syncookies, value: "0"}}]}}
  initContainers:
  - {{name: first, image: {IMAGE}, command: [sh, -c, "cat /words/word >/shared/said"], volumeMounts:
      [{{name: words, mountPath: /words}}, {{name: shared, mountPath: /shared}}]}}
  containers:
  - name: c
    image: {IMAGE}
    command: [sh, -c, 'trap "echo bye >/ended/word; exit 0" TERM; cat /shared/said; echo; sleep 3600 & wait']
    resources: {{requests: {{cpu: 50m}}, limits: {{cpu: 200m, memory: 32Mi}}}}
    securityContext: {{capabilities: {{drop: [ALL]}}, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true}}
    livenessProbe: {{exec: {{command: [test, -e, /shared/said]}}, periodSeconds: 1, timeoutSeconds: 20}}
    volumeMounts:
    - {{name: words, mountPath: /words}}
    - {{name: shared, mountPath: /shared}}
    - {{name: ended, mountPath: /ended}}
  volumes:
  - {{name: words, configMap: {{name: words}}}}
  - {{name: shared, emptyDir: {{medium: Memory}}}}
  - {{name: ended, hostPath: {{path: ENDED, type: DirectoryOrCreate}}}}
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A host with an engine, whose iptables is the legacy one, and no agent yet."""
    folder = tmp_path_factory.mktemp("old")
    for name in LEGACY:
        found = shutil.which(name.replace("iptables", "iptables-legacy"))
        assert found, f"{name} of the legacy kind is missing: scripts/test installs it"
        (folder / name).symlink_to(found)
    lab = Lab(Path(f"/run/mkpy-old-{os.getpid()}"), 1, proxy_mode="iptables")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        try:
            lab.make_hosts()
            yield Cluster(lab, folder)
        finally:
            lab.down()


def test_an_engine_below_1_40_is_refused_with_what_is_needed_and_what_to_do(host, tmp_path):
    socket = host.host.dir / "older.sock"
    engine = host.docker("version", "-f", "{{.Server.Version}}").strip()
    found = f"Docker {engine} at unix://{socket} speaks API 1.39; 1.40 is needed"
    remedy = "install Docker 19.03 or later, or name another engine with --docker-host"
    flags = (f"--data-dir={tmp_path}/d", f"--node-ip={host.host.address}")

    def minikube_py(*argv):
        command = [sys.executable, "-m", "minikube_py", *argv, f"--docker-host=unix://{socket}"]
        return run(in_host(host.host, command), check=False)

    with capped_engine(host.host.docker_socket, socket, 39) as older:
        server = minikube_py("server", *flags, f"--write-kubeconfig={tmp_path}/k")
        doctor = minikube_py("doctor", *flags)
        images = minikube_py("image", "list")

    assert (server.returncode, server.stdout) == (1, "")
    assert server.stderr.splitlines()[-1] == f"minikube-py: {found}; {remedy}"
    assert "Traceback" not in server.stderr
    assert not (tmp_path / "k").exists()
    assert (images.returncode, images.stderr) == (1, f"minikube-py: {found}; install Docker 19.03 or later\n")
    assert doctor.returncode == 1
    (line,) = [line for line in doctor.stdout.splitlines() if "API 1.39" in line]
    assert (found in line, remedy in doctor.stdout) == (True, True)
    assert older.minors == set(), "the engine was asked for something although no version is spoken"


def test_an_engine_of_1_40_runs_pods_on_cgroups_v1_with_legacy_iptables(host, tmp_path):
    lab, socket = host.lab, host.host.dir / "old.sock"
    assert host.docker("info", "-f", "{{.CgroupVersion}}").strip() == "1"
    with capped_engine(host.host.docker_socket, socket, 40) as old:
        lab.agent_flags = (*lab.agent_flags, f"--docker-host=unix://{socket}")
        lab.start_agents()
        try:
            host.load_images(tmp_path)
            assert "(API 1.40," in host.minikube_py("doctor", f"--docker-host=unix://{socket}").stdout
            a_pod_lives_and_ends(host, tmp_path / "ended")
            a_service_answers(host)
        finally:
            lab.stop(host.host)

    assert old.minors == {40}


def a_pod_lives_and_ends(host, ended):
    host.apply("default", POD.replace("ENDED", str(ended)))
    host.kubectl("wait", "--for=condition=Ready", "pod/old", "--timeout=60s")
    container = host.get("pod", "old")["status"]["containerStatuses"][0]["containerID"].removeprefix("docker://")
    group = run(["docker", "-H", f"unix://{host.host.docker_socket}", "inspect", "-f", "{{.HostConfig.CgroupParent}}",
                 container]).stdout.strip()  # fmt: skip

    assert host.kubectl("logs", "old").stdout == "hello\n"
    assert host.kubectl("exec", "old", "--", "cat", "/shared/said", "/proc/1/comm").stdout == "hellopause\n"
    asked = host.kubectl(
        "exec", "-i", "old", "--", "sh", "-c", "read word; echo got $word; exit 3", stdin="x\n", check=False
    )
    assert (asked.stdout, asked.returncode) == ("got x\n", 3)
    limit = Path(f"/sys/fs/cgroup/memory{group}/{container}/memory.limit_in_bytes")
    assert limit.read_text() == f"{32 << 20}\n"
    host.kubectl("delete", "pod", "old", "--wait", timeout_s=60)
    assert (ended / "word").read_text() == "bye\n"
    assert host.docker("ps", "-aq", "--filter", "label=io.kubernetes.pod.name=old") == ""


def a_service_answers(host):
    host.apply("default", web(replicas=1))
    host.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    address = host.get("service", "web")["spec"]["clusterIP"]
    assert "MKP-SERVICES" in host.in_host("iptables-legacy-save").stdout
    assert "minikube-py" not in host.in_host("nft", "list", "tables").stdout
    curl = ("curl", "-sf", "--noproxy", "*", "--max-time", "2", f"http://{address}/")
    assert wait_until(lambda: host.in_host(*curl, check=False).stdout, 60, "the answer").startswith("web-")
    host.kubectl("delete", "deployment,service", "web", "--wait", timeout_s=60)
