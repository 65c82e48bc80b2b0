"""Objects with every field that the schema of their kind has, whatever the kind's rules would say to such a one."""

from collections.abc import Mapping
from typing import Any, Literal

from minikube_py.api.meta import Obj
from minikube_py.api.schema import Schema, Type

Filling = Literal["values", "zeros", "nothing"]
"""Each scalar has a value, is zero or empty; `nothing`: and lists and maps are empty."""

_VALUES: Mapping[Type, Any] = {
    "string": "x",
    "integer": 7,
    "number": 1.5,
    "boolean": True,
    "bytes": "YQ==",
    "quantity": "1500m",
    "int-or-string": "50%",
    "time": "2024-01-02T03:04:05Z",
    "micro-time": "2024-01-02T03:04:05.000006Z",
    "fields-v1": {"f:a": {}},
    "any": {"type": "object"},
}
_ZEROS: Mapping[Type, Any] = {
    **_VALUES,
    "string": "",
    "integer": 0,
    "number": 0.0,
    "boolean": False,
    "bytes": "",
    "quantity": "0",
    "int-or-string": 0,
}


def full_object(schema: Schema, filling: Filling) -> Obj:
    """Return an object of a kind with all its fields; a definition is not entered a second time within itself."""
    filled = _filled(schema, filling, ())
    assert isinstance(filled, dict)
    return filled


def _filled(schema: Schema, filling: Filling, within: tuple[str, ...]) -> Any:
    if schema.type == "object":
        return _fields(schema, filling, within)
    if schema.type not in ("list", "map"):
        return (_VALUES if filling == "values" else _ZEROS)[schema.type]
    assert schema.item is not None
    item = None if filling == "nothing" else _filled(schema.item, filling, within)
    if schema.type == "map":
        return {} if item is None else {"a": item}
    return [] if item is None else [item, item]


def _fields(schema: Schema, filling: Filling, within: tuple[str, ...]) -> Obj | None:
    if schema.definition in within:
        return None
    inner = (*within, schema.definition)
    values = {name: _filled(field.schema, filling, inner) for name, field in schema.fields.items()}
    return {name: value for name, value in values.items() if value is not None}
