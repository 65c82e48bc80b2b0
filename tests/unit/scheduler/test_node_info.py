"""What pods ask for and what nodes have left."""

import pytest

from minikube_py.scheduler.node_info import (
    DEFAULT_CPU_MILLI,
    DEFAULT_MEMORY,
    HostPort,
    amount,
    compute_requests,
    host_ports_of,
    read_node,
    read_pod,
    with_pods,
)
from minikube_py.testing.workload_objects import a_node, a_pod, an_owner


def a_container(cpu: str | None = None, *, sidecar: bool = False):
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}} if cpu else {}}
    return container | ({"restartPolicy": "Always"} if sidecar else {})


def asking(containers, init=(), **spec):
    return a_pod(spec={"containers": list(containers), "initContainers": list(init), **spec})


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param(asking([a_container("100m"), a_container("1")]), 1100, id="sum of containers"),
        pytest.param(asking([a_container("100m")], [a_container("2")]), 2000, id="a hungry initialisation"),
        pytest.param(asking([a_container("1")], [a_container("2"), a_container("3")]), 3000, id="one step at a time"),
        pytest.param(asking([a_container("1")], [a_container("500m", sidecar=True)]), 1500, id="sidecars stay"),
        pytest.param(
            asking([a_container("1")], [a_container("500m", sidecar=True), a_container("2")]),
            2500,
            id="a step runs beside the sidecars before it",
        ),
        pytest.param(
            asking([a_container("1")], [a_container("2"), a_container("500m", sidecar=True)]),
            2000,
            id="and not beside those after it",
        ),
        pytest.param(asking([a_container("1")], overhead={"cpu": "250m"}), 1250, id="overhead"),
        pytest.param(
            asking([a_container("1")], resources={"requests": {"cpu": "3"}}), 3000, id="the pod's own request counts"
        ),
    ],
)
def test_a_pod_asks_for_its_hungriest_moment(pod, expected) -> None:
    assert compute_requests(pod)["cpu"] == expected


def test_pods_without_requests_ask_for_nothing_but_count_in_scores() -> None:
    pod = read_pod(asking([a_container(), a_container()]))

    assert pod.requests == {}
    assert pod.score_requests == {"cpu": 2 * DEFAULT_CPU_MILLI, "memory": 2 * DEFAULT_MEMORY}


def test_amounts_are_integers_rounded_up() -> None:
    assert amount("cpu", "0.1") == 100
    assert amount("memory", "1Ki") == 1024
    assert amount("cpu", "100u") == 1
    assert amount("memory", "nonsense") == 0


def test_a_node_counts_its_pods() -> None:
    node = read_node(
        a_node(), (read_pod(asking([a_container("1")])), read_pod(a_pod("q", owner=an_owner("R", "r", "u"))))
    )

    assert node.free("cpu") == 3000
    assert node.used["pods"] == 2
    assert with_pods(node, ()).free("cpu") == 4000
    assert [pod.owner_uid for pod in node.pods] == ["", "u"]


def test_images_are_known_by_all_their_names() -> None:
    node = a_node()
    node["status"]["images"] = [{"names": ["busybox:1", "busybox@sha256:x"], "sizeBytes": 7}]

    assert read_node(node).images == {"busybox:1": 7, "busybox@sha256:x": 7}


def test_host_ports_clash_on_the_same_address_or_on_all() -> None:
    port = {"containerPort": 80, "hostPort": 8080}
    pod = a_pod(spec={"containers": [{"name": "c", "image": "i", "ports": [port, {"containerPort": 81}]}]})
    (taken,) = host_ports_of(pod)

    assert taken == HostPort("0.0.0.0", "TCP", 8080)
    assert taken.clashes(HostPort("10.0.0.1", "TCP", 8080))
    assert not taken.clashes(HostPort("0.0.0.0", "UDP", 8080))
    assert not HostPort("10.0.0.1", "TCP", 80).clashes(HostPort("10.0.0.2", "TCP", 80))


def test_a_container_that_asks_for_nothing_counts_for_a_little_and_one_that_asks_for_0_for_that() -> None:
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "0"}}}

    assert read_pod(a_pod(spec={"containers": [container]})).score_requests == {"cpu": 0, "memory": DEFAULT_MEMORY}
