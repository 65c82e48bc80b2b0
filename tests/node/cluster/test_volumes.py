"""Volumes as pods see them on a real host: what is in them, whose they are, how they change, and that they go."""

import subprocess

import pytest

from minikube_py.testing.kubectl import KUBECTLS, NEWEST
from minikube_py.testing.lab.cluster import IMAGE, wait_until

pytestmark = pytest.mark.node

TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
EVERYTHING = f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings}}
data: {{color: blue, size: big}}
binaryData: {{raw: AAH/}}
---
apiVersion: v1
kind: Secret
metadata: {{name: keys}}
stringData: {{password: hush}}
---
apiVersion: v1
kind: Pod
metadata: {{name: all, labels: {{app: all}}}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  securityContext: {{fsGroup: 2000, runAsUser: 1000}}
  volumes:
  - {{name: mem, emptyDir: {{medium: Memory, sizeLimit: 4Mi}}}}
  - {{name: disk, emptyDir: {{}}}}
  - name: cm
    configMap: {{name: settings, defaultMode: 0400, items: [{{key: color, path: deep/color, mode: 0640}}]}}
  - {{name: secret, secret: {{secretName: keys}}}}
  - {{name: none, configMap: {{name: absent, optional: true}}}}
  - name: down
    downwardAPI:
      items:
      - {{path: labels, fieldRef: {{fieldPath: metadata.labels}}}}
      - {{path: mem, resourceFieldRef: {{containerName: c, resource: limits.memory, divisor: 1Mi}}}}
      - {{path: cpu, resourceFieldRef: {{containerName: c, resource: requests.cpu, divisor: 1m}}}}
  - name: joined
    projected:
      sources:
      - configMap: {{name: settings}}
      - secret: {{name: keys, items: [{{key: password, path: pw}}]}}
      - serviceAccountToken: {{path: token, audience: vault, expirationSeconds: 600}}
  containers:
  - name: c
    image: {IMAGE}
    env: [{{name: POD, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}]
    resources: {{limits: {{memory: 64Mi}}, requests: {{cpu: 50m, memory: 64Mi}}}}
    volumeMounts:
    - {{name: mem, mountPath: /mem}}
    - {{name: disk, mountPath: /disk, subPathExpr: logs/$(POD)}}
    - {{name: disk, mountPath: /whole, readOnly: true}}
    - {{name: cm, mountPath: /cm}}
    - {{name: secret, mountPath: /secret}}
    - {{name: none, mountPath: /none}}
    - {{name: down, mountPath: /down}}
    - {{name: joined, mountPath: /joined}}
    command:
    - sh
    - -c
    - |
      echo "mem $(df -k /mem | tail -n 1 | awk '{{print $2}}')"
      dd if=/dev/zero of=/mem/big bs=1M count=5 2>/dev/null || echo "mem full"
      echo x >/disk/f && echo "disk $(cat /whole/logs/all/f) $(stat -c %g /disk/f)"
      touch /whole/no 2>/dev/null || echo "whole ro"
      echo "cm $(cat /cm/deep/color) $(stat -Lc %a:%g /cm/deep/color) $(ls /cm)"
      echo "secret $(cat /secret/password) $(stat -Lc %a:%g /secret/password) $(readlink /secret/password)"
      echo "none $(ls /none | wc -l)"
      echo "down $(cat /down/labels) $(cat /down/mem) $(cat /down/cpu)"
      for dir in /mem /secret /joined /var/run/secrets /disk; do
        grep -q " $dir.* tmpfs .*noswap" /proc/mounts && echo "noswap $dir"
      done
      cd /joined
      echo "joined $(cat color) $(cat pw) $(stat -Lc %a:%u:%g token) $(ls | tr '\\n' ' ')"
"""
SAID = """mem 4096
mem full
disk x 2000
whole ro
cm blue 640:2000 deep
secret hush 644:2000 ..data/password
none 0
down app="all" 64 50
joined blue hush 640:1000:2000 color pw raw size token
"""


def a_pod(name, mounts, volumes, script="sleep 3600 & wait", more=""):
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{volumes}]
{more}
  containers:
  - name: c
    image: {IMAGE}
    command: ["sh", "-c", 'trap "exit 0" TERM; {script}']
    volumeMounts: [{mounts}]
"""


def events(cluster, namespace, reason):
    listed = cluster.get("events", "-n", namespace, f"--field-selector=reason={reason}")
    return [event["message"] for event in listed["items"]]


def waiting(cluster, namespace, name):
    statuses = cluster.get("pod", name, "-n", namespace)["status"].get("containerStatuses") or [{}]
    return (statuses[0].get("state") or {}).get("waiting") or {}


def wait_ready(cluster, namespace, name):
    cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def mounts_of(cluster, uid):
    """Return the kubelet's mounts for a pod."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return [line for line in file if uid in line and str(cluster.host.dir) in line]


def kernel_has_noswap(folder):
    """Return whether this kernel can keep a tmpfs out of the swap space (6.4; a user namespace may not)."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "noswap", "tmpfs", str(folder)], check=False)
    if mounted.returncode == 0:
        subprocess.run(["umount", str(folder)], check=True)
    return mounted.returncode == 0


def test_every_kind_holds_what_it_should_for_those_it_should(cluster, namespace, tmp_path):
    cluster.apply(namespace, EVERYTHING)
    cluster.kubectl("wait", "-n", namespace, "--for=jsonpath={.status.phase}=Succeeded", "pod/all", "--timeout=60s")
    uid = cluster.get("pod", "all", "-n", namespace)["metadata"]["uid"]
    said = cluster.kubectl("logs", "-n", namespace, "all").stdout
    cluster.kubectl("delete", "pod", "-n", namespace, "all", "--wait", timeout_s=60)

    lines = [line.rstrip() for line in said.splitlines()]
    assert [line for line in lines if "noswap" not in line] == [line.rstrip() for line in SAID.splitlines()]
    in_memory = ("/mem", "/secret", "/joined", "/var/run/secrets") if kernel_has_noswap(tmp_path) else ()
    assert [line for line in lines if "noswap" in line] == [f"noswap {path}" for path in in_memory]
    assert mounts_of(cluster, uid) == []
    assert list(cluster.host.data_dir.rglob(f"pods/{uid}")) == []


def test_a_running_pod_sees_changes_within_seconds_and_its_missing_volume_as_soon_as_it_is_there(cluster, namespace):
    labels = "{path: labels, fieldRef: {fieldPath: metadata.labels}}"
    volumes = f"{{name: v, configMap: {{name: late}}}}, {{name: d, downwardAPI: {{items: [{labels}]}}}}"
    mounts = "{name: v, mountPath: /v}, {name: d, mountPath: /d}"
    cluster.apply(namespace, a_pod("late", mounts, volumes))
    failed = 'MountVolume.SetUp failed for volume "v" : configmap "late" not found'
    wait_until(lambda: failed in events(cluster, namespace, "FailedMount"), 60, "the event")
    assert waiting(cluster, namespace, "late")["reason"] == "ContainerCreating"

    cluster.kubectl("create", "configmap", "-n", namespace, "late", "--from-literal=k=one")
    wait_ready(cluster, namespace, "late")

    def read(path):
        return cluster.kubectl("exec", "-n", namespace, "late", "--", "cat", path).stdout

    uid = cluster.get("pod", "late", "-n", namespace)["metadata"]["uid"]
    assert len(mounts_of(cluster, uid)) == 2, "the token and the downward API are kept in memory"
    assert read("/v/k") == "one"
    cluster.kubectl("patch", "configmap", "-n", namespace, "late", "-p", '{"data":{"k":"two"}}')
    cluster.kubectl("label", "pod", "-n", namespace, "late", "tier=web")
    wait_until(lambda: read("/v/k") == "two", 20, "the new value")
    wait_until(lambda: read("/d/labels") == 'tier="web"', 20, "the new label")


def test_what_cannot_be_mounted_says_why(cluster, namespace):
    volumes = "{name: h, hostPath: {path: /etc/hostname, type: Directory}}"
    cluster.apply(namespace, a_pod("typed", "{name: h, mountPath: /h}", volumes))
    link = f"""  initContainers:
  - name: link
    image: {IMAGE}
    command: ["ln", "-s", "/etc", "/v/out"]
    volumeMounts: [{{name: v, mountPath: /v}}]"""
    escaping = a_pod("escape", "{name: v, mountPath: /v, subPath: out}", "{name: v, emptyDir: {}}", more=link)
    cluster.apply(namespace, escaping)

    wrong = 'MountVolume.SetUp failed for volume "h" : hostPath type check failed: /etc/hostname is not a directory'
    wait_until(lambda: wrong in events(cluster, namespace, "FailedMount"), 60, "the event")
    wait_until(lambda: waiting(cluster, namespace, "escape").get("reason") == "CreateContainerConfigError", 60, "it")
    refused = 'failed to prepare subPath for volumeMount "v" of container "c"'
    assert waiting(cluster, namespace, "escape")["message"] == refused


def test_a_host_path_shares_what_is_mounted_later_when_it_is_asked_to(cluster, namespace, tmp_path):
    subprocess.run(["mount", "-t", "tmpfs", "shared", str(tmp_path)], check=True)
    try:
        subprocess.run(["mount", "--make-shared", str(tmp_path)], check=True)
        mount = "{name: h, mountPath: /h, mountPropagation: HostToContainer}"
        volumes = f"{{name: h, hostPath: {{path: {tmp_path}}}}}"
        cluster.apply(namespace, a_pod("spread", mount, volumes))
        wait_ready(cluster, namespace, "spread")
        (tmp_path / "sub").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "later", str(tmp_path / "sub")], check=True)
        (tmp_path / "sub" / "f").write_text("seen")

        assert cluster.kubectl("exec", "-n", namespace, "spread", "--", "cat", "/h/sub/f").stdout == "seen"
        cluster.kubectl("delete", "pod", "-n", namespace, "spread", "--wait", timeout_s=60)
    finally:
        subprocess.run(["umount", "-R", str(tmp_path)], check=True)


def test_a_pod_talks_to_the_api_with_its_own_token(cluster, namespace):
    kubectl = KUBECTLS[NEWEST]
    volumes = f"{{name: bin, hostPath: {{path: {kubectl.parent}, type: Directory}}}}"
    cluster.apply(namespace, a_pod("client", "{name: bin, mountPath: /bin2}", volumes))
    wait_ready(cluster, namespace, "client")

    def in_pod(*argv):
        return cluster.kubectl("exec", "-n", namespace, "client", "--", *argv).stdout

    # In-cluster settings: token and CA from the volume, the address from the environment.
    whoami = in_pod(f"/bin2/{kubectl.name}", "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    assert whoami == f"system:serviceaccount:{namespace}:default"
    by_name = in_pod(
        "sh",
        "-c",
        f"/bin2/{kubectl.name} --server=https://kubernetes.default --certificate-authority={TOKEN_FOLDER}/ca.crt "
        f"--token=$(cat {TOKEN_FOLDER}/token) get --raw /version",
    )
    assert "gitVersion" in by_name
    assert in_pod("cat", f"{TOKEN_FOLDER}/namespace") == namespace
    (volume,) = [
        v["name"] for v in cluster.get("pod", "client", "-n", namespace)["spec"]["volumes"] if v["name"] != "bin"
    ]
    assert volume.startswith("kube-api-access-")
