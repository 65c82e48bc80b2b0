from minikube_py.api.custom.rows import rows_of
from minikube_py.api.resources import PODS
from minikube_py.apiserver.openapi_custom import OBJECT_META, custom_definitions
from minikube_py.testing.custom_objects import WIDGET_SCHEMA, a_served_definition, a_version

SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "maybe": {"type": "string", "nullable": True, "default": "x"},
                "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
                "rest": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": True,
                    "properties": {"a": {"type": "string"}},
                },
            },
        }
    },
}


def refer(name, beside):
    return {**beside, "$ref": name}


def test_built_in_kinds_have_none():
    assert custom_definitions(PODS, refer) == {}


def test_an_object_and_its_list_are_published():
    (row,) = rows_of(a_served_definition())
    definitions = custom_definitions(row, refer)
    assert set(definitions) == {"io.ex.v1.Widget", "io.ex.v1.WidgetList"}
    widget = definitions["io.ex.v1.Widget"]
    assert widget["properties"]["spec"] == WIDGET_SCHEMA["properties"]["spec"]
    assert widget["properties"]["metadata"]["$ref"] == OBJECT_META
    assert widget["x-kubernetes-group-version-kind"] == [{"group": "ex.io", "version": "v1", "kind": "Widget"}]
    assert definitions["io.ex.v1.WidgetList"]["properties"]["items"]["items"] == {"$ref": "io.ex.v1.Widget"}


def test_v2_leaves_out_what_it_cannot_say():
    (row,) = rows_of(a_served_definition(versions=(a_version(schema=SCHEMA),)))
    spec = custom_definitions(row, refer, simple=True)["io.ex.v1.Widget"]["properties"]["spec"]["properties"]
    assert spec == {
        "maybe": {},
        "port": {"x-kubernetes-int-or-string": True},
        "rest": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }
