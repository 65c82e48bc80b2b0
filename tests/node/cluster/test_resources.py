"""Limits in the kernel's files, the node's own admission, OOM kills, limits on local storage, and kubectl top."""

from pathlib import Path

import pytest

from minikube_py.api.quantity import parse_quantity
from minikube_py.config import cgroup_root_of
from minikube_py.testing.kubectl import KUBECTLS, NEWEST
from minikube_py.testing.lab.cluster import IMAGE, wait_until

pytestmark = pytest.mark.node

CGROUPS = Path("/sys/fs/cgroup")
MIB = 1 << 20
SLEEP = "exec sleep 3600"
ENDLESS = "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"
FILL = "dd if=/dev/zero of={} bs=1M count=8; exec sleep 3600"


def a_pod(name, *containers, **fields):
    made = ", ".join(
        f"{{name: c{n}, image: {IMAGE}, command: [sh, -c, '{script}'], {rest}}}"
        for n, (script, rest) in enumerate(containers)
    )
    spec = ", ".join(f"{key}: {value}" for key, value in fields.items())
    head = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {name}}}}}\n"
    return f"{head}spec: {{terminationGracePeriodSeconds: 1, containers: [{made}], {spec}}}\n---\n"


PODS = (
    a_pod("plain", (SLEEP, "")),
    a_pod("limited", (SLEEP, "resources: {requests: {cpu: 100m, memory: 16Mi}, limits: {cpu: 200m, memory: 32Mi}}")),
    a_pod("whole", (SLEEP, ""), (SLEEP, ""), resources="{requests: {cpu: 100m}, limits: {cpu: 500m, memory: 64Mi}}"),
    a_pod("burns", ("while :; do :; done", "resources: {limits: {cpu: 100m, memory: 64Mi}}"), (SLEEP, "")),
    a_pod("greedy", (ENDLESS, "resources: {limits: {memory: 16Mi}}"), restartPolicy="Never"),
    a_pod("huge", (SLEEP, 'resources: {requests: {cpu: "100"}}'), nodeName="lab1"),
    a_pod("elsewhere", (SLEEP, ""), nodeName="lab1", nodeSelector="{disk: none}"),
    a_pod("layer", (FILL.format("/f"), "resources: {limits: {ephemeral-storage: 2Mi}}")),
    a_pod(
        "volume",
        (FILL.format("/d/f"), "volumeMounts: [{name: d, mountPath: /d}]"),
        volumes="[{name: d, emptyDir: {sizeLimit: 1Mi}}]",
    ),
)


@pytest.fixture(scope="module")
def pods(cluster):
    """All pods of this module, applied once: each test looks at its own."""
    namespace = "resources"
    cluster.kubectl("create", "namespace", namespace)
    cluster.apply(namespace, "".join(PODS))
    cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/limited", "pod/whole", "--timeout=60s")
    yield lambda name: cluster.get("pod", name, "-n", namespace)
    cluster.kubectl("delete", "namespace", namespace, "--wait", timeout_s=90)


def cgroup(cluster, pod, tier):
    root = cgroup_root_of(cluster.host.data_dir).rstrip("/")
    return f"{root}/kubepods/{tier}pod{pod['metadata']['uid']}"


def read(controller, path, name):
    return (CGROUPS / controller / path.lstrip("/") / name).read_text().strip()


def container_id(pod, index=0):
    return pod["status"]["containerStatuses"][index]["containerID"].removeprefix("docker://")


@pytest.mark.skipif((CGROUPS / "cgroup.controllers").exists(), reason="this host has cgroup version 2")
class TestCgroupFiles:
    def test_requests_and_limits_stand_in_the_kernels_files(self, cluster, pods):
        pod = pods("limited")
        above = cgroup(cluster, pod, "burstable/")

        for path in (above, f"{above}/{container_id(pod)}"):
            assert (read("cpu", path, "cpu.shares"), read("cpu", path, "cpu.cfs_quota_us")) == ("102", "20000")
            assert read("memory", path, "memory.limit_in_bytes") == str(32 * MIB)
            assert read("pids", path, "pids.max") == "4096"
        host = cluster.docker("inspect", "-f", "{{json .HostConfig.CgroupParent}}", container_id(pod)).strip()
        assert host == f'"{above}"'

    def test_limits_of_the_whole_pod_hold_for_all_its_containers_together(self, cluster, pods):
        pod = pods("whole")
        above = cgroup(cluster, pod, "burstable/")

        assert read("cpu", above, "cpu.cfs_quota_us") == "50000"
        assert read("memory", above, "memory.limit_in_bytes") == str(64 * MIB)
        for index in (0, 1):
            assert read("cpu", f"{above}/{container_id(pod, index)}", "cpu.cfs_quota_us") == "-1"

    def test_pods_without_requests_share_what_others_leave(self, cluster, pods):
        above = cgroup(cluster, pods("plain"), "besteffort/")

        assert read("cpu", above, "cpu.shares") == "2"
        assert read("cpu", str(Path(above).parent), "cpu.shares") == "2"

    def test_a_pod_that_is_gone_leaves_no_cgroup(self, cluster, pods):
        cluster.apply("resources", a_pod("goes", (SLEEP, "")))
        cluster.kubectl("wait", "-n", "resources", "--for=condition=Ready", "pod/goes", "--timeout=60s")
        path = CGROUPS / "memory" / cgroup(cluster, pods("goes"), "besteffort/").lstrip("/")
        assert path.exists()

        cluster.kubectl("delete", "pod", "goes", "-n", "resources")
        wait_until(lambda: not path.exists(), 60, "the end of the cgroup")


def test_pods_that_asked_for_nothing_are_the_first_that_memory_kills(cluster, pods):
    wait_until(lambda: pods("plain")["status"]["phase"] == "Running", 60, "the pod")

    def score(name):
        argv = ("exec", "-n", "resources", name, "-c", "c0", "--", "cat", "/proc/1/oom_score_adj")
        return int(cluster.kubectl(*argv).stdout)

    memory = parse_quantity(cluster.get("node", "lab1")["status"]["capacity"]["memory"]).value
    assert (score("plain"), score("limited")) == (1000, min(1000 - 1000 * 16 * MIB // memory, 999))


def test_a_container_that_wants_too_much_memory_is_killed_and_says_so(pods):
    wait_until(lambda: pods("greedy")["status"]["phase"] == "Failed", 60, "the end of greedy")
    ended = pods("greedy")["status"]["containerStatuses"][0]["state"]["terminated"]

    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [
        ("huge", "OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 100000, used: "),
        (
            "elsewhere",
            "NodeAffinity",
            "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        ),
    ],
)
def test_the_node_refuses_what_it_cannot_run(cluster, pods, name, reason, words):
    wait_until(lambda: pods(name)["status"]["phase"] == "Failed", 60, f"the refusal of {name}")
    status = pods(name)["status"]

    assert status["reason"] == reason
    assert status["message"].startswith(words)
    assert "containerStatuses" not in status
    events = cluster.kubectl("get", "events", "-n", "resources", "--field-selector", f"involvedObject.name={name}")
    assert reason in events.stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("layer", "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. "),
        ("volume", 'Usage of EmptyDir volume "d" exceeds the limit "1Mi". '),
    ],
)
def test_a_pod_over_its_limits_on_disk_is_evicted(pods, name, message):
    wait_until(lambda: pods(name)["status"]["phase"] == "Failed", 60, f"the eviction of {name}")
    status = pods(name)["status"]

    assert (status["reason"], status["message"]) == ("Evicted", message)


def top(cluster, *args, version=NEWEST):
    """Return the rows of `kubectl top`, without its header."""
    done = cluster.kubectl("top", *args, version=version, check=False)
    return [line.split() for line in done.stdout.splitlines()[1:]] if done.returncode == 0 else []


def cores(text):
    return int(text.removesuffix("m"))


@pytest.mark.parametrize("version", sorted(KUBECTLS))
def test_kubectl_top_shows_nodes_pods_and_containers(cluster, pods, version):
    pods("burns")
    in_namespace = ("pod", "-n", "resources")
    wait_until(lambda: "burns" in [r[0] for r in top(cluster, *in_namespace, version=version)], 60, "the metrics")

    ((node, cpu, _, memory, _),) = top(cluster, "node", version=version)
    assert (node, cores(cpu) > 0, memory.endswith("Mi")) == ("lab1", True, True)
    by_cpu = top(cluster, *in_namespace, "--sort-by=cpu", version=version)
    assert by_cpu[0][0] == "burns"
    assert 70 <= cores(by_cpu[0][1]) <= 130
    containers = top(cluster, *in_namespace, "-l", "app=burns", "--containers", version=version)
    assert [row[:2] for row in containers] == [["burns", "c0"], ["burns", "c1"]]
    assert cores(containers[0][2]) > 70 > cores(containers[1][2])
    assert "burns" in [row[1] for row in top(cluster, "pod", "-A", version=version)]
    assert top(cluster, "pod", "burns", "-n", "resources", version=version)[0][0] == "burns"
