"""Whether a configuration that somebody applies fits the schema of its kind.

An apply is stricter than other writes: it says what a manager wants to own, and nobody can own a field that does not
exist, a value of the wrong type, or the same list element twice.

Upstream: structured-merge-diff typed/validate.go.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from minikube_py.api.field_paths import Path, path_text
from minikube_py.api.schema import Schema
from minikube_py.api.typed_walk import WalkError, child_schema, item_schema, list_elements, shape_of

SHOWN_BYTES_MAX = 10_000
"""So much of a value that does not fit is shown."""


def check_types(value: Any, schema: Schema | None) -> None:
    """Refuse a configuration that does not fit the schema.

    Raises:
        WalkError: a field is not in the schema, a value has the wrong type, or a list has duplicates.
    """
    _check((), value, schema)


def _check(path: Path, value: Any, schema: Schema | None) -> None:
    _check_type(path, value, schema)
    shape = shape_of(schema, value)
    if shape == "leaf" or value is None:
        return
    if shape == "map":
        for key, inner in value.items():
            below = (*path, f"f:{key}")
            if schema is not None and schema.type == "object" and not schema.is_open and key not in schema.fields:
                raise WalkError(below, "field not declared in schema")
            _check(below, inner, child_schema(schema, key))
        return
    seen: set[str] = set()
    for element, item in list_elements(schema, value, shape, path):
        if element in seen:
            raise WalkError(path, f"duplicate entries for key {path_text((element,))}")
        seen.add(element)
        _check((*path, element), item, item_schema(schema))


def _check_type(path: Path, value: Any, schema: Schema | None) -> None:
    if schema is None or value is None:
        return
    expected = ""
    if schema.type in ("object", "map"):
        expected = "" if isinstance(value, Mapping) else "map"
    elif schema.type == "list":
        expected = "" if isinstance(value, list) else "list"
    elif schema.type in ("integer", "number"):
        expected = "" if isinstance(value, int | float) and not isinstance(value, bool) else "numeric (int or float)"
    elif schema.type == "boolean":
        expected = "" if isinstance(value, bool) else "boolean"
    elif schema.type in ("string", "bytes"):
        expected = "" if isinstance(value, str) else "string"
    if expected:
        raise WalkError(
            path, f"expected {expected}, got {orjson.dumps(value)[:SHOWN_BYTES_MAX].decode(errors='replace')}"
        )
