"""The v2 document, as JSON."""

import orjson

from minikube_py.api.resources import RESOURCES
from minikube_py.apiserver import openapi_v2


def test_it_holds_every_served_kind_with_its_patch_operation():
    document = orjson.loads(openapi_v2.openapi_v2_json())
    operations = [path["patch"] for path in document["paths"].values() if "patch" in path]
    patched = [operation for operation in operations if operation["x-kubernetes-action"] == "patch"]
    kinds = {tuple(operation["x-kubernetes-group-version-kind"].values()) for operation in patched}

    assert {(r.group, r.version, r.kind) for r in RESOURCES if "patch" in r.verbs} <= kinds
    assert all("application/strategic-merge-patch+json" in operation["consumes"] for operation in patched)
    assert document["swagger"] == "2.0"


def test_a_reference_keeps_what_stands_beside_it():
    definitions = orjson.loads(openapi_v2.openapi_v2_json())["definitions"]
    selector = definitions["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["strategy"]

    assert selector["$ref"] == "#/definitions/io.k8s.api.apps.v1.DeploymentStrategy"
    assert selector["x-kubernetes-patch-strategy"] == "retainKeys"


def test_the_tag_is_quoted_and_both_forms_are_kept():
    assert openapi_v2.openapi_v2_etag().startswith('"')
    assert openapi_v2.openapi_v2_protobuf() is openapi_v2.openapi_v2_protobuf()


def test_both_forms_can_be_built_a_few_entries_at_a_time():
    steps = list(openapi_v2.building_steps())

    assert steps[0] == "openapi/v2 JSON"
    assert steps.count("openapi/v2 protobuf definitions") > 3
