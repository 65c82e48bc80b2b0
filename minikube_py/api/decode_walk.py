"""The long way of decoding: find out what is wrong with an object, mend what upstream mends, name the rest.

The walk goes through the text's own order (JSON objects may come as `Pairs`, which keep repeated keys) and follows
the schema. Unknown and repeated fields are findings; the last of the repeated ones counts. Nulls mean "not given": a
field goes, a map value or a list element becomes the zero value of its type. Zero values go too where Go's JSON
would leave them out, so that an object is the same whoever sends it: else an `env: []` in a template, which a typed
client drops when it writes the object back, would look like a change and roll every pod. A wrong type ends the walk.

Upstream: sigs.k8s.io/json in its strict and case-sensitive form, and the UnmarshalJSON methods of Quantity, Time,
MicroTime and IntOrString.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from minikube_py.api.decode_check import checker
from minikube_py.api.meta import Obj
from minikube_py.api.quantity import QuantityError, canonical_quantity
from minikube_py.api.schema import Schema

FINDINGS_MAX = 100
"""Upstream names no more faults than this for one body; further ones are not looked for."""

_ZERO: Mapping[str, Any] = {
    "object": {},
    "map": {},
    "list": [],
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "bytes": "",
    "quantity": "0",
    "int-or-string": 0,
}
_GO_SCALAR: Mapping[str, str] = {
    "string": "string",
    "boolean": "bool",
    "number": "float64",
    "bytes": "[]uint8",
    "quantity": "resource.Quantity",
    "time": "v1.Time",
    "micro-time": "v1.MicroTime",
    "fields-v1": "v1.FieldsV1",
    "int-or-string": "intstr.IntOrString",
}


class Pairs(list[tuple[str, Any]]):
    """A JSON object as its text has it: keys in order, repeated ones too."""


class TypeFaultError(ValueError):
    """A value is of the wrong type; the message is worded as upstream's."""


def walk(schema: Schema, obj: Mapping[str, Any] | Pairs) -> tuple[Obj, tuple[str, ...]]:
    """Return the mended object and the findings (`unknown field "spec.bogus"`), in the text's order.

    Raises:
        TypeFaultError: a value is of the wrong type.
    """
    walker = _Walk()
    clean: Obj = walker.value(schema, obj, "", schema)
    return clean, tuple(walker.findings)


def plain(value: Any) -> Any:
    """Return a value with every Pairs turned into a dict (the last of repeated keys counts)."""
    if isinstance(value, Pairs):
        return {key: plain(inner) for key, inner in value}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


class _Walk:
    """One walk; collects findings."""

    def __init__(self) -> None:
        self.findings: list[str] = []

    def find(self, text: str) -> None:
        if len(self.findings) < FINDINGS_MAX and text not in self.findings:
            self.findings.append(text)

    def value(self, schema: Schema, value: Any, path: str, owner: Schema) -> Any:
        """Return the mended value; `owner` is the object that the field belongs to, for messages."""
        if schema.type in ("object", "map"):
            if not isinstance(value, Pairs | dict):
                raise _fault(schema, value, path, owner)
            return self.members(schema, value, path)
        if schema.type == "list":
            if not isinstance(value, list) or isinstance(value, Pairs):
                raise _fault(schema, value, path, owner)
            return self.elements(schema, value, path, owner)
        value = plain(value)
        return value if checker(schema)(value) else _mend(schema, value, path, owner)

    def members(self, schema: Schema, value: Pairs | dict[str, Any], path: str) -> Obj:
        pairs: Iterable[tuple[str, Any]] = value if isinstance(value, Pairs) else value.items()
        clean: Obj = {}
        seen: set[str] = set()
        for key, inner in pairs:
            here = f"{path}.{key}" if path else key
            child = schema.child(key)
            if child is None:
                self.find(f'unknown field "{here}"')
                continue
            if key in seen:
                self.find(f'duplicate field "{here}"')
            seen.add(key)
            if inner is not None:
                clean[key] = self.value(child, inner, here, schema if schema.type == "object" else child)
                if not clean[key] and schema.type == "object" and not schema.fields[key].keeps_zero:
                    del clean[key]
            elif schema.type == "map" and child.type in _ZERO:
                clean[key] = plain(_ZERO[child.type])
        return clean

    def elements(self, schema: Schema, value: list[Any], path: str, owner: Schema) -> list[Any]:
        item = schema.item
        assert item is not None
        return [
            plain(_ZERO.get(item.type)) if inner is None else self.value(item, inner, f"{path}[{index}]", owner)
            for index, inner in enumerate(value)
        ]


def _fault(schema: Schema, value: Any, path: str, owner: Schema) -> TypeFaultError:
    shown = "".join(part.partition("]")[2] if "]" in part else part for part in path.split("["))
    struct = owner.definition.rpartition(".")[2] or "value"
    return TypeFaultError(
        f"json: cannot unmarshal {_json_type(value)} into Go struct field {struct}.{shown} of type {_go_type(schema)}"
    )


def _json_type(value: Any) -> str:
    if isinstance(value, Pairs | dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "bool"
    return f"number {value}" if isinstance(value, float) or abs(value) >= 2**31 else "number"


def _go_type(schema: Schema) -> str:
    if schema.type == "integer":
        return schema.format or "int"
    if schema.type == "list" and schema.item is not None:
        return "[]" + _go_type(schema.item)
    if schema.type == "map" and schema.item is not None:
        return "map[string]" + _go_type(schema.item)
    if schema.definition:
        return ".".join(schema.definition.rsplit(".", 2)[1:])
    return _GO_SCALAR.get(schema.type, "interface {}")


def _mend(schema: Schema, value: Any, path: str, owner: Schema) -> Any:
    try:
        if schema.type == "quantity" and isinstance(value, str | int | float) and not isinstance(value, bool):
            return canonical_quantity(str(value).strip())
        if schema.type == "time" and isinstance(value, str):
            return _utc(value).strftime("%Y-%m-%dT%H:%M:%SZ")
        if schema.type == "micro-time" and isinstance(value, str):
            return _utc(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if schema.type == "bytes" and isinstance(value, str):
            return _base64(value)
    except QuantityError as error:
        raise TypeFaultError(str(error)) from error
    raise _fault(schema, value, path, owner)


def _utc(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _no_time(text) from error
    if "T" not in text or moment.tzinfo is None:
        raise _no_time(text)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise _no_time(text) from error


def _no_time(text: str) -> TypeFaultError:
    return TypeFaultError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}"')


def _base64(text: str) -> str:
    joined = text.replace("\n", "").replace("\r", "")
    try:
        return base64.b64encode(binascii.a2b_base64(joined, strict_mode=True)).decode()
    except (binascii.Error, ValueError) as error:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
        bad = next((i for i, c in enumerate(joined) if c not in alphabet), len(joined))
        raise TypeFaultError(f"illegal base64 data at input byte {bad}") from error
