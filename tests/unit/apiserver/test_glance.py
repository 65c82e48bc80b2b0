import orjson
import pytest

from minikube_py.api.resources import CONFIGMAPS, PODS
from minikube_py.apiserver.canonical import canonical, decode, stamp
from minikube_py.apiserver.glance import glance
from minikube_py.store.interface import Entry

OWNERS = [{"manager": "m", "fieldsV1": {"f:data": {'k:{"name":"a"}': {}}}, "fieldsType": "FieldsV1"}]
LOOKS_LIKE_IT = ',"managedFields":[{"x":1}],"name":"y"},"apiVersion":"v1","kind":"ConfigMap"'


def an_entry(obj):
    return Entry("c", stamp(canonical(obj), 7), 7, 7)


def a_map(**meta):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", **meta}, "data": {"a": LOOKS_LIKE_IT}}


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"managedFields": OWNERS},
        {"managedFields": []},
        {"managedFields": OWNERS * 2, "namespace": "n", "labels": {"managedFields": "a"}, "uid": "u"},
        {"managedFields": OWNERS, "annotations": {"last": LOOKS_LIKE_IT, "managedFields": "["}},
        {"managedFields": OWNERS, "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "o"}]},
    ],
    ids=["none", "owners", "empty", "more", "texts", "references"],
)
def test_all_but_the_owners_of_fields_is_seen_and_the_metadata_as_it_stands(meta):
    obj = a_map(**meta)
    entry = an_entry(obj)

    seen = glance(CONFIGMAPS, entry)

    whole = orjson.loads(entry.value)
    assert orjson.loads(seen.metadata) == whole["metadata"]
    for some in (seen.obj, whole):
        some["metadata"].pop("managedFields", None)
    assert seen.obj == whole


def test_an_object_without_the_expected_kind_is_parsed():
    entry = an_entry(a_map(managedFields=OWNERS))
    seen = glance(PODS, entry)
    assert seen.obj == orjson.loads(entry.value)
    assert orjson.loads(seen.metadata) == seen.obj["metadata"]


def test_what_was_parsed_lately_is_not_parsed_again():
    entry = an_entry(a_map(managedFields=OWNERS))
    parsed = decode(entry)
    assert glance(CONFIGMAPS, entry).obj is parsed


@pytest.mark.parametrize(
    "meta", [{}, {"managedFields": []}, {"managedFields": OWNERS}], ids=["none", "empty", "owners"]
)
def test_what_looks_like_the_metadata_further_down_is_not_taken_for_it(meta):
    looks_like_it = [{"a": 1, "managedFields": OWNERS, "name": "x"}, {"a": {}, "apiVersion": "v1", "kind": "Pod"}]
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", **meta}, "spec": {"x": looks_like_it * 2}}
    entry = an_entry(obj)

    seen, whole = glance(PODS, entry), orjson.loads(entry.value)

    assert orjson.loads(seen.metadata) == whole["metadata"]
    assert seen.obj["spec"] == whole["spec"]
