import pytest

from minikube_py.api.quantity import NANO
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.pod_resources import is_limited, is_pod_level, pod_limits, pod_requests, whole


def a_pod(*containers, init=(), **spec):
    def made(items):
        return [
            {"name": f"c{n}", "image": "i", "restartPolicy": kind, "resources": amounts}
            for n, (kind, amounts) in enumerate(items)
        ]

    spec["containers"] = made([("", amounts) for amounts in containers])
    spec["initContainers"] = made(init)
    return parse_pod({"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": spec})


def cpu(text):
    return {"requests": {"cpu": text}}


@pytest.mark.parametrize(
    ("pod", "milli"),
    [
        (a_pod(cpu("1"), cpu("500m")), 1500),
        (a_pod(cpu("1"), init=[("", cpu("3"))]), 3000),
        (a_pod(cpu("1"), init=[("Always", cpu("2")), ("", cpu("1500m"))]), 3500),
        (a_pod(cpu("1"), init=[("", cpu("1500m")), ("Always", cpu("2"))]), 3000),
        (a_pod({"limits": {"cpu": "2"}}), 2000),
        (a_pod(cpu("1"), overhead={"cpu": "250m"}), 1250),
        (a_pod(cpu("1"), resources={"requests": {"cpu": "4"}}, overhead={"cpu": "1"}), 5000),
    ],
    ids=["sum", "hungry init", "sidecar before", "sidecar after", "limit counts", "overhead", "pod level wins"],
)
def test_requests_are_the_larger_of_two_moments(pod, milli):
    assert whole("cpu", pod_requests(pod)["cpu"]) == milli


def test_limits_add_up_and_the_pods_own_win():
    pod = a_pod({"limits": {"memory": "1Mi"}}, {}, overhead={"memory": "1Mi", "cpu": "1"})
    own = a_pod({"limits": {"memory": "1Mi"}}, resources={"limits": {"memory": "8Mi", "example.com/x": "1"}})

    assert pod_limits(pod) == {"memory": 2 * (1 << 20) * NANO}
    assert pod_limits(own) == {"memory": 8 * (1 << 20) * NANO}


def test_a_pod_is_limited_by_itself_or_by_all_its_containers():
    assert is_limited(a_pod({"limits": {"memory": "1Mi"}}), "memory")
    assert not is_limited(a_pod({"limits": {"memory": "1Mi"}}, {}), "memory")
    assert is_limited(a_pod({}, resources={"limits": {"memory": "1Mi"}}), "memory")


def test_only_some_resources_are_the_pods_own():
    assert [is_pod_level(name) for name in ("cpu", "memory", "hugepages-2Mi", "ephemeral-storage")] == [
        True,
        True,
        True,
        False,
    ]


def test_amounts_are_counted_as_upstream_counts_them():
    assert (whole("cpu", 1_500_001), whole("memory", 1)) == (2, 1)
