"""Every built-in kind with every field, in JSON and as Go's clients write it in protobuf, is the same object.

The commands of both kinds of kubectl are compared in test_kubectl_resources.py.
"""

import orjson
import pytest

from minikube_py.api.decode import JSON, PROTOBUF, decode_object, expected_of
from minikube_py.api.resources import RESOURCES, find_resource
from minikube_py.api.schema import schema_of
from minikube_py.client.wire import ApiRequest
from minikube_py.testing.full_objects import full_object
from minikube_py.testing.go_protobuf import go_body
from minikube_py.testing.least_objects import least_object
from minikube_py.testing.memory_api_server import memory_api_server

KINDS = [resource for resource in RESOURCES if resource.group != "metrics.k8s.io"]
JSON_ONLY = {"statefulsets": ("spec", "volumeClaimTemplates")}
"""Lists of whole objects: protobuf leaves out their elements' apiVersion and kind, and defaults put them back."""


def in_both_forms(resource, obj):
    expected = expected_of(resource)
    obj |= {"apiVersion": expected.api_version, "kind": expected.kind}
    for body, content_type in ((orjson.dumps(obj), JSON), (go_body(obj), PROTOBUF)):
        yield decode_object(body, content_type, expected, "Strict").obj


def full(resource, filling):
    obj = full_object(schema_of(resource.api_version, resource.kind), filling)
    obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind
    at = JSON_ONLY.get(resource.plural)
    for element in obj[at[0]][at[1]] if at else ():
        for name in ("apiVersion", "kind"):
            element.pop(name, None)
    return obj


def without_empty_lists(value):
    """A required list that is empty stays in JSON and is not there in protobuf: both mean an empty one."""
    if isinstance(value, dict):
        return {key: without_empty_lists(inner) for key, inner in value.items() if inner != []}
    return [without_empty_lists(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("filling", ["values", "zeros", "nothing"])
@pytest.mark.parametrize("resource", KINDS, ids=lambda r: f"{r.plural}.{r.version}.{r.group}")
def test_each_field_means_the_same_in_both_forms(resource, filling):
    sent_json, sent_protobuf = in_both_forms(resource, full(resource, filling))
    assert without_empty_lists(sent_protobuf) == without_empty_lists(sent_json)
    if filling == "values":
        assert len(orjson.dumps(sent_json)) > 500


ZEROS = {
    "a bound of zero": ("minimum", 0.0),
    "a length of zero": ("minLength", 0),
    "no items": ("maxItems", 0),
    "no fields": ("maxProperties", 0),
    "no preserving": ("x-kubernetes-preserve-unknown-fields", False),
}


@pytest.mark.parametrize("why", ZEROS)
def test_a_zero_in_a_custom_resources_schema_is_kept(why):
    keyword, zero = ZEROS[why]
    crds = find_resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
    crd = least_object(crds)
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {
        "properties": {"a": {"type": "integer", keyword: zero}}
    }
    for kept in in_both_forms(crds, crd):
        schema = kept["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        assert schema["properties"]["a"] == {"type": "integer", keyword: zero}


EMPTY_LISTS = {"limitranges": "limits", "csinodes": "drivers"}


@pytest.mark.parametrize("plural", EMPTY_LISTS)
async def test_a_required_list_that_may_be_empty_is_empty_in_either_form(plural):
    resource = next(r for r in RESOURCES if r.plural == plural)
    obj = least_object(resource) | {"spec": {EMPTY_LISTS[plural]: []}}
    server = memory_api_server()
    await server.bootstrap()
    path, answers = resource.path("default" if resource.namespaced else ""), []
    for body, content_type in ((orjson.dumps(obj), JSON), (go_body(obj), PROTOBUF)):
        request = ApiRequest("POST", path, {"dryRun": "All"}, {"content-type": content_type}, body)
        answers.append(orjson.loads((await server.local_transport().send(request)).body))
    assert [answer["spec"] for answer in answers] == [{EMPTY_LISTS[plural]: []}] * 2
