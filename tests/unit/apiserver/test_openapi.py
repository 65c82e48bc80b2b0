"""The v3 documents hold what kubectl looks for; each hash follows its content."""

import hashlib

import orjson
import pytest

from minikube_py.api.resources import RESOURCES
from minikube_py.apiserver import openapi
from minikube_py.apiserver.openapi_operations import PATCH_MEDIA_TYPES


def document(group, version="v1"):
    return orjson.loads(openapi.openapi_v3(group, version).body)


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_index_names_every_group_version_with_the_hash_of_its_document():
    index = orjson.loads(openapi.openapi_v3_index())["paths"]

    assert set(index) == {f"apis/{r.api_version}" if r.group else f"api/{r.version}" for r in RESOURCES}
    body, digest = openapi.openapi_v3("apps", "v1")
    assert digest == hashlib.sha256(body).hexdigest().upper()
    assert index["apis/apps/v1"]["serverRelativeURL"] == f"/openapi/v3/apis/apps/v1?hash={digest}"


def test_what_is_not_served_has_no_document():
    assert openapi.openapi_v3("apps", "v1beta1") is None
    assert openapi.openapi_v3("batch", "v1beta1") is None


PATCHED = [resource for resource in RESOURCES if "patch" in resource.verbs]


@pytest.mark.parametrize("resource", PATCHED, ids=lambda r: f"{r.qualified}-{r.version}")
def test_patch_operations_tell_kind_patch_types_and_parameters(resource):
    paths = document(resource.group, resource.version)["paths"]
    namespace = "{namespace}" if resource.namespaced else ""
    patch = paths[resource.path(namespace, "{name}")]["patch"]

    assert patch["x-kubernetes-group-version-kind"] == {
        "group": resource.group,
        "version": resource.version,
        "kind": resource.kind,
    }
    assert {"fieldValidation", "dryRun", "force"} <= {parameter["name"] for parameter in patch["parameters"]}
    assert tuple(patch["requestBody"]["content"]) == PATCH_MEDIA_TYPES


@pytest.mark.parametrize("group", sorted({resource.group for resource in RESOURCES}), ids=lambda g: g or "core")
def test_every_reference_leads_to_a_definition_of_the_same_document(group):
    whole = document(group, next(resource.version for resource in RESOURCES if resource.group == group))
    names = {f"#/components/schemas/{name}" for name in whole["components"]["schemas"]}

    assert set(references(whole)) <= names
    assert len(names) > 10


def test_schemas_carry_kinds_and_patch_keys():
    schemas = document("")["components"]["schemas"]

    assert schemas["io.k8s.api.core.v1.Pod"]["x-kubernetes-group-version-kind"] == [
        {"group": "", "kind": "Pod", "version": "v1"}
    ]
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert containers["x-kubernetes-patch-strategy"] == "merge"
    assert containers["x-kubernetes-list-map-keys"] == ["name"]


def test_a_subresource_of_another_group_says_so():
    scale = document("apps")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]

    assert scale["patch"]["x-kubernetes-group-version-kind"]["group"] == "autoscaling"
    assert {path["name"] for path in scale["parameters"]} == {"name", "namespace"}


def test_the_documents_can_be_built_one_at_a_time():
    assert list(openapi.building_steps())[:2] == ["api/v1", "apis/apiregistration.k8s.io/v1"]
