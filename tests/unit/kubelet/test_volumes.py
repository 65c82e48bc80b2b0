import pytest

from minikube_py.kubelet.downward import PodFacts
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.volumes import (
    ProjectedFile,
    VolumeError,
    VolumeInputs,
    referenced_objects,
    render_payload,
    token_sources,
    volume_directory,
)

FACTS = PodFacts("192.0.2.1", "", {"cpu": "2"})
OBJECTS = {
    ("ConfigMap", "cm"): {"data": {"k": "v"}, "binaryData": {"b": "AAE="}},
    ("Secret", "s"): {"data": {"k": "cw=="}},
}


def a_pod(security=None, **volume):
    spec = {
        "containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "1500m"}}}],
        "volumes": [{"name": "v", **volume}],
        "securityContext": security or {},
    }
    return parse_pod({"metadata": {"name": "p", "namespace": "n", "labels": {"a": "1"}}, "spec": spec})


def payload(objects=None, security=None, **volume):
    pod = a_pod(security, **volume)
    inputs = VolumeInputs(
        OBJECTS if objects is None else objects, dict.fromkeys(token_sources(pod.volumes), "t"), FACTS
    )
    return render_payload(pod, pod.volumes[0].source, inputs)


def test_all_keys_become_files():
    assert payload(configMap={"name": "cm"}) == (
        ProjectedFile("b", b"\x00\x01", 0o644),
        ProjectedFile("k", b"v", 0o644),
    )


def test_items_choose_keys_paths_and_modes():
    items = [{"key": "k", "path": "dir/k.txt", "mode": 0o400}]

    assert payload(secret={"secretName": "s", "items": items}) == (ProjectedFile("dir/k.txt", b"s", 0o400),)


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
        (
            {"configMap": {"name": "cm", "items": [{"key": "no", "path": "p"}]}},
            "configmap references non-existent config key: no",
        ),
        (
            {"secret": {"secretName": "s", "items": [{"key": "no", "path": "p"}]}},
            "references non-existent secret key: no",
        ),
        ({"configMap": {"name": "cm", "items": [{"key": "k", "path": "../x"}]}}, "invalid path ../x"),
    ],
)
def test_what_is_missing_or_wrong_is_named(volume, message):
    with pytest.raises(VolumeError, match="^" + message.split(":")[0]):
        payload(**volume)


def test_data_that_is_not_base64_is_an_error_of_the_volume():
    with pytest.raises(VolumeError, match="not base64"):
        payload({("Secret", "s"): {"data": {"k": "!"}}}, secret={"secretName": "s"})


@pytest.mark.parametrize("kind", [{"configMap": {"name": "none"}}, {"secret": {"secretName": "none"}}])
def test_what_is_optional_may_be_missing(kind):
    ((name, source),) = kind.items()

    assert payload(**{name: {**source, "optional": True}}) == ()


def test_the_downward_api_shows_fields_and_resources():
    items = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "cpu", "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu"}},
    ]

    assert {f.path: f.data for f in payload(downwardAPI={"items": items})} == {"labels": b'a="1"', "cpu": b"2"}


def test_a_projected_volume_joins_its_sources():
    sources = [{"configMap": {"name": "cm"}}, {"secret": {"name": "s"}}, {"serviceAccountToken": {"path": "token"}}]
    files = {f.path: f.data for f in payload(projected={"sources": sources})}

    assert files == {"b": b"\x00\x01", "k": b"s", "token": b"t"}


@pytest.mark.parametrize(
    ("security", "mode", "owner"),
    [({}, 0o644, None), ({"runAsUser": 7}, 0o600, 7), ({"fsGroup": 5}, 0o600, None)],
    ids=["anybody", "one-user", "group"],
)
def test_a_token_is_readable_by_those_who_need_it(security, mode, owner):
    (file,) = payload(security=security, projected={"sources": [{"serviceAccountToken": {"path": "token"}}]})

    assert (file.mode, file.owner) == (mode, owner)


def test_each_referenced_object_is_named_once():
    sources = [{"configMap": {"name": "cm"}}, {"configMap": {"name": "cm"}}]

    assert referenced_objects(a_pod(projected={"sources": sources}).volumes) == (("ConfigMap", "cm"),)


@pytest.mark.parametrize(
    ("volume", "path"),
    [
        ({"emptyDir": {}}, "/d/volumes/kubernetes.io~empty-dir/v"),
        ({"configMap": {"name": "cm"}}, "/d/volumes/kubernetes.io~configmap/v"),
        ({"downwardAPI": {}}, "/d/volumes/kubernetes.io~downward-api/v"),
        ({"nfs": {"server": "s", "path": "/p"}}, "/d/volumes/kubernetes.io~nfs/v"),
    ],
)
def test_volumes_stand_where_upstream_puts_them(volume, path):
    assert volume_directory("/d", a_pod(**volume).volumes[0]) == path
