import pytest

from minikube_py.kubelet.downward import PodFacts
from minikube_py.kubelet.environment import ConfigError, expand, make_environment, referenced_objects
from minikube_py.kubelet.pod import parse_pod

FACTS = PodFacts("192.0.2.1", "10.244.0.2", {"cpu": "2", "memory": "8Gi"})
CM = {"data": {"k": "v", "k2": "v2"}}
SECRET = {"data": {"k": "cw=="}}


def made(container, objects=None, services=None, **metadata):
    container = {"name": "c", "image": "i", **container}
    pod = parse_pod(
        {
            "metadata": {"name": "p", "namespace": "n", "uid": "u", **metadata},
            "spec": {"containers": [container], "nodeName": "node1", "serviceAccountName": "sa"},
        }
    )
    return make_environment(pod, pod.containers[0], FACTS, services or {}, objects or {})


def values(*args, **kwargs):
    return dict(made(*args, **kwargs).variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)-$(NOPE)-$$(A)", "1-$(NOPE)-$(A)"),
        ("$A $", "$A $"),
        ("$$$$", "$$"),
        ("$(A)$(A)", "11"),
        ("$(A", "$(A"),
        ("$$$(A)", "$1"),
    ],
)
def test_references_are_expanded_as_upstream_does(text, expected):
    assert expand(text, {"A": "1"}) == expected


def test_a_variable_sees_those_before_it_and_services():
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)$(S)$(C)"}, {"name": "C", "value": "3"}]

    assert values({"env": env}, services={"S": "s"})["B"] == "1s$(C)"


def test_env_overrides_env_from_and_services():
    container = {"env": [{"name": "k", "value": "mine"}], "envFrom": [{"configMapRef": {"name": "cm"}}]}
    found = values(container, {("ConfigMap", "cm"): CM}, {"k": "service", "s": "service"})

    assert found == {"k": "mine", "k2": "v2", "s": "service"}


def test_env_from_takes_a_prefix_and_a_later_source_wins():
    sources = [{"prefix": "P_", "configMapRef": {"name": "cm"}}, {"prefix": "P_", "secretRef": {"name": "s"}}]
    objects = {("ConfigMap", "cm"): CM, ("Secret", "s"): SECRET}

    assert values({"envFrom": sources}, objects) == {"P_k": "s", "P_k2": "v2"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "p"),
        ("metadata.namespace", "n"),
        ("metadata.uid", "u"),
        ("metadata.labels['app']", "web"),
        ("metadata.annotations['none']", ""),
        ("spec.nodeName", "node1"),
        ("spec.serviceAccountName", "sa"),
        ("status.hostIP", "192.0.2.1"),
        ("status.podIP", "10.244.0.2"),
    ],
)
def test_fields_of_the_pod(path, expected):
    env = [{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}]

    assert values({"env": env}, labels={"app": "web"})["X"] == expected


@pytest.mark.parametrize(
    ("resource", "divisor", "expected"),
    [
        ("limits.cpu", "", "2"),
        ("limits.cpu", "1m", "1500"),
        ("requests.memory", "1Mi", "20"),
        ("limits.memory", "1Gi", "8"),
    ],
    ids=["rounded-up", "milli", "request", "allocatable"],
)
def test_resources_of_the_container(resource, divisor, expected):
    ref = {"resource": resource, "divisor": divisor}
    resources = {"limits": {"cpu": "1500m"}, "requests": {"memory": "20Mi"}}
    env = [{"name": "X", "valueFrom": {"resourceFieldRef": ref}}]

    assert values({"env": env, "resources": resources})["X"] == expected


@pytest.mark.parametrize(
    ("source", "objects", "message"),
    [
        ({"configMapKeyRef": {"name": "cm", "key": "k"}}, {}, 'configmap "cm" not found'),
        ({"secretKeyRef": {"name": "s", "key": "k"}}, {}, 'secret "s" not found'),
        (
            {"configMapKeyRef": {"name": "cm", "key": "none"}},
            {("ConfigMap", "cm"): CM},
            "couldn't find key none in ConfigMap n/cm",
        ),
        (
            {"secretKeyRef": {"name": "s", "key": "none"}},
            {("Secret", "s"): SECRET},
            "couldn't find key none in Secret n/s",
        ),
    ],
)
def test_what_is_missing_is_named_as_upstream_does(source, objects, message):
    with pytest.raises(ConfigError) as error:
        made({"env": [{"name": "A", "valueFrom": source}]}, objects)
    assert str(error.value) == message


def test_what_is_optional_may_be_missing():
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "k", "optional": True}}}]
    container = {"env": env, "envFrom": [{"secretRef": {"name": "s", "optional": True}}]}

    assert values(container) == {}


def test_keys_that_are_no_names_are_skipped_and_told():
    environment = made({"envFrom": [{"configMapRef": {"name": "cm"}}]}, {("ConfigMap", "cm"): {"data": {"a=b": "1"}}})

    assert environment.variables == ()
    assert environment.skipped == {"configMap n/cm": ("a=b",)}


def test_data_that_is_not_base64_is_an_error_of_the_container():
    with pytest.raises(ConfigError, match="not base64"):
        made({"envFrom": [{"secretRef": {"name": "s"}}]}, {("Secret", "s"): {"data": {"k": "!"}}})


def test_each_object_is_named_once():
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": key}}} for key in ("k", "k2")]
    obj = {"metadata": {}, "spec": {"containers": [{"name": "c", "image": "i", "env": env}]}}

    assert referenced_objects(parse_pod(obj).containers[0]) == (("ConfigMap", "cm"),)
