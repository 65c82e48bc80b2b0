"""Is a CustomResourceDefinition's schema structural? Only such schemas say what to prune and where defaults go.

A structural schema gives every value its type outside of allOf, anyOf, oneOf and not; inside of these stand only
value validations. Upstream: apiextensions-apiserver apis/apiextensions/validation and apiserver/schema/validation.go.
"""

from collections.abc import Callable, Mapping
from typing import Any

from minikube_py.api.decode_walk import TypeFaultError, walk
from minikube_py.api.regular_expressions import compile_pattern
from minikube_py.api.rules.faults import Faults, forbidden, invalid, required, unsupported
from minikube_py.api.schema import definition

Node = Mapping[str, Any]

_PROPS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"

DEPTH_MAX = 200
"""A schema that nests deeper than this is refused."""
_EMBEDDED = "x-kubernetes-embedded-resource"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_LIST_TYPE, _LIST_KEYS, _MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_UNDEFINED = "must be undefined to be structural"
_NOT_NESTED = (
    ("type", "must be empty to be structural"),
    ("additionalProperties", _UNDEFINED),
    ("default", _UNDEFINED),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("externalDocs", _UNDEFINED),
    (_PRESERVE, "must be false to be structural"),
    (_EMBEDDED, "must be false to be structural"),
    (_INT_OR_STRING, "must be false to be structural"),
    (_LIST_KEYS, "must be empty to be structural"),
    (_LIST_TYPE, _UNDEFINED),
    (_MAP_TYPE, _UNDEFINED),
    ("x-kubernetes-validations", "must be empty to be structural"),
)
_INT_OR_STRING_ANY_OF = [{"type": "integer"}, {"type": "string"}]

CheckDefault = Callable[[Any, Node, str], Faults]
"""(default, its schema, path) -> the faults of a default that does not fit."""


def validate_schema(node: Node, path: str, check_default: CheckDefault) -> Faults:
    """Yield the faults of a version's openAPIV3Schema at `path`."""
    wrong = list(_validate_types(node, path, 0))
    yield from wrong
    if not wrong:
        yield from _validate_node(node, path, "root", check_default, 0)


def _schema_in(node: Node, key: str) -> Node:
    inner = node.get(key)
    return inner if isinstance(inner, Mapping) else {}


def _validate_types(node: Node, path: str, depth: int) -> Faults:
    """Check what decoding leaves alone, since it may be of several types: items and additionalProperties."""
    if depth > DEPTH_MAX:
        yield forbidden(path, f"must not nest deeper than {DEPTH_MAX}")
        return
    inner: list[tuple[str, Any]] = [(f"{path}.properties[{k}]", v) for k, v in (node.get("properties") or {}).items()]
    for key in ("allOf", "anyOf", "oneOf"):
        inner += [(f"{path}.{key}[{index}]", part) for index, part in enumerate(node.get(key) or ())]
    if "not" in node:
        inner.append((f"{path}.not", node["not"]))
    for key in ("items", "additionalProperties"):
        given = node.get(key)
        if isinstance(given, Mapping):
            try:
                walk(definition(_PROPS), given)
            except (TypeFaultError, RecursionError) as error:
                yield invalid(f"{path}.{key}", "", str(error))
                return
            inner.append((f"{path}.{key}", given))
        elif given is not None and not isinstance(given, list if key == "items" else bool):
            yield invalid(f"{path}.{key}", "", "must be a schema" if key == "items" else "must be a schema or a bool")
    for where, child in inner:
        yield from _validate_types(child, where, depth + 1)


def _validate_node(node: Node, path: str, level: str, check_default: CheckDefault, depth: int) -> Faults:
    if depth > DEPTH_MAX:
        yield forbidden(path, f"must not nest deeper than {DEPTH_MAX}")
        return
    yield from _validate_unsupported(node, path)
    yield from _validate_type(node, path, level)
    yield from _validate_extensions(node, path)
    yield from _validate_list_type(node, path)
    yield from _validate_objects(node, path, level)
    if "default" in node:
        yield from check_default(node["default"], node, f"{path}.default")
    skip_any_of = node.get("anyOf") == _INT_OR_STRING_ANY_OF
    yield from _validate_values(node, path, skip_any_of=skip_any_of, owner=node)
    for key, child in (node.get("properties") or {}).items():
        if not (key == "metadata" and (level == "root" or node.get(_EMBEDDED))):
            yield from _validate_node(child, f"{path}.properties[{key}]", "field", check_default, depth + 1)
    for key, inner in (("items", "item"), ("additionalProperties", "field")):
        if isinstance(node.get(key), Mapping):
            yield from _validate_node(node[key], f"{path}.{key}", inner, check_default, depth + 1)


def _validate_unsupported(node: Node, path: str) -> Faults:
    for key in _UNSUPPORTED:
        if node.get(key):
            yield forbidden(f"{path}.{key}", f"{key} is not supported")
    if node.get("uniqueItems"):
        yield forbidden(
            f"{path}.uniqueItems",
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        )
    if isinstance(node.get("items"), list):
        yield forbidden(f"{path}.items", "items must be a schema object and not an array")


def _validate_type(node: Node, path: str, level: str) -> Faults:
    kind = node.get("type") or ""
    if node.get(_EMBEDDED) and kind != "object":
        detail = "must be object if x-kubernetes-embedded-resource is true"
        yield invalid(f"{path}.type", kind, detail) if kind else required(f"{path}.type", detail)
    elif not kind and not node.get(_INT_OR_STRING) and not node.get(_PRESERVE):
        places = {
            "root": "must not be empty at the root",
            "item": "must not be empty for specified array items",
            "field": "must not be empty for specified object fields",
        }
        yield required(f"{path}.type", places[level])
    elif level == "root" and kind and kind != "object":
        yield invalid(f"{path}.type", kind, "must be object at the root")
    elif kind == "null":
        yield forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    elif kind and kind not in _TYPES:
        yield unsupported(f"{path}.type", kind, _TYPES)
    if kind == "array" and not node.get("items"):
        yield required(f"{path}.items", "must be specified")


def _validate_extensions(node: Node, path: str) -> Faults:
    if node.get(_PRESERVE) is False:
        yield invalid(f"{path}.{_PRESERVE}", value=False, detail="must be true or undefined")
    if node.get(_INT_OR_STRING):
        for key in (_PRESERVE, _EMBEDDED):
            if node.get(key):
                detail = "must be false if x-kubernetes-int-or-string is true"
                yield invalid(f"{path}.{key}", value=True, detail=detail)
        if node.get("type"):
            yield forbidden(f"{path}.type", "must be empty if x-kubernetes-int-or-string is true")
    if node.get(_EMBEDDED):
        if node.get("additionalProperties"):
            detail = "must not be used if x-kubernetes-embedded-resource is set"
            yield forbidden(f"{path}.additionalProperties", detail)
        if not node.get(_PRESERVE) and not node.get("properties"):
            detail = (
                "must not be empty if x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields"
            )
            yield required(f"{path}.properties", detail)


def _validate_list_type(node: Node, path: str) -> Faults:
    for key, kind, choices in (
        (_MAP_TYPE, "object", ("atomic", "granular")),
        (_LIST_TYPE, "array", ("atomic", "map", "set")),
    ):
        given = node.get(key)
        if given is None:
            continue
        if given not in choices:
            yield unsupported(f"{path}.{key}", given, choices)
        if node.get("type") != kind:
            yield invalid(f"{path}.type", node.get("type") or "", f"must be {kind} if {key} is specified")
    list_type, keys = node.get(_LIST_TYPE), node.get(_LIST_KEYS) or ()
    if list_type == "map":
        yield from _validate_keys(node, keys, path)
    elif keys:
        yield invalid(f"{path}.{_LIST_TYPE}", list_type, f"must be map if {_LIST_KEYS} is non-empty")
    if list_type == "set":
        yield from _validate_set(_schema_in(node, "items"), path)


def _validate_set(items: Node, path: str) -> Faults:
    if items.get("nullable"):
        yield forbidden(f"{path}.items.nullable", f"cannot be nullable when {_LIST_TYPE} is set")
    if items.get("type") == "object" and items.get(_MAP_TYPE) != "atomic":
        detail = f"must be atomic as item of a list with {_LIST_TYPE}=set"
        yield invalid(f"{path}.items.{_MAP_TYPE}", items.get(_MAP_TYPE), detail)


def _validate_keys(node: Node, keys: Any, path: str) -> Faults:
    items = _schema_in(node, "items")
    if not keys:
        yield required(f"{path}.{_LIST_KEYS}", f"must not be empty if {_LIST_TYPE} is map")
    if items.get("type") != "object":
        yield invalid(
            f"{path}.items.type", items.get("type") or "", f"must be object if parent array's {_LIST_TYPE} is map"
        )
    named = items.get("properties") or {}
    for index, key in enumerate(keys):
        where = f"{path}.{_LIST_KEYS}[{index}]"
        if key not in named:
            yield invalid(where, key, "entries must all be names of item properties")
        elif named[key].get("type") in ("array", "object"):
            yield invalid(where, key, "entries must not be of type array or object")
        elif key not in (items.get("required") or ()) and "default" not in named[key]:
            detail = f"this property is in {_LIST_KEYS}, so it must have a default or be a required property"
            yield required(f"{path}.items.properties[{key}].default", detail)


def _validate_objects(node: Node, path: str, level: str) -> Faults:
    values = node.get("additionalProperties")
    if values and level == "root":
        yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
    if values not in (None, True) and node.get("properties"):
        detail = "additionalProperties and properties are mutual exclusive"
        yield forbidden(f"{path}.additionalProperties", detail)
    meta = (node.get("properties") or {}).get("metadata")
    if meta is not None and (level == "root" or node.get(_EMBEDDED)):
        where = f"{path}.properties[metadata]"
        if meta.get("type") != "object":
            yield invalid(f"{where}.type", meta.get("type") or "", "must be object")
        named = set(meta.get("properties") or {})
        if level == "root" and (not named <= {"name", "generateName"} or meta.get("required")):
            detail = (
                "must not specify anything other than name and generateName, but metadata is implicitly specified"
            )
            yield forbidden(where, detail)
    for key in ("apiVersion", "kind"):
        field = (node.get("properties") or {}).get(key)
        if field is not None and (level == "root" or node.get(_EMBEDDED)) and field.get("type") != "string":
            yield invalid(f"{path}.properties[{key}].type", field.get("type") or "", "must be string")


def _validate_values(node: Node, path: str, *, skip_any_of: bool, owner: Node | None) -> Faults:
    """Check the junctors, which may hold value validations only, and the pattern."""
    for key in ("allOf", "anyOf", "oneOf"):
        for index, part in enumerate(node.get(key) or ()):
            if not (key == "anyOf" and skip_any_of):
                yield from _validate_nested(part, f"{path}.{key}[{index}]", first=key == "allOf" and index == 0)
    if isinstance(node.get("not"), Mapping):
        yield from _validate_nested(node["not"], f"{path}.not", first=False)
    pattern = node.get("pattern")
    if pattern:
        try:
            compile_pattern(pattern)
        except ValueError as error:
            yield invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {error}")
    if owner is not None:
        yield from _validate_completeness(node, owner, path)


def _validate_nested(node: Node, path: str, *, first: bool) -> Faults:
    skip_any_of = first and node.get("anyOf") == _INT_OR_STRING_ANY_OF
    yield from _validate_unsupported(node, path)
    for key, why in _NOT_NESTED:
        # what must be undefined may not be false or 0 either
        if node.get(key) or (why == _UNDEFINED and node.get(key) is not None):
            yield forbidden(f"{path}.{key}", why)
    if "metadata" in (node.get("properties") or {}):
        yield forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")
    for key, child in (node.get("properties") or {}).items():
        yield from _validate_nested(child, f"{path}.properties[{key}]", first=False)
    if isinstance(node.get("items"), Mapping):
        yield from _validate_nested(node["items"], f"{path}.items", first=False)
    yield from _validate_values(node, path, skip_any_of=skip_any_of, owner=None)


def _validate_completeness(node: Node, owner: Node, path: str) -> Faults:
    """Every field that a junctor speaks of must be specified outside of it."""
    for key in ("allOf", "anyOf", "oneOf"):
        for index, part in enumerate(node.get(key) or ()):
            yield from _complete(part, owner, f"{path}.{key}[{index}]", path)
    if isinstance(node.get("not"), Mapping):
        yield from _complete(node["not"], owner, f"{path}.not", path)


def _complete(part: Node, owner: Node, path: str, outer: str) -> Faults:
    for key, child in (part.get("properties") or {}).items():
        named = owner.get("properties") or {}
        if key not in named:
            if not isinstance(owner.get("additionalProperties"), Mapping):
                where = f"{outer}.properties[{key}]"
                yield required(where, f"because it is defined in {path}.properties[{key}]")
            continue
        yield from _complete(child, named[key], f"{path}.properties[{key}]", f"{outer}.properties[{key}]")
    if isinstance(part.get("items"), Mapping):
        if not isinstance(owner.get("items"), Mapping):
            yield required(f"{outer}.items", f"because it is defined in {path}.items")
        else:
            yield from _complete(part["items"], owner["items"], f"{path}.items", f"{outer}.items")
    yield from _validate_completeness(part, owner, path)
