import pytest

from minikube_py.api.errors import ConflictError
from minikube_py.api.meta import copy_object
from minikube_py.api.resources import CONFIGMAPS, PODS
from minikube_py.apiserver.decisions import WriteContext
from minikube_py.apiserver.managed_fields import apply_config, record_owners
from minikube_py.apiserver.options import WriteOptions

NOW_S = 1767225600.0


def a_context(manager, subresource="", **options):
    return WriteContext("n", "c", NOW_S, "u", WriteOptions(field_manager=manager, **options), subresource)


def a_map(**data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "uid": "u"}, "data": data}


def owners(obj):
    return {entry["manager"]: entry for entry in obj["metadata"].get("managedFields", ())}


def test_who_changes_a_field_owns_it():
    first = a_map(a="1", b="1")
    record_owners(CONFIGMAPS, None, first, a_context("one"))
    second = copy_object(first)
    second["data"]["b"] = "2"
    record_owners(CONFIGMAPS, first, second, a_context("two"))
    assert owners(second)["one"]["fieldsV1"] == {"f:data": {".": {}, "f:a": {}}}
    assert owners(second)["two"]["fieldsV1"] == {"f:data": {"f:b": {}}}
    assert owners(second)["two"]["time"] == "2026-01-01T00:00:00Z"


def test_the_status_is_owned_through_its_subresource():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "c", "uid": "u"}, "spec": {"nodeName": "x"}}
    record_owners(PODS, None, pod, a_context("one"))
    running = {**copy_object(pod), "status": {"phase": "Running"}}
    record_owners(PODS, pod, running, a_context("kubelet", "status"))
    assert owners(running)["kubelet"]["subresource"] == "status"
    assert owners(running)["kubelet"]["fieldsV1"] == {"f:status": {"f:phase": {}}}


def test_an_apply_owns_what_it_names_and_conflicts_with_others():
    applied = apply_config(CONFIGMAPS, None, a_map(a="1"), a_context("one", applied=True))
    record_owners(CONFIGMAPS, None, applied, a_context("one", applied=True))
    assert owners(applied)["one"]["operation"] == "Apply"
    applied["metadata"]["uid"] = "u"
    with pytest.raises(ConflictError, match='conflict with "one": .data.a'):
        apply_config(CONFIGMAPS, applied, a_map(a="2"), a_context("two", applied=True))
    forced = apply_config(CONFIGMAPS, applied, a_map(a="2"), a_context("two", applied=True, force=True))
    assert forced["data"] == {"a": "2"}
