"""The definitions of custom resources in the OpenAPI documents.

v3 shows a structural schema as it is, with the metadata that every object has. v2 knows less: what it cannot say is
left out, so that clients of v2 do not refuse what the server accepts.

Upstream: apiextensions-apiserver controller/openapi/builder and v2/conversion.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.custom.nodes import EMBEDDED, INT_OR_STRING, PRESERVE, VALIDATIONS
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.apiserver.openapi_operations import definition_names
from minikube_py.apiserver.openapi_schemas import Reference

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
LIST_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"
_API_VERSION = "Which version of the API this object is written in."
_KIND = "Which kind of resource this object is."
_META = "Standard object metadata."
_NOT_IN_V2 = ("anyOf", "oneOf", "not", "nullable", "default", VALIDATIONS)


def custom_definitions(resource: Resource, reference: Reference, *, simple: bool = False) -> Mapping[str, Obj]:
    """Return the definitions of a custom resource's object and list; none for a built-in one.

    Args:
        resource: the row.
        reference: how the document writes a reference.
        simple: for v2.
    """
    if resource.custom is None:
        return {}
    name, list_name = definition_names(resource)
    node = resource.custom.node
    whole: Obj = _simple(node) if simple else {**node}
    whole.setdefault("type", "object")
    if not simple or not node.get(PRESERVE):
        whole["properties"] = {
            **(whole.get("properties") or {}),
            **_identity(),
            "metadata": reference(OBJECT_META, {"description": _META}),
        }
    whole["x-kubernetes-group-version-kind"] = [_gvk(resource, resource.kind)]
    listed: Obj = {
        "description": f"{resource.list_kind} is a list of {resource.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            **_identity(),
            "items": {
                "description": f"List of {resource.plural}.",
                "type": "array",
                "items": reference(name, {}),
            },
            "metadata": reference(LIST_META, {"description": "Standard list metadata."}),
        },
        "x-kubernetes-group-version-kind": [_gvk(resource, resource.list_kind)],
    }
    return {name: whole, list_name: listed}


def _identity() -> Obj:
    return {
        "apiVersion": {"description": _API_VERSION, "type": "string"},
        "kind": {"description": _KIND, "type": "string"},
    }


def _gvk(resource: Resource, kind: str) -> Obj:
    return {"group": resource.group, "version": resource.version, "kind": kind}


def _simple(node: Mapping[str, Any]) -> Obj:
    """Return a schema in what v2 can say: values that may be null or of several types have no type there."""
    if node.get(PRESERVE) and not node.get(EMBEDDED) and node.get("type") == "object":
        # an object that keeps everything: v2 clients would refuse fields that have no name
        return {key: value for key, value in node.items() if key in ("description", "type", PRESERVE)}
    simple: Obj = {key: value for key, value in node.items() if key not in _NOT_IN_V2}
    if node.get(INT_OR_STRING) or node.get("nullable"):
        for key in ("type", "items", "properties"):
            simple.pop(key, None)
        return simple
    if "properties" in node:
        simple["properties"] = {key: _simple(child) for key, child in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), Mapping):
            simple[key] = _simple(node[key])
    simple.pop("allOf", None)
    return simple
