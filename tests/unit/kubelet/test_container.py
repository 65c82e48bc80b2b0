from minikube_py.kubelet.container import EnvFrom, EnvVar, KeyRef, VolumeMount, container_hash, parse_containers

RAW = {
    "name": "c",
    "image": "busybox:1",
    "ports": [{"name": "http", "containerPort": 8080}],
    "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}, {"name": "B", "value": "1"}],
    "envFrom": [{"prefix": "P_", "configMapRef": {"name": "cm", "optional": True}}],
    "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "a", "readOnly": True}],
    "resources": {"limits": {"cpu": 1}},
}
SPEC = {"containers": [RAW], "initContainers": [{"name": "s", "image": "i", "restartPolicy": "Always"}]}
(CONTAINER,) = parse_containers(SPEC, "regular")
(SIDECAR,) = parse_containers(SPEC, "init")


def test_a_sidecar_is_an_init_container_that_always_restarts():
    assert SIDECAR.is_sidecar
    assert not CONTAINER.is_sidecar


def test_a_port_is_found_by_number_or_name():
    assert [CONTAINER.port_number(p) for p in (80, "http", "81", "none")] == [80, 8080, 81, None]


def test_events_name_the_field_of_the_container():
    assert CONTAINER.field_path == "spec.containers{c}"
    assert SIDECAR.field_path == "spec.initContainers{s}"


def test_the_environment_is_parsed():
    assert CONTAINER.env == (EnvVar("A", "", KeyRef("Secret", "s", "k", False)), EnvVar("B", "1", None))
    assert CONTAINER.env_from == (EnvFrom("P_", "ConfigMap", "cm", True),)


def test_mounts_and_resources_are_parsed():
    assert CONTAINER.volume_mounts == (VolumeMount("v", "/v", True, "a", "", "None", "Disabled"),)
    assert CONTAINER.limits == {"cpu": "1"}


def test_the_hash_changes_with_the_image_only():
    assert container_hash("c", "a") != container_hash("c", "b")
    assert CONTAINER.hash == container_hash("c", "busybox:1")
