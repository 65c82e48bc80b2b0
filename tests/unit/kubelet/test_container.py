import pytest

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


def a_container(kind="regular", **fields):
    field = {"regular": "containers", "init": "initContainers", "ephemeral": "ephemeralContainers"}[kind]
    (container,) = parse_containers({field: [{"name": "c", "image": "i", **fields}]}, kind)
    return container


def a_rule(operator, *codes):
    return {"restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": operator, "values": list(codes)}}]}


@pytest.mark.parametrize(
    ("container", "exit_code", "pod_policy", "restarts"),
    [
        (a_container(), 0, "Always", True),
        (a_container(), 0, "OnFailure", False),
        (a_container(), 3, "OnFailure", True),
        (a_container(), 3, "Never", False),
        (a_container(restartPolicy="Always"), 0, "Never", True),
        (a_container(restartPolicy="Never"), 3, "Always", False),
        (a_container(restartPolicy="OnFailure"), 0, "Always", False),
        (a_container(restartPolicy="Never", **a_rule("In", 42)), 42, "Always", True),
        (a_container(restartPolicy="Never", **a_rule("In", 42)), 41, "Always", False),
        (a_container(restartPolicy="Never", **a_rule("NotIn", 42)), 41, "Always", True),
        (a_container(restartPolicy="Never", **a_rule("NotIn", 42)), 42, "Always", False),
        (a_container("init", restartPolicy="Always"), 0, "Never", True),
        (a_container("ephemeral"), 1, "Always", False),
    ],
    ids=[
        *("always", "on-failure-0", "on-failure-3", "never", "own-always", "own-never", "own-on-failure"),
        *("rule-in", "rule-not-in-list", "rule-not-in", "rule-not-in-excepted", "sidecar", "ephemeral"),
    ],
)
def test_a_container_restarts_by_its_rules_then_its_policy_then_the_pod_s(container, exit_code, pod_policy, restarts):
    assert container.restarts_after(exit_code, pod_policy) is restarts


def test_the_stop_signal_and_what_a_resize_restarts_are_parsed():
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}, {"resourceName": "cpu"}]
    container = a_container(lifecycle={"stopSignal": "SIGUSR1"}, resizePolicy=policy)

    assert container.stop_signal == "SIGUSR1"
    assert container.restart_on_resize == {"memory"}
