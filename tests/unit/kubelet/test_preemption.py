import pytest

from minikube_py.kubelet.node_admission import NodeRoom
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.preemption import choose_victims

ROOM = NodeRoom({"metadata": {"name": "node1", "labels": {}}}, {"cpu": "4", "memory": "8Gi", "pods": "10"})
CRITICAL = 2_000_000_000


def a_pod(name, cpu, priority=0, *, guaranteed=False, **spec):
    amounts = {"requests": {"cpu": cpu}} if not guaranteed else {"limits": {"cpu": cpu, "memory": "1Mi"}}
    containers = [{"name": "c", "image": "i", "resources": amounts}]
    metadata = {"name": name, "namespace": "n", "uid": name}
    return parse_pod({"metadata": metadata, "spec": {"containers": containers, "priority": priority, **spec}})


def victims(pod, *others):
    return [victim.name for victim in choose_victims(pod, ROOM, others)]


def test_nobody_goes_for_a_pod_that_is_not_critical():
    assert victims(a_pod("p", "2"), a_pod("a", "4")) == []


def test_lower_classes_and_priorities_go_first():
    others = (
        a_pod("guaranteed", "1", guaranteed=True),
        a_pod("high", "1", 10),
        a_pod("low", "1"),
        a_pod("mid", "1", 5),
    )

    assert victims(a_pod("p", "2", CRITICAL), *others) == ["low", "mid"]


def test_who_is_not_needed_stays():
    assert victims(a_pod("p", "2", CRITICAL), a_pod("small", "1"), a_pod("big", "3", 1)) == ["big"]


@pytest.mark.parametrize(
    "pod",
    [a_pod("p", "8", CRITICAL), a_pod("p", "1", CRITICAL, nodeSelector={"a": "b"})],
    ids=["too big for the node", "labels do not fit"],
)
def test_nobody_goes_in_vain(pod):
    assert victims(pod, a_pod("a", "4")) == []


def test_critical_pods_go_only_for_more_important_ones():
    other = a_pod("a", "4", CRITICAL)

    assert victims(a_pod("p", "1", CRITICAL), other) == []
    assert victims(a_pod("p", "1", CRITICAL + 1000), other) == ["a"]
