"""Hosts that die, hang, are cut off, reboot, are drained and deleted: what the cluster says of them is true, their
pods are replaced when their time is over, and what runs on a host that comes back runs on.

Three hosts. `keeper` has a pod on each (a host port keeps them apart) that stays however long its host is silent;
`mover` is one pod that is replaced after two seconds of it, on a worker. So the victim is the worker with `mover`.
"""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import IMAGE, KUBECTLS, Cluster, wait_until
from minikube_py.testing.lab.lab import Lab

pytestmark = pytest.mark.node

HOSTS = ("lab1", "lab2", "lab3")
GRACE_S = 6
SERVER_FLAGS = (
    f"--kube-controller-manager-arg=node-monitor-grace-period={GRACE_S}s",
    "--kube-controller-manager-arg=node-eviction-rate=1",
    "--kube-apiserver-arg=default-not-ready-toleration-seconds=2",
    "--kube-apiserver-arg=default-unreachable-toleration-seconds=2",
)
LONG_S = 90
"""What is waited for takes seconds; a machine that is busy takes its time."""
SERVE = "mkdir /www; echo $POD_NAME >/www/index.html; exec httpd -f -p 8080 -h /www"


def deployment(name, replicas, spec):
    container = f"""
      - name: web
        image: {IMAGE}
        command: ["sh", "-c", {json.dumps(SERVE)}]
        env: [{{name: POD_NAME, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}]
        readinessProbe: {{httpGet: {{port: 8080}}, periodSeconds: 1}}"""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      automountServiceAccountToken: false
      {spec}
      containers:{container}"""


STAY = "tolerations: [{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute}]"
ON_WORKERS = (
    "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
    "[{matchExpressions: [{key: kubernetes.io/hostname, operator: NotIn, values: [lab1]}]}]}}}"
)
MANIFEST = f"""{deployment("keeper", 3, STAY)}
        ports: [{{containerPort: 8080, hostPort: 8089}}]
---{deployment("mover", 1, ON_WORKERS)}
---
apiVersion: v1
kind: Service
metadata: {{name: keeper}}
spec:
  selector: {{app: keeper}}
  ports: [{{port: 80, targetPort: 8080}}]
"""


class Three:
    """The three hosts and what runs on them."""

    def __init__(self, lab, cluster):
        self.lab = lab
        self.cluster = cluster
        self.master = lab.layout.master

    def node(self, name):
        return self.cluster.get("node", name)

    def ready(self, name):
        """Return status and reason of the node's Ready condition."""
        return next(
            (c["status"], c["reason"]) for c in self.node(name)["status"]["conditions"] if c["type"] == "Ready"
        )

    def taints(self, name):
        return {(t["key"].partition("/")[2], t["effect"]) for t in self.node(name)["spec"].get("taints", ())}

    def pods(self, app):
        return self.cluster.get("pods", "-l", f"app={app}")["items"]

    def keeper(self, host):
        (pod,) = (pod for pod in self.pods("keeper") if pod["spec"].get("nodeName") == host)
        return pod

    def mover(self):
        """Return the one pod that is not on its way out, once it is Ready."""

        def found():
            alive = [pod for pod in self.pods("mover") if "deletionTimestamp" not in pod["metadata"]]
            return alive if len(alive) == 1 and is_ready(alive[0]) else None

        return wait_until(found, LONG_S, "a ready mover")[0]

    def answering(self, host):
        """Return the names of those that answer requests from a host to the Service."""
        address = self.cluster.get("service", "keeper")["spec"]["clusterIP"]
        return set(self.cluster.on(host).ask(address, 80, 40))

    def whole(self):
        """Return whether everything is as it should be."""
        keepers = self.pods("keeper")
        return (
            all(self.ready(host)[0] == "True" and not self.taints(host) for host in HOSTS)
            and sorted(pod["spec"].get("nodeName", "") for pod in keepers) == list(HOSTS)
            and all(map(is_ready, keepers))
            and len(self.pods("mover")) == 1
        )

    def wait_whole(self):
        wait_until(self.whole, LONG_S, "the cluster as it was")


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))


def name_of(pod):
    return pod["metadata"]["name"]


def runs_of(pod):
    """Return what changes when a pod is replaced or its container restarted."""
    (status,) = pod["status"]["containerStatuses"]
    return pod["metadata"]["uid"], status["containerID"], status["restartCount"]


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    if not KUBECTLS:
        pytest.fail("kubectl is missing: scripts/test installs it")
    folder = tmp_path_factory.mktemp("lifecycle")
    lab = Lab(Path(f"/run/mkpy-life-{os.getpid()}"), 3, fast_timers=True)
    lab.server_flags = SERVER_FLAGS
    try:
        lab.up()
        cluster = Cluster(lab, folder)
        cluster.load_images(folder)
        cluster.apply("default", MANIFEST)
        found = Three(lab, cluster)
        found.wait_whole()
        yield found
    finally:
        for host in lab.layout.hosts:
            if host.agent_log.exists():
                shutil.copy(host.agent_log, tmp_path_factory.getbasetemp() / f"lifecycle-{host.name}.log")
        lab.down()


OUTAGES = {
    "agent killed": (lambda lab, host: lab.stop(host, sig=signal.SIGKILL), lambda lab, host: lab.start(host)),
    "agent frozen": (
        lambda lab, host: lab.signal(host, signal.SIGSTOP),
        lambda lab, host: lab.signal(host, signal.SIGCONT),
    ),
    "cut off": (lambda lab, host: lab.partition(host, lab.layout.master), lambda lab, host: lab.heal()),
    "cannot be heard": (lambda lab, host: lab.cut(host, lab.layout.master), lambda lab, host: lab.heal()),
    "cannot hear": (lambda lab, host: lab.cut(lab.layout.master, host), lambda lab, host: lab.heal()),
    "power lost": (lambda lab, host: lab.power_off(host), lambda lab, host: lab.power_on(host)),
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_worker_that_falls_silent_is_given_up_and_taken_back(three, outage):
    begin, end = OUTAGES[outage]
    moved = three.mover()
    host = three.lab.layout.host(moved["spec"]["nodeName"])
    (other,) = {"lab2", "lab3"} - {host.name}
    kept = three.keeper(host.name)
    others = {name_of(three.keeper(name)) for name in HOSTS if name != host.name}

    begin(three.lab, host)
    wait_until(lambda: three.ready(host.name) == ("Unknown", "NodeStatusUnknown"), LONG_S, "a node given up")
    unreachable = {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}
    wait_until(lambda: three.taints(host.name) == unreachable, LONG_S, "taints")
    assert "NotReady" in three.cluster.kubectl("get", "node", host.name, "--no-headers").stdout
    wait_until(lambda: not is_ready(three.keeper(host.name)), LONG_S, "a pod that is not Ready")
    for asked in ("lab1", other):
        wait_until(lambda asked=asked: three.answering(asked) == others, LONG_S, f"a Service without it on {asked}")
    replacement = three.mover()
    assert replacement["metadata"]["uid"] != moved["metadata"]["uid"]
    assert replacement["spec"]["nodeName"] == other
    assert runs_of(three.keeper(host.name))[0] == kept["metadata"]["uid"]
    # Nobody has confirmed that the old one has ended.
    (old,) = (pod for pod in three.pods("mover") if name_of(pod) == name_of(moved))
    assert "deletionTimestamp" in old["metadata"]

    end(three.lab, host)
    three.wait_whole()
    if outage == "power lost":
        assert runs_of(three.keeper(host.name))[::2] == (kept["metadata"]["uid"], runs_of(kept)[2] + 1)
    else:
        assert runs_of(three.keeper(host.name)) == runs_of(kept)
    for asked in ("lab1", other):
        wait_until(
            lambda asked=asked: three.answering(asked) == others | {name_of(kept)},
            LONG_S,
            f"a whole Service on {asked}",
        )
    assert runs_of(three.mover()) == runs_of(replacement)
    left = machine.docker(host, ["ps", "-aq", "--filter", f"label=io.kubernetes.pod.uid={moved['metadata']['uid']}"])
    assert left.stdout == ""


def test_the_master_may_be_killed_and_no_request_to_a_service_is_lost(three):
    address = three.cluster.get("service", "keeper")["spec"]["clusterIP"]
    runs = {host: runs_of(three.keeper(host)) for host in HOSTS}
    with three.cluster.on("lab2").load(address, 80) as outcome:
        three.cluster.kubectl("create", "configmap", "acknowledged", "--from-literal=a=b")
        three.lab.stop(three.master, sig=signal.SIGKILL)
        three.lab.start(three.master)
        three.wait_whole()

    assert outcome["failures"] == 0, outcome
    assert len(outcome["answers"]) == 3
    assert three.cluster.get("configmap", "acknowledged")["data"] == {"a": "b"}
    assert {host: runs_of(three.keeper(host)) for host in HOSTS} == runs


def test_a_worker_that_reboots_while_the_master_is_away_starts_its_pods_from_what_it_keeps(three):
    # Its pods ask for no token of a service account: that is the master's to give.
    host = three.lab.layout.host("lab3")
    kept = three.keeper("lab3")
    replica = host.data_dir / "agent" / "replica"
    wait_until(lambda: any(name_of(kept) in file.read_text() for file in replica.glob("pods-*")), LONG_S, "a replica")
    three.lab.stop(three.master, sig=signal.SIGKILL)
    three.lab.power_off(host)
    three.lab.power_on(host, wait=False)

    def answers():
        done = three.cluster.on("lab3").in_host("curl", "-sS", "-m", "3", f"http://{host.address}:8089/", check=False)
        return done.stdout.strip() == name_of(kept)

    wait_until(answers, LONG_S, "a pod started without a master")
    three.lab.start(three.master)
    three.wait_whole()
    uid, _, restarts = runs_of(three.keeper("lab3"))
    assert (uid, restarts) == (kept["metadata"]["uid"], runs_of(kept)[2] + 1)


def test_a_drained_worker_is_empty_until_it_is_uncordoned(three):
    host = three.mover()["spec"]["nodeName"]
    three.cluster.kubectl("drain", host, "--timeout=60s")
    assert [pod for pod in three.cluster.get("pods")["items"] if pod["spec"].get("nodeName") == host] == []
    assert three.mover()["spec"]["nodeName"] != host
    assert "SchedulingDisabled" in three.cluster.kubectl("get", "node", host, "--no-headers").stdout
    assert three.taints(host) == {("unschedulable", "NoSchedule")}

    three.cluster.kubectl("uncordon", host)
    three.wait_whole()
    three.cluster.kubectl("cordon", host)
    assert is_ready(three.keeper(host))
    three.cluster.kubectl("uncordon", host)
    three.wait_whole()


@pytest.mark.parametrize("credentials", ["kept", "new"])
def test_a_node_that_was_deleted_loses_its_pods_and_joins_again(three, credentials):
    host = three.lab.layout.host("lab3")
    kept = three.keeper("lab3")
    routes = three.cluster.in_host("ip", "route", "show", "proto", "107").stdout
    assert f"via {host.address} " in routes
    three.cluster.kubectl("delete", "node", "lab3")

    def emptied():
        pods = {pod["spec"].get("nodeName") for pod in three.cluster.get("pods")["items"]}
        return "lab3" not in pods and not machine.docker(host, ["ps", "-q"]).stdout

    wait_until(emptied, LONG_S, "a host without pods")
    assert three.cluster.kubectl("get", "node", "lab3", check=False).returncode == 1
    assert f"via {host.address} " not in three.cluster.in_host("ip", "route", "show", "proto", "107").stdout
    three.lab.stop(host)
    if credentials == "new":
        shutil.rmtree(host.data_dir)
    three.lab.start(host)
    three.wait_whole()
    assert three.keeper("lab3")["metadata"]["uid"] != kept["metadata"]["uid"]
    wait_until(lambda: name_of(three.keeper("lab3")) in three.answering("lab2"), LONG_S, "its pod in the Service")
