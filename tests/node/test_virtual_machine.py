"""A node on a kernel that has what this machine's may lack or forbid: cgroup version 2, NFS, every capability.

The machine is emulated, so it is booted once, all pods are made at once, and each test looks at its own.
"""

import json
import re
import tempfile
from pathlib import Path

import pytest

from minikube_py.controllers.volume_recycler import IMAGE as RECYCLER_IMAGE
from minikube_py.kubelet.cgroup_names import SYSTEMD, cgroup_path, container_path, pod_cgroup, tier_cgroup
from minikube_py.testing.lab.cluster import IMAGE, KubectlError, wait_until
from minikube_py.testing.vm.borrowed_root import borrowed_root
from minikube_py.testing.vm.images import default_folder
from minikube_py.testing.vm.virtual_cluster import EXPORTED, PATIENCE_S, UNIT, VirtualCluster
from minikube_py.testing.vm.virtual_host import ADDRESS, virtual_host

pytestmark = [pytest.mark.node, pytest.mark.timeout(1800)]

MIB = 1 << 20
SLEEP = "trap 'exit 0' TERM; sleep 3600 & wait"
ENDLESS = "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"
BUSY = "while :; do :; done"
LIMITS = {
    "cpu.weight": "10",
    "cpu.max": "50000 100000",
    "memory.max": str(64 * MIB),
    "pids.max": "4096",
    "memory.min": "0",
    "memory.low": "0",
}
"""What the files say of the pod `limited` and of its container."""
ENGINE_SETTINGS = "/etc/docker/daemon.json"
EVERY_CAPABILITY = (1 << 38) - 1
"""As Docker 20.10 knows them: those of Linux 5.8 and later are not among them."""


def a_pod(name, *containers, **spec):
    containers = [
        {"name": f"c{n}", "image": IMAGE, "command": ["sh", "-c", c.pop("script", SLEEP)], **c}
        for n, c in enumerate(containers)
    ]
    spec = {"terminationGracePeriodSeconds": 1, "containers": containers} | spec
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def resources(requests, limits):
    return {"resources": {"requests": requests, "limits": limits}}


def writes(*names):
    """A container that writes its pod's name into each volume, and says what stands there then."""
    each = "; ".join(f"hostname > /{name}/by; cat /{name}/by" for name in names)
    return {"script": f"{each}; {SLEEP}", "volumeMounts": [{"name": n, "mountPath": f"/{n}"} for n in names]}


def a_volume(name, policy):
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteMany"],
        "persistentVolumeReclaimPolicy": policy,
        "mountOptions": ["nfsvers=4.2", "hard"],
        "nfs": {"server": ADDRESS, "path": f"/{name}"},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def a_claim(name):
    spec = {"accessModes": ["ReadWriteMany"], "storageClassName": "", "volumeName": name}
    spec["resources"] = {"requests": {"storage": "1Gi"}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def claimed(name):
    return {"name": name, "persistentVolumeClaim": {"claimName": name}}


SAME = {"cpu": "100m", "memory": "32Mi"}
OBJECTS = (
    a_volume("kept", "Retain"),
    a_volume("emptied", "Recycle"),
    a_claim("kept"),
    a_claim("emptied"),
    a_pod("plain", {}),
    a_pod("limited", resources({"cpu": "250m", "memory": "32Mi"}, {"cpu": "500m", "memory": "64Mi"})),
    a_pod("guaranteed", resources(SAME, SAME)),
    a_pod("pages", resources(SAME, SAME | {"hugepages-2Mi": "4Mi"})),
    a_pod("burns", {"script": BUSY} | resources({"cpu": "50m"}, {"cpu": "100m", "memory": "64Mi"})),
    a_pod("greedy", {"script": ENDLESS} | resources({}, {"memory": "16Mi"}), restartPolicy="Never"),
    a_pod("powerful", {"securityContext": {"privileged": True}}),
    a_pod("exports", writes("plain"), volumes=[{"name": "plain", "nfs": {"server": ADDRESS, "path": "/plain"}}]),
    a_pod("claims", writes("kept", "emptied"), volumes=[claimed("kept"), claimed("emptied")]),
)
WITHOUT_SYSTEMD = {"limited", "pages", "burns", "greedy"}
RUNNING = tuple(o["metadata"]["name"] for o in OBJECTS if o["kind"] == "Pod" and o["metadata"]["name"] != "greedy")


class Machine(VirtualCluster):
    """The machine, and what these tests ask of it."""

    driver = SYSTEMD

    def pod(self, name):
        return self.get("pod", name)

    def container(self, name):
        return self.pod(name)["status"]["containerStatuses"][0]["containerID"].removeprefix("docker://")

    def cgroup(self, name):
        pod = self.pod(name)
        return pod_cgroup(pod["metadata"]["uid"], pod["status"]["qosClass"], "/", self.driver)

    def read(self, path, *files):
        """Return what files of a cgroup say, each in one line."""
        said = self.run("grep", "-H", "", *(f"/sys/fs/cgroup{path}/{file}" for file in files)).stdout
        return dict(line.rpartition("/")[2].split(":", 1) for line in said.splitlines())

    def process_of(self, container):
        return int(self.run("docker", "inspect", "-f", "{{.State.Pid}}", container).stdout)

    def oom_score(self, container):
        return int(self.run("cat", f"/proc/{self.process_of(container)}/oom_score_adj").stdout)

    def apply(self, *objects):
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def change_driver(self, driver):
        """Give the engine another cgroup driver, while no pod and no agent runs."""
        self.kubectl("delete", "pod", "--all", "--all-namespaces")
        self.run("systemctl", "stop", UNIT, timeout_s=PATIENCE_S)
        settings = json.dumps({"exec-opts": [f"native.cgroupdriver={driver}"]})
        self.run("tee", ENGINE_SETTINGS, stdin=settings)
        self.run("systemctl", "restart", "docker", timeout_s=PATIENCE_S)
        self.run("systemctl", "start", UNIT, timeout_s=PATIENCE_S)
        self.driver = driver

    def summary(self):
        """Return the statistics of the node, and of its pods by name, when two of them are measured."""

        def measured():
            said = json.loads(self.kubectl("get", "--raw", f"/api/v1/nodes/{self.name}/proxy/stats/summary"))
            pods = {p["podRef"]["name"]: p for p in said["pods"]}
            used = pods.get("burns", {}).get("cpu", {}).get("usageNanoCores", 0)
            held = pods.get("limited", {}).get("memory", {}).get("workingSetBytes", 0)
            return (said["node"], pods) if used > 30_000_000 and held else None

        return wait_until(measured, PATIENCE_S, "the statistics")

    def files(self):
        return {name for name in super().files() if not name.startswith("/var/lib/nfs/")}

    def nfs_mounts(self):
        return self.run("findmnt", "-n", "-t", "nfs,nfs4", "-o", "TARGET", check=False).stdout.split()


@pytest.fixture(scope="module")
def machine(binary):
    folder = Path(tempfile.mkdtemp(prefix="mkpyv", dir="/run"))
    with virtual_host(folder, borrowed_root(default_folder()), Machine) as booted:
        booted.run("systemctl", "start", "docker")
        booted.load_image()
        booted.export_folders("plain", "kept", "emptied")
        booted.before = (booted.files(), booted.links())
        booted.install(binary)
        booted.apply(*OBJECTS)
        booted.await_condition("condition=Ready", *(f"pod/{name}" for name in RUNNING))
        yield booted


def check_limits(machine):
    """Compare the files of a pod and of its container with its requests and limits."""
    name = machine.cgroup("limited")
    for path in (cgroup_path(name), container_path(name, machine.container("limited"))):
        assert machine.read(path, *LIMITS) == LIMITS


def test_requests_and_limits_stand_in_the_files_of_pod_and_container(machine):
    check_limits(machine)


def check_pages(machine):
    """Compare the limits of huge pages; Docker has none for containers: that of the pod holds for them."""
    for name, amount in (("pages", 4 * MIB), ("limited", 0)):
        path = cgroup_path(machine.cgroup(name))
        assert machine.read(path, "hugetlb.2MB.max") == {"hugetlb.2MB.max": str(amount)}


def test_huge_pages_are_limited_for_the_pod(machine):
    check_pages(machine)


def test_the_classes_and_all_pods_have_what_their_pods_have_together(machine):
    tiers = {tier: cgroup_path(tier_cgroup(tier, "/", SYSTEMD)) for tier in ("Guaranteed", "Burstable", "BestEffort")}
    assert machine.read(tiers["BestEffort"], "cpu.weight") == {"cpu.weight": "1"}
    # 250m and 50m: 307 shares.
    assert machine.read(tiers["Burstable"], "cpu.weight") == {"cpu.weight": "12"}
    # Two processors: 2048 shares.
    assert machine.read(tiers["Guaranteed"], "cpu.weight") == {"cpu.weight": "79"}
    total = int(re.search(r"MemTotal: +(\d+) kB", machine.run("cat", "/proc/meminfo").stdout)[1]) << 10
    assert machine.read(tiers["Guaranteed"], "memory.max") == {"memory.max": str(total)}


def test_systemd_knows_the_limits_of_a_pod_and_keeps_them_over_a_reload(machine):
    name = machine.cgroup("limited")
    machine.run("systemctl", "daemon-reload")
    wanted = {"CPUWeight": "10", "CPUQuotaPerSecUSec": "500ms", "MemoryMax": str(64 * MIB), "TasksMax": "4096"}
    shown = machine.run("systemctl", "show", name, *(f"--property={key}" for key in wanted)).stdout
    assert dict(line.split("=") for line in shown.splitlines()) == wanted
    assert machine.read(cgroup_path(name), "cpu.max")["cpu.max"] == "50000 100000"


def check_greed(machine):
    """Look how the pod ends that wants too much memory."""
    wait_until(lambda: machine.pod("greedy")["status"]["phase"] == "Failed", PATIENCE_S, "the end of greedy")
    ended = machine.pod("greedy")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


def test_a_container_that_wants_too_much_memory_is_killed_and_says_so(machine):
    check_greed(machine)


def test_scores_below_zero_are_set_where_the_kernel_allows_them(machine):
    sandbox = machine.run("docker", "ps", "-q", "--no-trunc", "--filter=name=k8s_POD_guaranteed_").stdout.strip()
    assert machine.oom_score(sandbox) == -998
    scores = {name: machine.oom_score(machine.container(name)) for name in ("guaranteed", "plain")}
    assert scores == {"guaranteed": -997, "plain": 1000}
    assert 3 <= machine.oom_score(machine.container("limited")) < 1000


def test_a_privileged_container_has_every_device_and_capability(machine):
    container = machine.container("powerful")
    status = machine.run("cat", f"/proc/{machine.process_of(container)}/status").stdout
    assert int(re.search(r"CapEff:\s+([0-9a-f]+)", status)[1], 16) & EVERY_CAPABILITY == EVERY_CAPABILITY
    done = machine.run("docker", "exec", container, "sh", "-c", "dd if=/dev/vdb bs=1k count=2 | wc -c; ls /dev")
    read, *devices = done.stdout.split()
    assert read == "2048"
    assert {"kmsg", "vda", "vdb", "fuse"} <= set(devices)


def check_statistics(pods):
    """Compare the statistics of pods with their limits."""
    # A tenth of a processor, as its limit says; an emulated clock is not the best.
    assert pods["burns"]["cpu"]["usageNanoCores"] < 250_000_000
    for kind in ("workingSetBytes", "usageBytes", "rssBytes"):
        assert 0 < pods["limited"]["memory"][kind] < 64 * MIB
    assert pods["limited"]["memory"]["availableBytes"] == 64 * MIB - pods["limited"]["memory"]["workingSetBytes"]
    assert 0 < pods["burns"]["process_stats"]["process_count"] < 20


def test_statistics_come_from_the_files_of_version_2(machine):
    node, pods = machine.summary()
    check_statistics(pods)
    meminfo = dict(re.findall(r"(\w+): +(\d+) kB", machine.run("cat", "/proc/meminfo").stdout))
    assert node["memory"]["availableBytes"] == pytest.approx(int(meminfo["MemAvailable"]) << 10, rel=0.3)
    assert 0 < node["cpu"]["usageNanoCores"] <= 2_200_000_000
    conditions = {c["type"]: c["status"] for c in machine.get("node", machine.name)["status"]["conditions"]}
    assert conditions["MemoryPressure"] == "False"


def top_lines(machine, kind):
    """Return the rows of `kubectl top`, none while nothing is measured."""
    try:
        return machine.kubectl("top", kind, "--no-headers").splitlines()
    except KubectlError:
        return []


def test_kubectl_top_shows_the_node_and_its_pods(machine):
    def shown():
        """Return what is used by each pod, when all that run are measured."""
        rows = {name: (cpu, memory) for name, cpu, memory in map(str.split, top_lines(machine, "pod"))}
        return rows if {"burns", "limited"} <= rows.keys() else None

    rows = wait_until(shown, PATIENCE_S, "the metrics")
    assert 30 <= int(rows["burns"][0].removesuffix("m")) <= 250
    assert rows["limited"][1].endswith("Mi")
    ((name, cpu, _, memory, _),) = map(str.split, top_lines(machine, "node"))
    assert (name, int(cpu.removesuffix("m")) > 0, memory.endswith("Mi")) == (machine.name, True, True)


def test_a_resize_in_place_reaches_the_kernel_and_restarts_nothing(machine):
    name, container = machine.cgroup("limited"), machine.container("limited")
    more = resources({"cpu": "300m", "memory": "48Mi"}, {"cpu": "600m", "memory": "96Mi"})
    patch = json.dumps({"spec": {"containers": [{"name": "c0", **more}]}})
    machine.kubectl("patch", "pod", "limited", "--subresource=resize", "--patch", patch)

    def resized():
        entry = machine.pod("limited")["status"]["containerStatuses"][0]
        return entry.get("resources") == more["resources"] and entry

    entry = wait_until(resized, PATIENCE_S, "the resize")
    assert (entry["restartCount"], entry["containerID"]) == (0, f"docker://{container}")
    wanted = {"cpu.weight": "12", "cpu.max": "60000 100000", "memory.max": str(96 * MIB)}
    assert machine.read(container_path(name, container), *wanted) == wanted
    # The pod's own are taken away while its containers' are changed, and come last.
    wait_until(lambda: machine.read(cgroup_path(name), *wanted) == wanted, PATIENCE_S, "the limits of the pod")


def test_pods_write_to_exported_folders_with_and_without_a_claim(machine):
    for folder, pod in (("plain", "exports"), ("kept", "claims"), ("emptied", "claims")):
        assert machine.run("cat", f"{EXPORTED}/{folder}/by").stdout == f"{pod}\n"
    assert (machine.kubectl("logs", "exports"), machine.kubectl("logs", "claims")) == (
        "exports\n",
        "claims\nclaims\n",
    )
    options = machine.run("findmnt", "-n", "-t", "nfs4", "-o", "OPTIONS").stdout.splitlines()
    assert ["vers=4.2" in line for line in options] == [True] * 3


def test_what_pods_had_mounted_goes_with_them_and_volumes_are_kept_or_emptied(machine):
    machine.kubectl("delete", "pod", "exports", "claims")
    wait_until(lambda: machine.nfs_mounts() == [], PATIENCE_S, "the end of the mounts")
    machine.run("docker", "tag", IMAGE, RECYCLER_IMAGE)
    machine.kubectl("delete", "pvc", "kept", "emptied")
    machine.await_condition("jsonpath={.status.phase}=Released", "pv/kept")
    machine.await_condition("jsonpath={.status.phase}=Available", "pv/emptied")
    assert machine.run("cat", f"{EXPORTED}/kept/by").stdout == "claims\n"
    assert machine.run("ls", "-A", f"{EXPORTED}/emptied").stdout == ""
    wait_until(lambda: machine.nfs_mounts() == [], PATIENCE_S, "the end of the recycler's mount")


def test_a_pod_that_is_gone_leaves_no_slice(machine):
    name = machine.cgroup("guaranteed")
    assert machine.run("systemctl", "is-active", name).stdout == "active\n"
    machine.kubectl("delete", "pod", "guaranteed")
    path = f"/sys/fs/cgroup{cgroup_path(name)}"
    wait_until(lambda: machine.run("test", "!", "-e", path, check=False).returncode == 0, PATIENCE_S, "its end")
    assert machine.run("systemctl", "is-active", name, check=False).stdout == "inactive\n"


def test_a_node_whose_engine_makes_cgroups_without_systemd_limits_measures_and_kills_too(machine):
    machine.change_driver("cgroupfs")
    try:
        machine.apply(*(o for o in OBJECTS if o["metadata"]["name"] in WITHOUT_SYSTEMD))
        machine.await_condition("condition=Ready", "pod/limited", "pod/pages", "pod/burns")
        assert machine.run("docker", "info", "-f", "{{.CgroupDriver}} {{.CgroupVersion}}").stdout == "cgroupfs 2\n"
        assert machine.cgroup("limited").startswith("/kubepods/burstable/pod")
        check_limits(machine)
        check_pages(machine)
        check_greed(machine)
        check_statistics(machine.summary()[1])
        path = f"/sys/fs/cgroup{machine.cgroup('limited')}"
        machine.kubectl("delete", "pod", "limited")
        wait_until(lambda: machine.run("test", "-e", path, check=False).returncode, PATIENCE_S, "the cgroup's end")
    finally:
        machine.run("rm", ENGINE_SETTINGS)


def test_an_uninstallation_leaves_nothing_on_this_kernel_either(machine):
    said = machine.uninstall()

    assert said.endswith("nothing of minikube-py is left on this host\n")
    assert (machine.files(), machine.links()) == machine.before
    assert machine.run("find", "/sys/fs/cgroup", "-name", "*kubepods*").stdout == ""
    assert "kubepods" not in machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend").stdout
    assert machine.run("docker", "ps", "-aq").stdout == ""
    assert machine.nfs_mounts() == []
