"""Nothing is lost while pods come and go."""

import json
import subprocess
import time

import pytest

from minikube_py.testing.lab.cluster import IMAGE, SECOND_IMAGE, wait_until, web
from minikube_py.testing.lab.machine import in_host

pytestmark = pytest.mark.node


def _deploy(cluster, namespace, **options):
    cluster.apply(namespace, web(**options))
    cluster.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=60s")
    return cluster.get("service", "web", "-n", namespace)["spec"]["clusterIP"]


def _pods(cluster, namespace):
    items = cluster.get("pods", "-n", namespace, "-l", "app=web")["items"]
    return {p["metadata"]["name"]: p for p in items}


def test_a_rolling_update_under_load_loses_no_request(cluster, namespace):
    address = _deploy(cluster, namespace)
    before = set(_pods(cluster, namespace))

    with cluster.load(address, 80) as outcome:
        time.sleep(1)
        cluster.kubectl("set", "image", "-n", namespace, "deployment/web", f"web={SECOND_IMAGE}")
        cluster.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=90s")
        wait_until(lambda: len(_pods(cluster, namespace)) == 3, 30, "the old pods' end")
        time.sleep(1)

    assert outcome["failures"] == 0, outcome
    assert len(outcome["answers"]) >= 6, "old and new pods answered"
    assert not before & set(_pods(cluster, namespace))


def test_a_killed_container_is_started_again(cluster, namespace):
    _deploy(cluster, namespace, replicas=1)
    (pod,) = _pods(cluster, namespace).values()
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("docker://")

    cluster.docker("kill", container)

    def restarted():
        status = cluster.get("pod", pod["metadata"]["name"], "-n", namespace)["status"]["containerStatuses"][0]
        return status["restartCount"] == 1 and status["ready"] and status

    status = wait_until(restarted, 20, "the restart")
    assert status["containerID"] != f"docker://{container}"
    assert status["lastState"]["terminated"]["exitCode"] == 137
    previous = cluster.kubectl("logs", "-n", namespace, pod["metadata"]["name"], "--previous").stdout
    assert previous == "started\n"


def test_a_deleted_pod_is_replaced_and_leaves_the_kernel_before_its_process_stops(cluster, namespace):
    service = _deploy(cluster, namespace)
    name, pod = sorted(_pods(cluster, namespace).items())[0]
    address = pod["status"]["podIP"]
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("docker://")
    # Both streams are stamped by one clock: the kernel's rule changes and the engine's first signal to the container.
    monitor = subprocess.Popen(
        in_host(
            cluster.host, ["sh", "-c", 'nft monitor elements | while read -r l; do echo "$(date +%s.%N) $l"; done']
        ),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    engine = subprocess.Popen(
        ["docker", "-H", f"unix://{cluster.host.docker_socket}", "events", "--format", "{{json .}}"]
        + ["--filter", f"container={container}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.5)

    cluster.kubectl("delete", "pod", "-n", namespace, name, "--wait")

    time.sleep(1.5)
    engine.terminate()
    subprocess.run(["pkill", "-s", str(monitor.pid)], check=False)
    rules = monitor.communicate(timeout=10)[0].splitlines()
    events = [json.loads(line) for line in engine.communicate(timeout=10)[0].splitlines()]
    killed_at = min(e["timeNano"] for e in events if e["Action"] in ("kill", "die")) / 1e9
    # Withdrawn: its element is gone, or the verdict leads to a chain that does not reach its index any more.
    withdrawn = [
        float(stamp)
        for stamp, change in (line.split(" ", 1) for line in rules)
        if (change.startswith("delete") and address in change)
        or (change.startswith("add") and service in change and "cluster-2" in change)
    ]
    assert withdrawn, rules
    assert min(withdrawn) < killed_at
    wait_until(lambda: len(_pods(cluster, namespace)) == 3, 20, "the replacement")
    assert name not in _pods(cluster, namespace)
    table = cluster.in_host("nft", "list", "ruleset").stdout
    assert address not in table


def test_endpoints_follow_readiness(cluster, namespace):
    address = _deploy(cluster, namespace, replicas=2)
    first = sorted(_pods(cluster, namespace))[0]

    cluster.kubectl("exec", "-n", namespace, first, "--", "rm", "/www/index.html")

    def only_the_other():
        try:
            return set(cluster.ask(address, 80, times=10)) == {sorted(_pods(cluster, namespace))[1]}
        except Exception:  # a 404 of the pod that is about to leave
            return False

    wait_until(only_the_other, 20, "the unready pod's leave")
    assert IMAGE
