import pytest

from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.resources import (
    cgroup_parent,
    cgroup_parents,
    container_resources,
    cpu_quota_us,
    cpu_shares,
    oom_score_adj,
    qos_class,
)

GIB = 1 << 30
BOTH = {"cpu": "1", "memory": "64Mi"}


def a_pod(*resources, init=(), uid="1-2", **spec):
    def container(name, amounts):
        return {"name": name, "image": "i", "resources": amounts}

    spec["containers"] = [container(f"c{n}", amounts) for n, amounts in enumerate(resources or ({},))]
    spec["initContainers"] = [container(f"i{n}", amounts) for n, amounts in enumerate(init)]
    return parse_pod({"metadata": {"name": "p", "namespace": "n", "uid": uid}, "spec": spec})


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (a_pod(), "BestEffort"),
        (a_pod({"requests": {"cpu": "0"}}), "BestEffort"),
        (a_pod({"requests": BOTH, "limits": BOTH}), "Guaranteed"),
        (a_pod({"limits": BOTH}), "Guaranteed"),
        (a_pod({"requests": {"cpu": "1000m", "memory": "64Mi"}, "limits": BOTH}), "Guaranteed"),
        (a_pod({"requests": {"cpu": "500m", "memory": "64Mi"}, "limits": BOTH}), "Burstable"),
        (a_pod({"limits": {"cpu": "1"}}), "Burstable"),
        (a_pod({"requests": BOTH, "limits": BOTH}, {}), "Burstable"),
        (a_pod({"requests": BOTH, "limits": BOTH}, init=({},)), "Burstable"),
        (a_pod({"requests": {"ephemeral-storage": "1Gi"}}), "BestEffort"),
    ],
)
def test_qos_class(pod, expected):
    assert qos_class(pod) == expected


@pytest.mark.parametrize(("milli", "shares"), [(0, 2), (1, 2), (100, 102), (1000, 1024), (10**9, 262_144)])
def test_shares_follow_the_request(milli, shares):
    assert cpu_shares(milli) == shares


@pytest.mark.parametrize(("milli", "quota"), [(0, 0), (1, 1000), (250, 25_000), (2000, 200_000)])
def test_quota_follows_the_limit(milli, quota):
    assert cpu_quota_us(milli) == quota


def test_a_limit_stands_for_a_missing_request():
    pod = a_pod({"limits": {"cpu": "250m", "memory": "64Mi"}})
    made = container_resources(pod, pod.containers[0], 8 * GIB, cpu_cfs_quota=True)

    assert (made.cpu_shares, made.cpu_quota_us, made.memory_limit_bytes) == (256, 25_000, 64 << 20)


def test_quota_can_be_switched_off():
    pod = a_pod({"limits": {"cpu": "250m"}})

    assert container_resources(pod, pod.containers[0], GIB, cpu_cfs_quota=False).cpu_quota_us == 0


@pytest.mark.parametrize(
    ("pod", "score"),
    [
        (a_pod(), 1000),
        (a_pod({"limits": BOTH}), -997),
        (a_pod(priority=2_000_001_000), -997),
        (a_pod({"requests": {"memory": "1Mi"}}), 999),
        (a_pod({"requests": {"memory": "512Mi"}}), 500),
        (a_pod({"requests": {"memory": "1Gi"}}), 3),
    ],
    ids=["best-effort", "guaranteed", "critical", "small", "half", "everything"],
)
def test_the_more_memory_is_asked_for_the_less_willingly_it_is_killed(pod, score):
    assert oom_score_adj(pod, pod.containers[0], GIB) == score


@pytest.mark.parametrize(
    ("pod", "driver", "parent"),
    [
        (a_pod(), "cgroupfs", "/kubepods/besteffort/pod1-2"),
        (a_pod({"limits": BOTH}), "cgroupfs", "/kubepods/pod1-2"),
        (a_pod({"limits": {"cpu": "1"}}), "systemd", "kubepods-burstable-pod1_2.slice"),
        (a_pod({"limits": BOTH}), "systemd", "kubepods-pod1_2.slice"),
    ],
)
def test_the_cgroup_is_named_as_upstream_does(pod, driver, parent):
    assert cgroup_parent(pod, "/", driver) == parent
    assert parent in cgroup_parents(pod.uid, "/", driver)


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"limits": BOTH}, "Guaranteed"),
        ({"requests": BOTH, "limits": BOTH}, "Guaranteed"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        ({"requests": BOTH}, "Burstable"),
        ({"requests": {"cpu": "0"}}, "BestEffort"),
    ],
)
def test_resources_of_the_pod_decide_its_class_alone(resources, expected):
    assert qos_class(a_pod({"requests": BOTH, "limits": BOTH}, {}, resources=resources)) == expected


def test_what_a_pod_requests_beyond_its_containers_is_shared_out_in_scores():
    pod = a_pod({"requests": {"memory": "1Gi"}}, {}, resources={"requests": {"memory": "5Gi"}})
    first, second = pod.containers

    assert oom_score_adj(pod, first, 10 * GIB) == 1000 - 300
    assert oom_score_adj(pod, second, 10 * GIB) == 1000 - 200


def test_a_sidecar_does_not_go_before_the_containers_that_it_serves():
    spec = {
        "initContainers": [{"name": "s", "image": "i", "restartPolicy": "Always", "resources": {}}],
        "containers": [{"name": "c", "image": "i", "resources": {"requests": {"memory": "1Gi"}}}],
    }
    pod = parse_pod({"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": spec})

    assert oom_score_adj(pod, pod.init_containers[0], 10 * GIB) == 900
