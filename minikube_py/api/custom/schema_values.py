"""A structural schema as `api.schema.Schema`: for server-side apply, which works on the types of all kinds alike.

Upstream: kube-openapi schemaconv over the published model of the custom resource.
"""

from collections.abc import Mapping

from minikube_py.api.custom.nodes import (
    EMBEDDED,
    INT_OR_STRING,
    LIST_MAP_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    OBJECT_FIELDS,
    Node,
    items_node,
    keeps_unknown,
    properties,
    values_node,
)
from minikube_py.api.schema import Field, Schema, Type, definition

_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_SCALARS: Mapping[str, Type] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}


def schema_of_node(node: Node, name: str) -> Schema:
    """Return the Schema of a whole custom resource; `name` tells it from others: `widgets.ex.io/v1@7`."""
    return _object(node, name, is_resource=True)


def _schema(node: Node, name: str) -> Schema:
    if node.get(INT_OR_STRING):
        return Schema("int-or-string")
    match node.get("type"):
        case "object":
            return _object(node, name, is_resource=bool(node.get(EMBEDDED)))
        case "array":
            items = items_node(node)
            item = _schema(items, f"{name}[]") if items is not None else Schema("any")
            # a list that says nothing is atomic
            list_type = str(node.get(LIST_TYPE) or "atomic")
            return Schema("list", item=item, list_type=list_type, list_map_keys=tuple(node.get(LIST_MAP_KEYS) or ()))
        case kind if kind in _SCALARS:
            return Schema(_SCALARS[str(kind)], format="int64" if kind == "integer" else "")
        case _:
            return Schema("any")


def _object(node: Node, name: str, *, is_resource: bool) -> Schema:
    map_type = str(node.get(MAP_TYPE) or "")
    values = values_node(node)
    if values is not None:
        return Schema("map", item=_schema(values, f"{name}.*"), map_type=map_type)
    fields = {
        key: Field(key, _schema(child, f"{name}.{key}"), key in (node.get("required") or ()), keeps_zero=True)
        for key, child in properties(node).items()
    }
    if is_resource:
        for key in OBJECT_FIELDS:
            meta = definition(_OBJECT_META) if key == "metadata" else Schema("string")
            fields[key] = Field(key, meta, required=False, keeps_zero=True)
    if not fields:
        return Schema("map", item=Schema("any"), map_type=map_type) if map_type else Schema("any")
    return Schema("object", definition=name, map_type=map_type, own_fields=fields, is_open=keeps_unknown(node))
