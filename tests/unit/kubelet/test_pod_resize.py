from dataclasses import replace

import pytest

from minikube_py.kubelet.cri import ContainerResources
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.pod_resize import (
    Allocated,
    Amounts,
    allocation_of,
    asks_for_other_resources,
    compute_resizes,
    judge_resize,
    requested,
    resize_event,
    shown_resources,
    with_allocation,
)
from minikube_py.kubelet.pod_runtime_status import pod_runtime_status
from minikube_py.kubelet.resources import container_resources
from minikube_py.testing.kubelet_records import a_run, a_sandbox

NODE = Amounts(2000, 1 << 30)


def a_pod(*, requests=None, limits=None, policy=(), status=None, annotations=None, init=()):
    container = {
        "name": "c",
        "image": "i",
        "resources": {"requests": requests or {}, "limits": limits or {}},
        "resizePolicy": [{"resourceName": name, "restartPolicy": "RestartContainer"} for name in policy],
    }
    meta = {"name": "p", "namespace": "n", "uid": "u", "generation": 2, "annotations": annotations or {}}
    return parse_pod(
        {"metadata": meta, "spec": {"containers": [container], "initContainers": list(init)}, "status": status or {}}
    )


def numbers(pod):
    return lambda container: container_resources(pod, container, 8 << 30, cpu_cfs_quota=True)


def running(resources):
    return pod_runtime_status([a_sandbox()], [replace(a_run("c"), resources=resources)])


def test_a_new_pod_is_given_what_it_asks_for():
    pod = a_pod(requests={"cpu": "1"}, limits={"cpu": "2"})

    assert allocation_of(pod) == {"c": Allocated({"cpu": "1"}, {"cpu": "2"})}
    assert not asks_for_other_resources(pod, allocation_of(pod))


def test_after_a_restart_of_the_kubelet_the_status_says_what_a_pod_was_given():
    entry = {"name": "c", "allocatedResources": {"cpu": "1"}, "resources": {"limits": {"cpu": "2"}}}
    pod = a_pod(requests={"cpu": "3"}, limits={"cpu": "4"}, status={"containerStatuses": [entry]})
    allocation = allocation_of(pod)

    assert allocation == {"c": Allocated({"cpu": "1"}, {"cpu": "2"})}
    assert asks_for_other_resources(pod, allocation)
    assert with_allocation(pod, allocation).containers[0].limits == {"cpu": "2"}


def test_the_same_amount_in_other_words_is_no_resize():
    pod = a_pod(requests={"cpu": "1", "memory": "1Gi"})

    assert not asks_for_other_resources(pod, {"c": Allocated({"cpu": "1000m", "memory": "1024Mi"}, {})})


def test_a_pod_asks_for_its_neediest_moment():
    init = [
        {"name": "s", "image": "i", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}},
        {"name": "i", "image": "i", "resources": {"requests": {"cpu": "1"}}},
    ]

    assert requested(a_pod(requests={"cpu": "500m"}, init=init)) == Amounts(1100, 0)
    assert requested(a_pod(requests={"cpu": "1500m"}, init=init)) == Amounts(1600, 0)


@pytest.mark.parametrize(
    ("requests", "annotations", "reason", "message"),
    [
        ({"cpu": "500m"}, {}, "", ""),
        (
            {"cpu": "3"},
            {},
            "Infeasible",
            "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000",
        ),
        (
            {"memory": "2Gi"},
            {},
            "Infeasible",
            "Node didn't have enough capacity: memory, requested: 2147483648, capacity: 1073741824",
        ),
        (
            {"cpu": "1500m"},
            {},
            "Deferred",
            "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
        ),
        (
            {"cpu": "500m"},
            {"kubernetes.io/config.source": "file"},
            "Infeasible",
            "In-place resize of static-pods is not supported",
        ),
    ],
    ids=["fits", "more-cpu-than-there-is", "more-memory-than-there-is", "others-have-it", "static"],
)
def test_the_node_says_whether_a_resize_fits(requests, annotations, reason, message):
    verdict = judge_resize(a_pod(requests=requests, annotations=annotations), Amounts(1000, 0), NODE)

    assert (verdict.reason, verdict.message) == (reason, message)


def test_a_running_container_with_other_numbers_is_updated():
    pod = a_pod(requests={"cpu": "1"}, limits={"cpu": "1", "memory": "64Mi"})
    plan = compute_resizes(pod, running(ContainerResources(cpu_shares=512, cpu_quota_us=50_000)), numbers(pod))

    ((run, resources),) = plan.updates
    assert (run.name, resources.cpu_shares, resources.cpu_quota_us) == ("c", 1024, 100_000)
    assert resources.memory_limit_bytes == 64 << 20
    assert not plan.restarts


def test_a_container_is_started_anew_where_its_policy_says_so_for_what_changed():
    pod = a_pod(requests={"cpu": "1"}, limits={"memory": "64Mi"}, policy=["memory"])
    same_memory = ContainerResources(cpu_shares=512, memory_limit_bytes=64 << 20)
    other_memory = ContainerResources(cpu_shares=1024, memory_limit_bytes=32 << 20)

    assert not compute_resizes(pod, running(same_memory), numbers(pod)).restarts
    assert [r.name for r in compute_resizes(pod, running(other_memory), numbers(pod)).restarts] == ["c"]


def test_a_container_that_has_what_it_was_given_needs_nothing():
    pod = a_pod(requests={"cpu": "1"}, limits={"cpu": "1"})

    assert compute_resizes(pod, running(numbers(pod)(pod.containers[0])), numbers(pod)).is_done


def test_a_status_shows_what_a_running_container_really_has():
    container = a_pod(requests={"cpu": "1"}, limits={"cpu": "1", "memory": "64Mi"}).containers[0]
    has = ContainerResources(cpu_shares=512, cpu_quota_us=50_000, memory_limit_bytes=1 << 20)

    assert shown_resources(container, None) == {
        "limits": {"cpu": "1", "memory": "64Mi"},
        "requests": {"cpu": "1"},
    }
    assert shown_resources(container, replace(a_run("c"), resources=has)) == {
        "limits": {"cpu": "500m", "memory": "1048576"},
        "requests": {"cpu": "500m"},
    }


def test_an_event_tells_what_is_asked_for():
    assert resize_event("Infeasible", a_pod(requests={"cpu": "5"}), "too much") == (
        'Pod resize Infeasible: {"containers":[{"name":"c","resources":{"requests":{"cpu":"5"}}}],'
        '"error":"too much","generation":2}'
    )
