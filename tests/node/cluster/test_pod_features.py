"""Fields of pods that ask the node for something of its own: namespaces, runtimes, hooks, paths of every type."""

import json
import os
import time

import pytest

from minikube_py.config import cgroup_root_of
from minikube_py.testing.lab.cluster import IMAGE, wait_until

pytestmark = pytest.mark.node

NAMESPACE = "features"
MIB = 1 << 20
NAMES = "for n in ipc pid; do readlink /proc/self/ns/$n; done"
TYPES = {
    "Directory": "/etc",
    "File": "/etc/passwd",
    "CharDevice": "/dev/null",
    "Socket": "docker.sock",
    "DirectoryOrCreate": "made/deep/folder",
    "FileOrCreate": "made/file",
}
"""Type -> path, relative ones below the host's folder; a file's folder must be there already."""


def a_pod(name, script="sleep 3600", container=None, **spec):
    main = {"name": "c", "image": IMAGE, "command": ["sh", "-c", script], **(container or {})}
    body = {"terminationGracePeriodSeconds": 5, "containers": [main], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}


def a_runtime_class(name, handler, **overhead):
    kind = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": handler}
    return {**kind, "overhead": {"podFixed": overhead}} if overhead else kind


def everything(host):
    limits = {"resources": {"limits": {"cpu": "100m", "memory": "32Mi"}}}
    hook = {"httpGet": {"port": 8080, "scheme": "HTTPS", "path": "/"}}
    web = {"name": "web", "image": IMAGE, "command": ["httpd", "-f", "-p", "8080"], "restartPolicy": "Always"}
    web["startupProbe"] = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    by_type = {kind: path if path.startswith("/") else f"{host.dir}/{path}" for kind, path in TYPES.items()}
    volumes = [{"name": kind.lower(), "hostPath": {"path": path, "type": kind}} for kind, path in by_type.items()]
    mounts = [{"name": kind.lower(), "mountPath": f"/v/{kind}"} for kind in TYPES]
    return (
        a_runtime_class("plain", "runc", cpu="50m", memory="16Mi"),
        a_runtime_class("absent", "kata"),
        a_pod("with-runtime", container=limits, runtimeClassName="plain"),
        a_pod("without-runtime", runtimeClassName="absent"),
        a_pod("shares", f"{NAMES}; sleep 3600", hostIPC=True, hostPID=True),
        a_pod("hooks", "trap 'exit 0' TERM; sleep 3600 & wait",
              {"lifecycle": {"postStart": hook, "preStop": {"sleep": {"seconds": 3}}}}, initContainers=[web]),
        a_pod("paths", container={"volumeMounts": mounts}, volumes=volumes),
        a_pod("no-block", container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
              volumes=[{"name": "v", "hostPath": {"path": "/dev/null", "type": "BlockDevice"}}]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def features(cluster):
    """All pods of this module, applied at once."""
    cluster.kubectl("create", "namespace", NAMESPACE)
    cluster.apply(NAMESPACE, "\n---\n".join(map(json.dumps, everything(cluster.host))))
    yield cluster
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait", timeout_s=90)
    cluster.kubectl("delete", "runtimeclass", "plain", "absent")


def wait_ready(cluster, name):
    cluster.kubectl("wait", "-n", NAMESPACE, "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
    return cluster.get("pod", name, "-n", NAMESPACE)


def messages(cluster, name, reason):
    selector = f"--field-selector=involvedObject.name={name},reason={reason}"
    return [event["message"] for event in cluster.get("events", "-n", NAMESPACE, selector)["items"]]


def test_a_runtime_class_chooses_dockers_runtime_and_its_overhead_is_the_pods(features):
    pod = wait_ready(features, "with-runtime")
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("docker://")
    root = cgroup_root_of(features.host.data_dir).rstrip("/")
    group = f"{root}/kubepods/pod{pod['metadata']['uid']}"

    assert features.docker("inspect", "-f", "{{.HostConfig.Runtime}}", container).strip() == "runc"
    assert pod["spec"]["overhead"] == {"cpu": "50m", "memory": "16Mi"}
    assert pod["status"]["qosClass"] == "Guaranteed"
    with open(f"/sys/fs/cgroup/memory{group}/memory.limit_in_bytes", encoding="ascii") as file:
        assert int(file.read()) == 48 * MIB
    wait_until(lambda: messages(features, "without-runtime", "FailedCreatePodSandBox"), 60, "the event")
    assert "kata" in messages(features, "without-runtime", "FailedCreatePodSandBox")[0]


def test_a_pod_may_share_the_hosts_namespaces(features):
    wait_ready(features, "shares")
    said = features.kubectl("logs", "-n", NAMESPACE, "shares").stdout.split()

    assert said == [os.readlink(f"/proc/self/ns/{name}") for name in ("ipc", "pid")]


def test_hooks_wait_and_fall_back_from_https(features):
    address = f"{wait_ready(features, 'hooks')['status']['podIP']}:8080"
    told = f"request to HTTPS lifecycle hook {address} got HTTP response, retry with HTTP succeeded"
    assert messages(features, "hooks", "LifecycleHTTPFallback") == [told]
    metrics = features.kubectl("get", "--raw", "/api/v1/nodes/lab1/proxy/metrics").stdout
    assert "kubelet_lifecycle_handler_http_fallbacks_total 1.0" in metrics

    began = time.monotonic()
    features.kubectl("delete", "pod", "-n", NAMESPACE, "hooks", "--wait", timeout_s=60)
    assert time.monotonic() - began > 3


def test_paths_of_the_host_are_what_their_types_say_or_made_so(features):
    wait_ready(features, "paths")
    listed = features.kubectl("exec", "-n", NAMESPACE, "paths", "--", "stat", "-c", "%F", *(f"/v/{t}" for t in TYPES))

    assert listed.stdout.splitlines() == [
        "directory", "regular file", "character special file", "socket", "directory", "regular empty file",
    ]  # fmt: skip
    assert (features.host.dir / "made/deep/folder").stat().st_mode & 0o777 == 0o755
    assert (features.host.dir / "made/file").stat().st_mode & 0o777 == 0o644
    failed = 'MountVolume.SetUp failed for volume "v" : hostPath type check failed: /dev/null is not a block device'
    wait_until(lambda: failed in messages(features, "no-block", "FailedMount"), 60, "the event")
