"""A structural schema as `api.schema.Schema`: for server-side apply, which works on the types of all kinds alike.

Upstream: kube-openapi schemaconv over the published model of the custom resource.
"""

from collections.abc import Iterator, Mapping

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


class _NodeFields(Mapping[str, Field]):
    """The fields of an object, each made when it is first asked for.

    A definition is served in the step that commits it, on the event loop; of a schema of half a megabyte a request
    needs little, and the little is made once.
    """

    def __init__(self, node: Node, name: str, *, is_resource: bool) -> None:
        self._nodes = properties(node)
        self._name = name
        self._required = frozenset(node.get("required") or ())
        self._made: dict[str, Field] = {}
        self._more = OBJECT_FIELDS if is_resource else ()

    def __getitem__(self, key: str) -> Field:
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = self._field(key)
        return found

    def _field(self, key: str) -> Field:
        if key in self._more:
            meta = definition(_OBJECT_META) if key == "metadata" else Schema("string")
            return Field(key, meta, required=False, keeps_zero=True)
        return Field(key, _schema(self._nodes[key], f"{self._name}.{key}"), key in self._required, keeps_zero=True)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._nodes, *self._more)))

    def __len__(self) -> int:
        return len({*self._nodes, *self._more})


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
    fields = _NodeFields(node, name, is_resource=is_resource)
    if not fields:
        return Schema("map", item=Schema("any"), map_type=map_type) if map_type else Schema("any")
    return Schema("object", definition=name, map_type=map_type, own_fields=fields, is_open=keeps_unknown(node))
