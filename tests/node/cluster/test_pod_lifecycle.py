"""What pods may ask of a node beyond running: by kubectl on real Docker."""

import json
import re
import subprocess
import sys
import time

import pytest

from minikube_py.testing.lab.cluster import IMAGE, wait_until
from minikube_py.testing.lab.machine import in_host

pytestmark = pytest.mark.node

WAIT_FOR_TERM = 'trap "exit 0" TERM; sleep 3600 & wait'


def a_pod(name, *containers, init=(), **spec):
    def filled(container):
        return {"image": IMAGE, "command": ["sh", "-c", WAIT_FOR_TERM], **container}

    body = {"containers": [filled(c) for c in containers or ({"name": "c"},)], "terminationGracePeriodSeconds": 5}
    if init:
        body["initContainers"] = [filled(c) for c in init]
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {**body, **spec}})


def run(cluster, namespace, name, *containers, **spec):
    cluster.apply(namespace, a_pod(name, *containers, **spec))
    cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def status(cluster, namespace, name):
    return cluster.get("pod", name, "-n", namespace)["status"]


def condition(cluster, namespace, name, kind):
    found = [c for c in status(cluster, namespace, name).get("conditions", []) if c["type"] == kind]
    return found[0] if found else None


def logs(cluster, namespace, name, container):
    return cluster.kubectl("logs", "-n", namespace, name, "-c", container).stdout


def test_kubectl_debug_sees_the_processes_of_its_target(cluster, namespace):
    run(cluster, namespace, "web", {"name": "c"})

    said = cluster.kubectl(
        *("debug", "-n", namespace, "web", f"--image={IMAGE}", "--target=c", "--container=look", "--attach=false"),
        *("--", "sh", "-c", "ps; cat /proc/1/cmdline; sleep 600"),
    )
    assert said.returncode == 0
    wait_until(lambda: "sleep 3600" in logs(cluster, namespace, "web", "look"), 60, "the processes of the target")

    (entry,) = status(cluster, namespace, "web")["ephemeralContainerStatuses"]
    assert "running" in entry["state"]


def test_sidecars_start_in_order_and_stop_in_reverse_after_the_containers(cluster, namespace):
    def told(name):
        script = f'trap "echo stopped {name} >>/log/l; exit 0" TERM; echo started {name} >>/log/l; sleep 3600 & wait'
        return {"name": name, "command": ["sh", "-c", script], "volumeMounts": [{"name": "log", "mountPath": "/log"}]}

    startup = {"exec": {"command": ["sh", "-c", "sleep 0.2"]}, "periodSeconds": 1}
    run(
        cluster,
        namespace,
        "order",
        told("main"),
        init=[
            {**told("s1"), "restartPolicy": "Always", "startupProbe": startup},
            {**told("s2"), "restartPolicy": "Always"},
        ],
        volumes=[{"name": "log", "hostPath": {"path": str(cluster.host.dir / "order"), "type": "DirectoryOrCreate"}}],
    )
    cluster.kubectl("delete", "pod", "order", "-n", namespace, timeout_s=60)

    lines = (cluster.host.dir / "order" / "l").read_text().split("\n")[:-1]
    starts, stops = ([line.split()[1] for line in lines if line.startswith(word)] for word in ("started", "stopped"))
    assert (starts, stops) == (["s1", "s2", "main"], ["main", "s2", "s1"])


def test_a_stop_signal_of_the_pod_s_own_is_sent(cluster, namespace):
    script = 'trap "echo usr1; exit 0" USR1; trap "echo term" TERM; sleep 3600 & while :; do wait; done'
    lifecycle = {"stopSignal": "SIGUSR1"}
    container = {"name": "c", "command": ["sh", "-c", script], "lifecycle": lifecycle}
    run(cluster, namespace, "sig", container, os={"name": "linux"}, terminationGracePeriodSeconds=100)
    uid = cluster.get("pod", "sig", "-n", namespace)["metadata"]["uid"]
    began_s = time.monotonic()
    cluster.kubectl("delete", "pod", "sig", "-n", namespace, timeout_s=60)

    assert time.monotonic() - began_s < 100, "SIGTERM does not end it, only the end of the grace period"
    assert uid not in cluster.docker("ps", "-a", "--format", "{{.Labels}}")


def test_exit_codes_decide_over_restarts(cluster, namespace):
    rules = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]
    script = "if [ -e /s/once ]; then exit 7; fi; touch /s/once; exit 42"
    container = {
        "name": "c",
        "command": ["sh", "-c", script],
        "restartPolicy": "Never",
        "restartPolicyRules": rules,
        "volumeMounts": [{"name": "s", "mountPath": "/s"}],
    }
    cluster.apply(
        namespace, a_pod("rules", container, restartPolicy="Never", volumes=[{"name": "s", "emptyDir": {}}])
    )
    wait_until(lambda: status(cluster, namespace, "rules")["phase"] == "Failed", 60, "the end")

    (entry,) = status(cluster, namespace, "rules")["containerStatuses"]
    assert entry["restartCount"] == 1
    assert entry["state"]["terminated"]["exitCode"] == 7


def test_a_pod_is_resized_in_place(cluster, namespace):
    resources = {"requests": {"cpu": "50m", "memory": "20Mi"}, "limits": {"cpu": "100m", "memory": "40Mi"}}
    run(cluster, namespace, "big", {"name": "c", "resources": resources})
    more = {"requests": {"cpu": "60m", "memory": "30Mi"}, "limits": {"cpu": "200m", "memory": "60Mi"}}
    patch = json.dumps({"spec": {"containers": [{"name": "c", "resources": more}]}})
    cluster.kubectl("patch", "pod", "big", "-n", namespace, "--subresource=resize", "--patch", patch)

    def done():
        entry = status(cluster, namespace, "big")["containerStatuses"][0]
        return entry["allocatedResources"] == more["requests"] and entry["resources"] == more and entry

    entry = wait_until(done, 60, "the resize")
    assert entry["restartCount"] == 0
    identity = entry["containerID"].removeprefix("docker://")
    host = json.loads(cluster.docker("inspect", identity))[0]["HostConfig"]
    assert (host["CpuQuota"], host["Memory"]) == (20_000, 60 << 20)
    wait_until(lambda: condition(cluster, namespace, "big", "PodResizeInProgress") is None, 60, "the end of it")

    huge = {"requests": {"cpu": "90"}, "limits": {"cpu": "90"}}
    patch = json.dumps({"spec": {"containers": [{"name": "c", "resources": huge}]}})
    cluster.kubectl("patch", "pod", "big", "-n", namespace, "--subresource=resize", "--patch", patch)
    wait_until(lambda: condition(cluster, namespace, "big", "PodResizePending"), 60, "the condition")
    assert condition(cluster, namespace, "big", "PodResizePending")["reason"] == "Infeasible"


def test_a_static_pod_is_shown_by_a_mirror_pod_that_comes_back(cluster):
    folder = cluster.host.data_dir / "agent" / "pod-manifests"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"st-{cluster.host.name}"
    (folder / "st.yaml").write_text(
        a_pod("st", {"name": "c", "command": ["sh", "-c", "echo static; " + WAIT_FOR_TERM]})
    )
    try:
        wait_until(lambda: _phase(cluster, name) == "Running", 60, "the mirror pod")
        before = cluster.get("pod", name)
        assert logs(cluster, "default", name, "c") == "static\n"
        cluster.kubectl("delete", "pod", name, "--force", "--grace-period=0")
        wait_until(lambda: _phase(cluster, name) == "Running", 60, "the mirror pod again")
        after = cluster.get("pod", name)
        assert after["metadata"]["uid"] != before["metadata"]["uid"]
        ids = [pod["status"]["containerStatuses"][0]["containerID"] for pod in (before, after)]
        assert ids[0] == ids[1]
    finally:
        (folder / "st.yaml").unlink()
    wait_until(lambda: _phase(cluster, name) == "", 60, "the end of the mirror pod")


def _phase(cluster, name):
    said = cluster.kubectl("get", "pod", name, "--ignore-not-found", "-o", "jsonpath={.status.phase}")
    return said.stdout


def test_what_a_hung_exec_probe_leaves_behind_is_killed(cluster, namespace):
    probe = {"exec": {"command": ["sh", "-c", "sleep 1234"]}, "periodSeconds": 1, "timeoutSeconds": 1}
    run_name = "hung"
    cluster.apply(namespace, a_pod(run_name, {"name": "c", "readinessProbe": {**probe, "failureThreshold": 10}}))
    wait_until(lambda: "Unhealthy" in cluster.kubectl("get", "events", "-n", namespace).stdout, 60, "the timeout")
    time.sleep(3)

    processes = cluster.kubectl("exec", "-n", namespace, run_name, "--", "ps").stdout
    assert len(re.findall("sleep 1234", processes)) <= 2, processes


GRPC_SERVER = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
import grpc
check = grpc.unary_unary_rpc_method_handler(lambda request, context: b"\\x08\\x01")
handler = grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check})
server = grpc.server(ThreadPoolExecutor(1), handlers=[handler])
server.add_insecure_port("0.0.0.0:5001")
server.start()
sys.stdin.read()
"""


def test_grpc_and_https_probes_reach_real_servers(cluster, namespace):
    # In the host's network the host's own servers answer for the pod: the API server speaks HTTPS, its own CA's.
    https = {"httpGet": {"port": 6443, "scheme": "HTTPS", "path": "/livez"}, "periodSeconds": 1}
    grpc = {"grpc": {"port": 5001}, "periodSeconds": 1}
    pod = a_pod("asked", {"name": "c", "readinessProbe": grpc, "startupProbe": https}, hostNetwork=True)
    cluster.apply(namespace, pod)
    wait_until(lambda: _first(cluster, namespace, "asked").get("started"), 60, "the HTTPS probe")
    assert _first(cluster, namespace, "asked")["ready"] is False

    argv = in_host(cluster.host, [sys.executable, "-c", GRPC_SERVER])
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as server:
        try:
            wait_until(lambda: _first(cluster, namespace, "asked")["ready"], 60, "the gRPC probe")
        finally:
            server.communicate(b"")
    assert "failed to connect service" in cluster.kubectl("get", "events", "-n", namespace).stdout


def _first(cluster, namespace, name):
    return (status(cluster, namespace, name).get("containerStatuses") or [{}])[0]
