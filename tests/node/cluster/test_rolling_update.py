"""Nothing is lost while pods come and go."""

import re
import subprocess
import time

import pytest

from minikube_py.testing.lab.cluster import IMAGE, SECOND_IMAGE, wait_until, web
from minikube_py.testing.lab.machine import LabError

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
        wait_until(lambda: len(_pods(cluster, namespace)) == 3, 60, "the old pods' end")
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

    status = wait_until(restarted, 60, "the restart")
    assert status["containerID"] != f"docker://{container}"
    assert status["lastState"]["terminated"]["exitCode"] == 137
    previous = cluster.kubectl("logs", "-n", namespace, pod["metadata"]["name"], "--previous").stdout
    assert previous == "started\n"


def _reached(ruleset, service):
    """Return the endpoints that a Service's verdict leads to; further elements may stand a little longer."""
    (count,) = re.findall(rf"{service} \. tcp \. 80 : goto cluster-(\d+)", ruleset)
    targets = dict(re.findall(rf"{service} \. tcp \. 80 \. (\d+) : ([\d.]+) \. ", ruleset))
    return {targets[str(index)] for index in range(int(count))}


def test_a_deleted_pod_is_replaced_and_leaves_the_kernel_before_its_process_stops(cluster, namespace):
    service = _deploy(cluster, namespace)
    name, pod = sorted(_pods(cluster, namespace).items())[0]
    address = pod["status"]["podIP"]
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("docker://")
    assert address in _reached(cluster.in_host("nft", "list", "ruleset").stdout, service)
    events = ["events", "--since", str(int(time.time())), "--filter", f"container={container}"]
    engine = subprocess.Popen(
        ["docker", "-H", f"unix://{cluster.host.docker_socket}", *events, "--format", "{{.Action}}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    cluster.kubectl("delete", "pod", "-n", namespace, name, "--wait=false")
    next(line for line in engine.stdout if line.split()[0] in ("kill", "die"))
    at_its_end = cluster.in_host("nft", "list", "ruleset").stdout
    engine.kill()
    engine.communicate()

    assert address not in _reached(at_its_end, service)
    wait_until(lambda: len(_pods(cluster, namespace)) == 3, 60, "the replacement")
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
        except LabError:  # a 404 of the pod that is about to leave
            return False

    wait_until(only_the_other, 60, "the unready pod's leave")
    assert IMAGE
