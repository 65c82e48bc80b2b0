from minikube_py.api.meta import ObjectKey
from minikube_py.kubelet.pod import parse_pod

OBJ = {
    "metadata": {
        "name": "web",
        "namespace": "n",
        "uid": "u",
        "generation": 2,
        "deletionTimestamp": "2026-01-01T00:00:30Z",
        "deletionGracePeriodSeconds": 30,
    },
    "spec": {
        "containers": [
            {
                "name": "c",
                "image": "busybox:1",
                "ports": [{"name": "http", "containerPort": 8080}],
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
            }
        ],
        "initContainers": [{"name": "s", "image": "i", "restartPolicy": "Always"}],
    },
    "status": {"phase": "Running"},
}


def test_a_pod_is_parsed_with_upstreams_defaults():
    pod = parse_pod(OBJ)

    assert pod.key == ObjectKey("n", "web")
    assert (pod.restart_policy, pod.termination_grace_s, pod.dns_policy) == ("Always", 30.0, "ClusterFirst")
    assert pod.enable_service_links
    assert pod.phase == "Running"
    assert pod.full_name == "web_n(u)"


def test_a_pod_that_is_deleted_says_until_when():
    pod = parse_pod(OBJ)

    assert pod.is_deleting
    assert (pod.deletion_timestamp_s, pod.deletion_grace_s) == (1767225630.0, 30.0)


def test_grace_of_zero_is_not_the_default():
    spec = {"containers": [], "terminationGracePeriodSeconds": 0}

    assert parse_pod({"metadata": {}, "spec": spec}).termination_grace_s == 0.0


def test_all_containers_come_in_the_order_in_which_they_start():
    assert [c.name for c in parse_pod(OBJ).all_containers] == ["s", "c"]


def test_events_name_the_pod_with_its_kind():
    involved = parse_pod(OBJ).involved

    assert (involved["apiVersion"], involved["kind"], involved["metadata"]) == ("v1", "Pod", OBJ["metadata"])
