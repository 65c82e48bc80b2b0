from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.shutdown import delay_override, grace_of, shutdown_groups


def a_pod(name, priority=0, grace_s=30):
    spec = {"containers": [], "priority": priority, "terminationGracePeriodSeconds": grace_s}
    return parse_pod({"metadata": {"namespace": "ns", "name": name, "uid": name}, "spec": spec})


def test_critical_pods_go_last_and_have_their_own_part_of_the_time():
    pods = [a_pod("system", 2_000_000_000), a_pod("web"), a_pod("job", 1000)]
    first, last = shutdown_groups(pods, 30.0, 10.0)

    assert ([pod.name for pod in first.pods], first.grace_s) == (["web", "job"], 20.0)
    assert ([pod.name for pod in last.pods], last.grace_s) == (["system"], 10.0)


def test_critical_pods_have_at_most_all_of_it():
    assert [group.grace_s for group in shutdown_groups((), 5.0, 10.0)] == [0.0, 5.0]


def test_a_pod_has_no_longer_than_it_asked_for():
    (group, _) = shutdown_groups([a_pod("quick", grace_s=2), a_pod("slow", grace_s=600)], 20.0, 0.0)

    assert [grace_of(pod, group) for pod in group.pods] == [2, 20.0]


def test_logind_is_told_in_whole_seconds():
    assert delay_override(30.0) == "[Login]\nInhibitDelayMaxSec=30\n"
