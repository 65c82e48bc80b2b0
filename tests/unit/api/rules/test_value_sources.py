import pytest

from minikube_py.api.rules.value_sources import (
    ENV_FIELDS,
    VOLUME_FIELDS,
    validate_env,
    validate_field_ref,
    validate_resource_ref,
)


def env(**source):
    return {"env": [{"name": "A", "valueFrom": source}]}


FROM = "c.env[0].valueFrom"


@pytest.mark.parametrize(
    ("container", "fields"),
    [
        (env(fieldRef={"apiVersion": "v1", "fieldPath": "status.podIP"}), []),
        (env(fieldRef={"apiVersion": "v1", "fieldPath": "metadata.labels['a']"}), []),
        (env(fieldRef={"fieldPath": "status.podIP"}), [f"{FROM}.fieldRef.apiVersion"]),
        (env(fieldRef={"apiVersion": "v1"}), [f"{FROM}.fieldRef.fieldPath"]),
        (env(fieldRef={"apiVersion": "v1", "fieldPath": "metadata.labels['a b']"}), [f"{FROM}.fieldRef.fieldPath"]),
        (env(resourceFieldRef={"resource": "limits.cpu", "divisor": "1m"}), []),
        (env(resourceFieldRef={"resource": "limits.x"}), [f"{FROM}.resourceFieldRef.resource"]),
        (env(configMapKeyRef={"name": "m", "key": "k"}), []),
        (
            env(secretKeyRef={}),
            [f"{FROM}.secretKeyRef.name", f"{FROM}.secretKeyRef.key"],
        ),
        (env(configMapKeyRef={"name": "m", "key": "a/b"}), [f"{FROM}.configMapKeyRef.key"]),
        (env(), [FROM]),
        (env(configMapKeyRef={"name": "m", "key": "k"}, secretKeyRef={"name": "m", "key": "k"}), [FROM]),
        ({"envFrom": [{"prefix": "P_", "configMapRef": {"name": "m"}}]}, []),
        (
            {"envFrom": [{"prefix": "a=b", "secretRef": {"name": ""}}]},
            ["c.envFrom[0].prefix", "c.envFrom[0].secretRef.name"],
        ),
        ({"envFrom": [{"configMapRef": {"name": "A"}}]}, ["c.envFrom[0].configMapRef.name"]),
        ({"envFrom": [{}]}, ["c.envFrom[0]"]),
        ({"envFrom": [{"configMapRef": {"name": "a"}, "secretRef": {"name": "a"}}]}, ["c.envFrom[0]"]),
    ],
    ids=str,
)
def test_each_fault_names_its_field(container, fields):
    assert [f.field for f in validate_env(container, "c")] == fields


def test_volumes_may_show_other_fields_than_the_environment():
    labels = {"apiVersion": "v1", "fieldPath": "metadata.labels"}

    assert not list(validate_field_ref(labels, "f", VOLUME_FIELDS))
    assert [f.reason for f in validate_field_ref(labels, "f", ENV_FIELDS)] == ["FieldValueNotSupported"]


@pytest.mark.parametrize(
    ("reference", "fields"),
    [
        ({"containerName": "c", "resource": "requests.memory", "divisor": "1Mi"}, []),
        ({"resource": "requests.memory"}, ["r.containerName"]),
        ({"containerName": "c"}, ["r.resource"]),
        ({"containerName": "c", "resource": "limits.cpu", "divisor": "1Mi"}, ["r.divisor"]),
        ({"containerName": "c", "resource": "limits.memory", "divisor": "2"}, ["r.divisor"]),
    ],
    ids=str,
)
def test_a_resource_is_shown_in_a_known_unit(reference, fields):
    assert [f.field for f in validate_resource_ref(reference, "r", needs_container=True)] == fields
