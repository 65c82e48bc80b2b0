"""The node as administrators handle it: cordon, drain, taints, debug, its kubelet's own endpoints, deletion."""

import json
import ssl
import urllib.error
import urllib.request
from base64 import b64decode

import pytest
import yaml

from minikube_py.testing.lab.cluster import IMAGE, wait_until

pytestmark = pytest.mark.node

NODE = "lab1"
DEPLOYMENT = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{{name: c, image: "{IMAGE}", command: [sleep, "100000"]}}]
"""


def node_of(cluster):
    return json.loads(cluster.kubectl("get", "node", NODE, "-o", "json").stdout)


def pods_of(cluster, namespace):
    return json.loads(cluster.kubectl("get", "pods", "-n", namespace, "-o", "json").stdout)["items"]


def running(cluster, namespace):
    return [p["metadata"]["name"] for p in pods_of(cluster, namespace) if p["status"].get("phase") == "Running"]


def test_the_kubelets_endpoints_through_the_api_server(cluster, namespace):
    cluster.apply(namespace, DEPLOYMENT)
    wait_until(lambda: len(running(cluster, namespace)) == 2, 60)

    def raw(path):
        return cluster.kubectl("get", "--raw", f"/api/v1/nodes/{NODE}/proxy/{path}").stdout

    def names(path):
        return {
            i["metadata"]["name"] for i in json.loads(raw(path))["items"] if i["metadata"]["namespace"] == namespace
        }

    assert raw("healthz") == "ok"
    assert names("pods") == names("runningpods/") == set(running(cluster, namespace))
    assert json.loads(raw("configz"))["kubeletconfig"]["port"] == 10250
    assert json.loads(raw("stats/summary"))["node"]["nodeName"] == NODE
    assert "node_cpu_usage_seconds_total" in raw("metrics/resource")
    assert "container_cpu_usage_seconds_total" in raw("metrics/cadvisor")
    assert f'kubelet_node_name{{node="{NODE}"}}' in raw("metrics")
    assert "prober_probe_total" in raw("metrics/probes")
    assert "</pre>" in raw("logs/")
    checkpoint = f"/api/v1/nodes/{NODE}/proxy/checkpoint/{namespace}/{running(cluster, namespace)[0]}/c"
    refused = cluster.kubectl("create", "--raw", checkpoint, "-f", "-", stdin="", check=False)
    assert (refused.returncode, "checkpoint/restore is not supported" in refused.stderr) == (1, True), refused.stderr
    by_port = cluster.kubectl("get", "--raw", f"/api/v1/nodes/https:{NODE}:10250/proxy/healthz").stdout
    assert by_port == "ok"


def test_the_kubelet_serves_who_is_known_and_may(cluster, namespace):
    cluster.kubectl("create", "serviceaccount", "monitor", "-n", namespace)
    token = cluster.kubectl("create", "token", "monitor", "-n", namespace).stdout.strip()
    _, context = cluster.admin_access()
    config = yaml.safe_load(cluster.lab.layout.kubeconfig.read_text())
    ca = b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    anybody = ssl.create_default_context(cadata=ca)

    def ask(path, tls, **headers):
        request = urllib.request.Request(f"https://{cluster.host.address}:10250{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, context=tls, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    assert ask("/healthz", anybody) == (401, "Unauthorized")
    assert ask("/healthz", anybody, Authorization="Bearer nonsense") == (401, "Unauthorized")
    code, text = ask("/metrics", anybody, Authorization=f"Bearer {token}")
    assert (code, text) == (
        403,
        f"Forbidden (user=system:serviceaccount:{namespace}:monitor, verb=get, resource=nodes,"
        " subresource(s)=[metrics])\n",
    )
    assert ask("/healthz", context) == (200, "ok")


def test_cordon_taint_and_drain(cluster, namespace):
    cluster.apply(namespace, DEPLOYMENT)
    wait_until(lambda: len(running(cluster, namespace)) == 2, 60)
    before = set(running(cluster, namespace))
    try:
        drained = cluster.kubectl(
            "drain",
            NODE,
            "--ignore-daemonsets",
            "--delete-emptydir-data",
            "--force",
            "--timeout=60s",
            "--pod-selector=app=web",
        )
        assert f"node/{NODE} drained" in drained.stdout
        assert not before & set(running(cluster, namespace))
        taints = {(t["key"], t["effect"]) for t in node_of(cluster)["spec"]["taints"]}
        assert ("node.kubernetes.io/unschedulable", "NoSchedule") in taints
        assert "SchedulingDisabled" in cluster.kubectl("get", "node", NODE).stdout
        assert running(cluster, namespace) == []
    finally:
        cluster.kubectl("uncordon", NODE)
    wait_until(lambda: len(running(cluster, namespace)) == 2, 60)
    cluster.kubectl("taint", "node", NODE, "example.com/out=yes:NoExecute")
    try:
        wait_until(lambda: running(cluster, namespace) == [], 60)
    finally:
        cluster.kubectl("taint", "node", NODE, "example.com/out-")
    wait_until(lambda: len(running(cluster, namespace)) == 2, 60)


def test_debug_shows_the_nodes_files(cluster, namespace):
    said = cluster.kubectl(
        "debug", f"node/{NODE}", "-n", namespace, f"--image={IMAGE}", "--", "cat", "/host/etc/machine-id"
    ).stdout
    assert "Creating debugging pod" in said
    (pod,) = pods_of(cluster, namespace)
    name = pod["metadata"]["name"]
    wait_until(lambda: pods_of(cluster, namespace)[0]["status"]["phase"] == "Succeeded", 60)
    expected = node_of(cluster)["status"]["nodeInfo"]["machineID"]
    assert cluster.kubectl("logs", "-n", namespace, name).stdout.strip() == expected


def test_a_node_that_was_deleted_is_back_with_the_next_start_and_its_pods_run_on(cluster, namespace):
    cluster.apply(namespace, DEPLOYMENT)
    wait_until(lambda: len(running(cluster, namespace)) == 2, 60)
    before, uid = set(running(cluster, namespace)), node_of(cluster)["metadata"]["uid"]
    cluster.kubectl("delete", "node", NODE)
    cluster.lab.stop(cluster.host)
    cluster.lab.start(cluster.host)

    def is_back():
        found = cluster.kubectl("get", "node", NODE, "-o", "json", check=False)
        node = json.loads(found.stdout) if found.returncode == 0 else {}
        ready = {c["type"]: c["status"] for c in node.get("status", {}).get("conditions", [])}.get("Ready")
        return node.get("metadata", {}).get("uid", uid) != uid and ready == "True"

    wait_until(is_back, 60)
    node = node_of(cluster)
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == NODE
    wait_until(lambda: "node-role.kubernetes.io/control-plane" in node_of(cluster)["metadata"]["labels"], 60)
    wait_until(lambda: node_of(cluster)["spec"].get("podCIDR") == "10.244.0.0/24", 60)
    assert set(running(cluster, namespace)) == before


DEAD_NODE = """
apiVersion: v1
kind: Node
metadata: {name: dead}
"""


def test_pods_of_a_dead_node_go_at_once_when_it_is_declared_out_of_service(cluster, namespace):
    def on_it(name, *tolerated):
        """Return a pod that somebody looks at before it goes."""
        meta = {"name": name, "finalizers": ["example.com/look"]}
        spec = {"nodeName": "dead", "containers": [{"name": "c", "image": IMAGE}], "tolerations": list(tolerated)}
        return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})

    def pod(name):
        found = cluster.get("pod", name, "-n", namespace)
        return found["status"]["phase"], found["metadata"].get("deletionGracePeriodSeconds")

    cluster.kubectl("create", "-f", "-", stdin=DEAD_NODE)
    try:
        ready = {"type": "Ready", "status": "False", "reason": "KubeletNotReady"}
        patch = json.dumps({"status": {"conditions": [ready]}})
        cluster.kubectl("patch", "node", "dead", "--subresource=status", "--type=merge", "-p", patch)
        all_taints = {"operator": "Exists"}
        cluster.apply(
            namespace, "\n---\n".join((on_it("leaving", all_taints), on_it("evicted"), on_it("stays", all_taints)))
        )
        cluster.kubectl("delete", "pod", "-n", namespace, "leaving", "--wait=false")
        assert (pod("leaving"), pod("stays")) == (("Pending", 30), ("Pending", None))

        cluster.kubectl("taint", "node", "dead", "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute")
        for name in ("leaving", "evicted"):
            wait_until(lambda: pod(name) == ("Failed", 0), 60, f"the end of {name}")  # noqa: B023
        assert pod("stays") == ("Pending", None)
    finally:
        for name in ("leaving", "evicted", "stays"):
            patch = '{"metadata":{"finalizers":null}}'
            cluster.kubectl("patch", "pod", "-n", namespace, name, "--type=merge", "-p", patch, check=False)
        cluster.kubectl("delete", "pod", "-n", namespace, "--all", "--force", "--grace-period=0")
        cluster.kubectl("delete", "node", "dead")


def test_the_node_says_what_it_is(cluster):
    wait_until(lambda: node_of(cluster)["status"].get("images"), 60, "the list of images, which is read every 30 s")
    node = node_of(cluster)
    status = node["status"]
    assert {a["type"]: a["address"] for a in status["addresses"]} == {
        "InternalIP": str(cluster.host.address),
        "Hostname": NODE,
    }
    assert status["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 10250}}
    assert {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]} == {
        "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
        "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
        "PIDPressure": ("False", "KubeletHasSufficientPID"),
        "Ready": ("True", "KubeletReady"),
    }
    assert status["nodeInfo"]["containerRuntimeVersion"].startswith("docker://")
    assert all(status["nodeInfo"][field] for field in ("machineID", "systemUUID", "bootID", "osImage"))
    assert IMAGE in [name for image in status["images"] for name in image["names"]]
    sizes = [image["sizeBytes"] for image in status["images"]]
    assert sizes == sorted(sizes, reverse=True)
    assert node["spec"]["podCIDR"] == "10.244.0.0/24"
    assert "control-plane" in cluster.kubectl("get", "node", NODE, "--no-headers").stdout
