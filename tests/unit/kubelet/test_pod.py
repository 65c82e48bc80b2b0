from minikube_py.api.meta import ObjectKey
from minikube_py.kubelet.pod import EnvVar, KeyRef, container_hash, parse_pod

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


def test_a_sidecar_is_an_init_container_that_always_restarts():
    pod = parse_pod(OBJ)

    assert pod.init_containers[0].is_sidecar
    assert [c.name for c in pod.all_containers] == ["s", "c"]


def test_a_port_is_found_by_number_or_name():
    container = parse_pod(OBJ).containers[0]

    assert [container.port_number(p) for p in (80, "http", "81", "none")] == [80, 8080, 81, None]


def test_events_name_the_field_of_the_container():
    pod = parse_pod(OBJ)

    assert pod.containers[0].field_path == "spec.containers{c}"
    assert pod.init_containers[0].field_path == "spec.initContainers{s}"


def test_a_reference_is_parsed():
    assert parse_pod(OBJ).containers[0].env == (EnvVar("A", "", KeyRef("Secret", "s", "k", False)),)


def test_the_hash_changes_with_the_image_only():
    assert container_hash("c", "a") != container_hash("c", "b")
    assert parse_pod(OBJ).containers[0].hash == container_hash("c", "busybox:1")
