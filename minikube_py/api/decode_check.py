"""Does an object have only known fields, each of its type, in its canonical form? The short way of decoding.

A checker is a closure for one schema, made once; fields are looked up on first use because definitions refer to one
another. It answers yes or no and nothing else: `decode_walk` finds out why.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from minikube_py.api.quantity import QuantityError, canonical_quantity
from minikube_py.api.schema import Schema, Type

Check = Callable[[Any], bool]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_INT_LIMIT: Mapping[str, int] = {"int32": 2**31, "int64": 2**63, "": 2**63}


@cache
def checker(schema: Schema) -> Check:
    """Return the check for one schema (there are as many as there are schemas: the cache is bounded by the table)."""
    if schema.type == "object":
        return _object_check(schema)
    if schema.type == "map":
        return _map_check(schema)
    if schema.type == "list":
        return _list_check(schema)
    if schema.type == "integer":
        return _integer_check(_INT_LIMIT[schema.format])
    return _SCALARS[schema.type]


def _object_check(schema: Schema) -> Check:
    checks: dict[str, Check | None] = {}

    def look_up(key: str) -> Check | None:
        field = schema.fields.get(key)
        if field is None:
            return None  # not remembered: clients choose the names of unknown fields
        check = checker(field.schema)
        checks[key] = check if field.keeps_zero else _unless_zero(check)
        return checks[key]

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return False
        for key, inner in value.items():
            known = checks.get(key) or look_up(key)
            if known is None or not known(inner):
                return False
        return True

    return check


def _unless_zero(check: Check) -> Check:
    return lambda value: bool(value) and check(value)


def _map_check(schema: Schema) -> Check:
    assert schema.item is not None
    known = checker(schema.item)
    return lambda value: type(value) is dict and all(map(known, value.values()))


def _list_check(schema: Schema) -> Check:
    item = schema.item
    assert item is not None
    if item.type == "object":
        return lambda value: type(value) is list and all(map(checker(item), value))
    known = checker(item)
    return lambda value: type(value) is list and all(map(known, value))


def _integer_check(limit: int) -> Check:
    return lambda value: type(value) is int and -limit <= value < limit


def is_time(value: Any) -> bool:
    """Return whether this is a metav1.Time in canonical text: UTC, whole seconds."""
    return type(value) is str and _TIME.fullmatch(value) is not None and _exists(value)


def is_micro_time(value: Any) -> bool:
    """Return whether this is a metav1.MicroTime in canonical text: UTC, six decimals."""
    return type(value) is str and _MICRO_TIME.fullmatch(value) is not None and _exists(value)


def _exists(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_base64(value: Any) -> bool:
    """Return whether this is padded standard base64 without line breaks."""
    if type(value) is not str:
        return False
    try:
        return base64.b64encode(binascii.a2b_base64(value, strict_mode=True)).decode() == value
    except (binascii.Error, ValueError):
        return False


def is_quantity(value: Any) -> bool:
    """Return whether this is a quantity in canonical text."""
    try:
        return type(value) is str and canonical_quantity(value) == value
    except QuantityError:
        return False


_SCALARS: Mapping[Type, Check] = {
    "string": lambda value: type(value) is str,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: type(value) is bool,
    "bytes": is_base64,
    "quantity": is_quantity,
    "int-or-string": lambda value: type(value) is str or (type(value) is int and -(2**31) <= value < 2**31),
    "time": is_time,
    "micro-time": is_micro_time,
    "any": lambda value: value is not None,
    "fields-v1": lambda value: type(value) is dict,
}
