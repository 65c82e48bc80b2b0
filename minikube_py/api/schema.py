"""What fields every built-in kind has: types, list and map keys, patch keys.

Decoding, patches, server-side apply and the OpenAPI documents share these facts. The table
(`data/schema-1.36.json.gz`, made by scripts/generate-tables) has upstream's OpenAPI keys without its sentences and is
parsed on first use. A `Schema` says what one value is; a property's patch and list keys live on the Schema of that
property: `schema_of("v1", "Pod").at("spec", "containers").merge_key` is `name`.

Definitions refer to one another (JSONSchemaProps to itself), therefore a Schema of an object only names its
definition and looks its fields up when asked.

Upstream: kube-openapi's schemaconv and apimachinery strategicpatch.PatchMeta.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, Literal

import orjson

from minikube_py.api.schema_metrics import METRICS_DEFINITIONS
from minikube_py.api.served import SERVED_MAJOR, SERVED_MINOR

Type = Literal[
    "object",
    "map",
    "list",
    "string",
    "integer",
    "number",
    "boolean",
    "bytes",
    "quantity",
    "int-or-string",
    "time",
    "micro-time",
    "any",
    "fields-v1",
]
"""`object` has named fields, `map` free keys and values of one type, `any` is not looked into."""

_DATA = "minikube_py.api.data"
_VERSION = f"{SERVED_MAJOR}.{SERVED_MINOR}"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
_SPECIAL: Mapping[str, Type] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
    _META + "Time": "time",
    _META + "MicroTime": "micro-time",
    _META + "FieldsV1": "fields-v1",
    _META + "Patch": "any",
    _EXTENSIONS + "JSON": "any",
    _EXTENSIONS + "JSONSchemaPropsOrArray": "any",
    _EXTENSIONS + "JSONSchemaPropsOrBool": "any",
    _EXTENSIONS + "JSONSchemaPropsOrStringArray": "any",
}
_DROPPED_ZEROS: frozenset[Type] = frozenset({"string", "integer", "number", "boolean", "bytes", "list", "map"})
"""Of these types Go's JSON leaves out the zero value, unless the field is a pointer or always there."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What one value is. Empty strings and tuples mean "not given", as in upstream's document."""

    type: Type
    definition: str = ""
    """The definition's name, when the value is described by one: `io.k8s.api.core.v1.PodSpec`."""
    format: str = ""
    """`int32`, `int64`, `double` for numbers."""
    item: "Schema | None" = None
    """What a list's elements or a map's values are."""
    list_type: str = ""
    """`atomic`, `set` or `map` (x-kubernetes-list-type)."""
    list_map_keys: tuple[str, ...] = ()
    """x-kubernetes-list-map-keys."""
    map_type: str = ""
    """`atomic` or `granular` (x-kubernetes-map-type), of the property or else of its definition."""
    merge_key: str = ""
    """x-kubernetes-patch-merge-key; empty with strategy merge: a list of scalars that merges as a set."""
    patch_strategy: tuple[str, ...] = ()
    """Of `merge`, `retainKeys`, `replace` (x-kubernetes-patch-strategy)."""
    own_fields: "Mapping[str, Field] | None" = field(default=None, compare=False, repr=False)
    """The fields of a custom resource's object, which no definition of the table describes."""
    is_open: bool = False
    """Fields that have no name here are kept as they are (x-kubernetes-preserve-unknown-fields)."""

    @property
    def fields(self) -> "Mapping[str, Field]":
        """Return the fields of an object; empty for everything else."""
        if self.type != "object":
            return {}
        return self.own_fields if self.own_fields is not None else _fields(self.definition)

    def child(self, key: str | int) -> "Schema | None":
        """Return the Schema of a field, map value or list element; None when there is none."""
        if self.type == "object":
            field = self.fields.get(key) if isinstance(key, str) else None
            return field.schema if field else None
        return self.item

    def at(self, *path: str | int) -> "Schema | None":
        """Return the Schema at a path below this one; any index or key stands for a list's or map's elements."""
        schema: Schema | None = self
        for key in path:
            schema = schema.child(key) if schema else None
        return schema


@dataclass(frozen=True, slots=True)
class Field:
    """One named field of an object."""

    name: str
    schema: Schema
    required: bool
    keeps_zero: bool
    """False: its zero value (0, false, "", an empty list or map) means "not given" and is not kept."""


def schema_of(api_version: str, kind: str) -> Schema | None:
    """Return the Schema of a built-in kind (`apps/v1`, `Deployment`), None when there is none."""
    name = definition_name(api_version, kind)
    return definition(name) if name else None


def definition_name(api_version: str, kind: str) -> str:
    """Return the name of the definition for a kind, empty when there is none."""
    return _kinds().get((api_version, kind), "")


@cache
def definition(name: str) -> Schema:
    """Return the Schema of a definition.

    Raises:
        KeyError: the table has no such definition.
    """
    return _schema({"$ref": name})


@cache
def raw_definitions() -> Mapping[str, Any]:
    """Return the whole table: name -> definition in OpenAPI v2 keys, `$ref` holding a bare definition name."""
    table: Mapping[str, Any] = _load(f"schema-{_VERSION}.json.gz")
    return {**table, **METRICS_DEFINITIONS}


@cache
def descriptions() -> Mapping[str, Mapping[str, str]]:
    """Return upstream's texts, definition -> field -> text ("" is the definition itself); empty if not installed."""
    name = f"descriptions-{_VERSION}.json.gz"
    if not (resources.files(_DATA) / name).is_file():
        return {}
    table: Mapping[str, Mapping[str, str]] = _load(name)
    return table


def _load(name: str) -> Any:
    return orjson.loads(gzip.decompress((resources.files(_DATA) / name).read_bytes()))


@cache
def _pointers() -> Mapping[str, frozenset[str]]:
    """Return, for each definition of which that is known, the fields whose zero differs from "not given"."""
    return {name: frozenset(fields) for name, fields in _load(f"pointers-{_VERSION}.json.gz").items()}


@cache
def _kinds() -> Mapping[tuple[str, str], str]:
    kinds: dict[tuple[str, str], str] = {}
    for name, raw in raw_definitions().items():
        for gvk in raw.get("x-kubernetes-group-version-kind", ()):
            group, version = gvk["group"], gvk["version"]
            kinds[f"{group}/{version}" if group else version, gvk["kind"]] = name
    return kinds


@cache
def _fields(name: str) -> Mapping[str, Field]:
    raw = raw_definitions()[name]
    required = frozenset(raw.get("required", ()))
    pointers = _pointers().get(name)
    fields: dict[str, Field] = {}
    for key, node in raw.get("properties", {}).items():
        schema = _schema(node)
        dropped = schema.type in _DROPPED_ZEROS and pointers is not None and key not in pointers
        fields[key] = Field(key, schema, key in required, keeps_zero=key in required or not dropped)
    return fields


def _schema(node: Mapping[str, Any]) -> Schema:
    schema = _bare(node)
    strategy = node.get("x-kubernetes-patch-strategy", "")
    return replace(
        schema,
        list_type=node.get("x-kubernetes-list-type", ""),
        list_map_keys=tuple(node.get("x-kubernetes-list-map-keys", ())),
        map_type=node.get("x-kubernetes-map-type", schema.map_type),
        merge_key=node.get("x-kubernetes-patch-merge-key", ""),
        patch_strategy=tuple(strategy.split(",")) if strategy else (),
    )


def _bare(node: Mapping[str, Any]) -> Schema:
    name = node.get("$ref", "")
    if name:
        raw = raw_definitions()[name]
        return Schema(_SPECIAL.get(name, "object"), definition=name, map_type=raw.get("x-kubernetes-map-type", ""))
    kind, form = node.get("type", ""), node.get("format", "")
    if kind == "array":
        return Schema("list", item=_schema(node["items"]))
    if kind == "object":
        values = node.get("additionalProperties")
        return Schema("map", item=_schema(values)) if isinstance(values, dict) else Schema("any")
    if kind == "string":
        return Schema("bytes" if form == "byte" else "string")
    if kind in ("integer", "number", "boolean"):
        return Schema(kind, format=form)
    return Schema("any")
