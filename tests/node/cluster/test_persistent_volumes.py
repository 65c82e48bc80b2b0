"""Claims and volumes on a real host: bound, provisioned, used, kept or deleted."""

import pytest

from minikube_py.controllers.volume_recycler import IMAGE as RECYCLER_IMAGE
from minikube_py.testing.lab.cluster import IMAGE, wait_until
from minikube_py.testing.lab.machine import run

pytestmark = pytest.mark.node


def a_claim(name, more="", size="1Mi"):
    return f"""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {name}}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: {size}}}}}
{more}
"""


def a_volume(name, source, node, more="", size="1Mi"):
    return f"""
apiVersion: v1
kind: PersistentVolume
metadata: {{name: {name}}}
spec:
  accessModes: [ReadWriteOnce]
  capacity: {{storage: {size}}}
  persistentVolumeReclaimPolicy: Retain
  {source}
  nodeAffinity:
    required:
      nodeSelectorTerms:
      - matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [{node}]}}]
{more}
"""


def a_pod(name, claim, script="sleep 3600 & wait"):
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {{fsGroup: 3000, runAsUser: 1000}}
  volumes: [{{name: v, persistentVolumeClaim: {{claimName: {claim}}}}}]
  containers:
  - name: c
    image: {IMAGE}
    command: ["sh", "-c", 'trap "exit 0" TERM; {script}']
    volumeMounts: [{{name: v, mountPath: /v}}]
"""


def wait_ready(cluster, namespace, name):
    cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def phase(cluster, kind, name, *namespace):
    found = cluster.kubectl("get", kind, name, *namespace, "-o", "jsonpath={.status.phase}", check=False)
    return found.stdout


def says(cluster, namespace, text):
    return text in cluster.kubectl("get", "events", "-n", namespace).stdout


def unschedulable(cluster, namespace, name):
    conditions = cluster.get("pod", name, "-n", namespace)["status"].get("conditions") or ()
    return next((c.get("message", "") for c in conditions if c["type"] == "PodScheduled"), "")


def test_a_claim_gets_a_folder_on_the_node_of_its_pod_and_the_folder_goes_with_it(cluster, namespace):
    cluster.apply(namespace, a_claim("data"))
    wait_until(lambda: says(cluster, namespace, "waiting for first consumer to be created"), 60, "the event")
    assert phase(cluster, "pvc", "data", "-n", namespace) == "Pending"

    cluster.apply(namespace, a_pod("first", "data", "echo kept >/v/f; sleep 3600 & wait"))
    wait_ready(cluster, namespace, "first")
    claim = cluster.get("pvc", "data", "-n", namespace)
    assert (claim["status"]["phase"], claim["spec"]["storageClassName"]) == ("Bound", "local-path")
    assert claim["status"]["capacity"] == {"storage": "1Mi"}
    volume = cluster.get("pv", claim["spec"]["volumeName"])
    (folder,) = cluster.host.data_dir.glob(f"agent/storage/{volume['metadata']['name']}_*")
    assert volume["spec"]["hostPath"]["path"] == str(folder)
    cluster.kubectl("delete", "pod", "-n", namespace, "first", "--wait", timeout_s=60)

    cluster.apply(namespace, a_pod("second", "data"))
    wait_ready(cluster, namespace, "second")
    assert cluster.kubectl("exec", "-n", namespace, "second", "--", "cat", "/v/f").stdout == "kept\n"

    cluster.kubectl("delete", "pod", "-n", namespace, "second", "--wait", timeout_s=60)
    cluster.kubectl("delete", "pvc", "-n", namespace, "data", "--wait", timeout_s=60)
    wait_until(lambda: not folder.exists(), 60, "the folder to be gone")
    wait_until(lambda: phase(cluster, "pv", volume["metadata"]["name"]) == "", 60, "the volume to be gone")


def test_a_volume_made_by_hand_is_bound_used_by_its_group_and_kept(cluster, namespace, tmp_path):
    node = cluster.get("nodes")["items"][0]["metadata"]["name"]
    (tmp_path / "old").write_text("x")
    (tmp_path / "old").chmod(0o600)
    manual = "  storageClassName: manual"
    local = f"local: {{path: {tmp_path}}}"
    names = [f"small-{namespace}", f"big-{namespace}"]
    try:
        cluster.apply(namespace, a_volume(names[1], local, node, manual, "2Gi"))
        cluster.apply(namespace, a_volume(names[0], local, node, manual, "1Gi"))
        wait_until(lambda: all(phase(cluster, "pv", n) == "Available" for n in names), 60, "the volumes")
        cluster.apply(namespace, a_claim("mine", manual, "512Mi"))
        wait_until(lambda: phase(cluster, "pvc", "mine", "-n", namespace) == "Bound", 60, "the claim")
        assert cluster.get("pvc", "mine", "-n", namespace)["spec"]["volumeName"] == names[0]

        cluster.apply(namespace, a_pod("user", "mine", "cat /v/old >/v/new; sleep 3600 & wait"))
        wait_ready(cluster, namespace, "user")
        assert wait_until(lambda: (tmp_path / "new").exists() and (tmp_path / "new").read_text(), 60) == "x"
        assert (tmp_path / "new").stat().st_gid == 3000
        # Those are for volumes that somebody attaches to the node, which none of these kinds is.
        assert not {"volumesInUse", "volumesAttached"} & set(cluster.get("node", node)["status"])

        cluster.kubectl("delete", "pod", "-n", namespace, "user", "--wait", timeout_s=60)
        cluster.kubectl("delete", "pvc", "-n", namespace, "mine", "--wait", timeout_s=60)
        wait_until(lambda: phase(cluster, "pv", names[0]) == "Released", 60, "the release")
        assert (tmp_path / "new").read_text() == "x"
    finally:
        cluster.kubectl("delete", "pv", *names, "--ignore-not-found", "--wait", timeout_s=60)


def events_of(cluster, volume, reason):
    selector = f"--field-selector=involvedObject.kind=PersistentVolume,involvedObject.name={volume},reason={reason}"
    return [event["message"] for event in cluster.get("events", "-A", selector)["items"]]


def a_recycled_volume(name, path, node):
    source = f"hostPath: {{path: {path}, type: Directory}}"
    return a_volume(name, source, node, "  storageClassName: again").replace("Policy: Retain", "Policy: Recycle")


def test_a_recycled_volume_comes_back_empty_once_its_recycler_can_empty_it(cluster, namespace, tmp_path):
    node = cluster.get("nodes")["items"][0]["metadata"]["name"]
    name, recycler = f"again-{namespace}", ("pod", f"recycler-for-again-{namespace}")
    (busy := tmp_path / "busy").mkdir()
    tmp_path.chmod(0o777)
    run(["mount", "-t", "tmpfs", "tmpfs", str(busy)])
    cluster.docker("tag", IMAGE, RECYCLER_IMAGE)
    cluster.apply(namespace, a_recycled_volume(name, tmp_path, node))
    try:
        cluster.apply(namespace, a_claim("once", "  storageClassName: again"))
        wait_until(lambda: phase(cluster, "pvc", "once", "-n", namespace) == "Bound", 60, "the claim")
        cluster.apply(namespace, a_pod("user", "once", "mkdir -p /v/.hidden/deep; echo x >/v/f; sleep 3600 & wait"))
        wait_ready(cluster, namespace, "user")
        wait_until((tmp_path / "f").exists, 60, "the file")
        cluster.kubectl("delete", "pod", "-n", namespace, "user", "--wait", timeout_s=60)
        cluster.kubectl("delete", "pvc", "-n", namespace, "once", "--wait", timeout_s=60)
        wait_until(lambda: phase(cluster, "pv", name) == "Failed", 60, "the failure: a mount cannot be deleted")
        why = "Recycle failed: failed to recycle volume: pod failed, pod.Status.Message unknown"
        wait_until(lambda: events_of(cluster, name, "VolumeFailedRecycle") == [why], 60, "the event")
        of_pod = {f"Recycler pod: {words}" for words in ("Container created", "Container started")}
        wait_until(lambda: of_pod <= set(events_of(cluster, name, "RecyclerPod")), 60, "the pod's own events")

        run(["umount", str(busy)])
        # Not to wait until it is tried again.
        cluster.kubectl("delete", *recycler, "--ignore-not-found", "--wait", timeout_s=60)
        wait_until(lambda: phase(cluster, "pv", name) == "Available", 60, "the volume to be there again")
        assert list(tmp_path.iterdir()) == []
        wait_until(lambda: events_of(cluster, name, "VolumeRecycled") == ["Volume recycled"], 60, "the event")
        wait_until(lambda: "NotFound" in cluster.kubectl("get", *recycler, check=False).stderr, 60, "the pod to go")
        cluster.apply(namespace, a_claim("twice", "  storageClassName: again"))
        wait_until(lambda: phase(cluster, "pvc", "twice", "-n", namespace) == "Bound", 60, "the next claim")
    finally:
        run(["umount", "-l", str(busy)], check=False)
        cluster.docker("rmi", RECYCLER_IMAGE, check=False)
        cluster.kubectl("delete", "pod,pvc", "-n", namespace, "--all", "--wait", timeout_s=60)
        cluster.kubectl("delete", "pv", name, "--ignore-not-found", "--wait", timeout_s=60)


def test_a_pod_whose_volume_cannot_be_had_says_why(cluster, namespace, tmp_path):
    away, nfs = f"away-{namespace}", f"nfs-{namespace}"
    node = cluster.get("nodes")["items"][0]["metadata"]["name"]
    try:
        cluster.apply(namespace, a_pod("lonely", "none"))
        local = f"local: {{path: {tmp_path}}}"
        cluster.apply(namespace, a_volume(away, local, "elsewhere", "  storageClassName: away"))
        cluster.apply(namespace, a_claim("away", "  storageClassName: away"))
        cluster.apply(
            namespace, a_volume(nfs, "nfs: {server: 127.0.0.1, path: /none}", node, "  storageClassName: exports")
        )
        cluster.apply(namespace, a_claim("nfs", "  storageClassName: exports"))
        for name in ("away", "nfs"):
            wait_until(lambda: phase(cluster, "pvc", name, "-n", namespace) == "Bound", 15, name)  # noqa: B023
            cluster.apply(namespace, a_pod(name, name))

        texts = {"lonely": 'persistentvolumeclaim "none" not found', "away": "didn't match PersistentVolume's node"}
        for name, text in texts.items():
            wait_until(lambda: text in unschedulable(cluster, namespace, name), 15, text)  # noqa: B023
        failed = f'MountVolume.SetUp failed for volume "{nfs}" : mount failed: exit status'
        wait_until(lambda: says(cluster, namespace, failed), 60, "the event")
    finally:
        cluster.kubectl("delete", "pod", "-n", namespace, "--all", "--wait", timeout_s=60)
        cluster.kubectl("delete", "pvc", "-n", namespace, "--all", "--wait", timeout_s=60)
        cluster.kubectl("delete", "pv", away, nfs, "--ignore-not-found", "--wait", timeout_s=60)
