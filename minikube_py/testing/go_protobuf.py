"""Objects of any built-in kind as Go's typed clients write them in protobuf: the other way of api/protobuf.py.

It goes by the same table, so it cannot show a wrong field number; it shows fields that the table lacks, inlined
structs, the special types and what becomes of zeros. Go always writes plain fields, also those that are zero or
empty, and pointers only when they are set.
"""

import base64
import gzip
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import orjson

from minikube_py.api.meta import Obj
from minikube_py.api.protobuf import MAGIC, message_of
from minikube_py.api.served import SERVED_MAJOR, SERVED_MINOR

_REPEATED, _MAP = 1, 2
_VARINT, _FIXED64, _BYTES = 0, 1, 2
_ZEROS: Mapping[str, Any] = {"int32": 0, "int64": 0, "bool": False, "double": 0.0, "string": ""}
_PROPS = "apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
_Row = tuple[str, int, str, int]


def go_body(obj: Mapping[str, Any]) -> bytes:
    """Return the request body for an object with apiVersion and kind.

    Raises:
        KeyError: protobuf has no such kind, or the kind no such field.
    """
    api_version, kind = obj["apiVersion"], obj["kind"]
    rest = {name: value for name, value in obj.items() if name not in ("apiVersion", "kind")}
    names = _part(1, api_version.encode()) + _part(2, kind.encode())
    return MAGIC + _part(1, names) + _part(2, _message(message_of(api_version, kind), rest))


def _message(message: str, obj: Mapping[str, Any]) -> bytes:
    unknown = set(obj) - set(_names(message))
    if unknown:
        raise KeyError(f"{message} has no {sorted(unknown)}")
    return b"".join(_field(number, row, obj) for number, row in sorted(_table()[message].items()))


def _field(number: int, row: _Row, obj: Mapping[str, Any]) -> bytes:
    name, label, kind, is_pointer = row
    if not name:
        inlined = set(_names(kind))
        return _part(number, _message(kind, {key: value for key, value in obj.items() if key in inlined}))
    value = obj.get(name)
    if label == _REPEATED:
        return b"".join(_one(number, kind, item) for item in value or ())
    if label == _MAP:
        entries = sorted((value or {}).items())
        return b"".join(_part(number, _part(1, key.encode()) + _one(2, kind, item)) for key, item in entries)
    if value is None and not is_pointer:
        value = _ZEROS.get(kind, {} if kind in _table() else None)
    return b"" if value is None else _one(number, kind, value)


def _one(number: int, kind: str, value: Any) -> bytes:
    if kind == "double":
        return _varint(number << 3 | _FIXED64) + struct.pack("<d", value)
    if kind in ("int32", "int64", "bool"):
        return _number(number, int(value))
    return _part(number, _bytes(kind, value))


def _bytes(kind: str, value: Any) -> bytes:
    if kind.startswith("schema-or-"):
        return _schema_or(kind, value)
    special = _SPECIAL.get(kind)
    return special(value) if special is not None else _message(kind, value)


def _int_or_string(value: int | str) -> bytes:
    if isinstance(value, str):
        return _number(1, 1) + _number(2, 0) + _part(3, value.encode())
    return _number(1, 0) + _number(2, value) + _part(3, b"")


def _time(value: str) -> bytes:
    moment = datetime.fromisoformat(value)
    return _number(1, int(moment.timestamp())) + _number(2, moment.microsecond * 1000)


_SPECIAL: Mapping[str, Callable[[Any], bytes]] = {
    "string": lambda value: bytes(value.encode()),
    "bytes": base64.b64decode,
    "quantity": lambda value: _part(1, value.encode()),
    "raw": lambda value: _part(1, orjson.dumps(value)),
    "strings": lambda value: b"".join(_part(1, text.encode()) for text in value),
    "time": _time,
    "micro-time": _time,
    "int-or-string": _int_or_string,
}


def _schema_or(kind: str, value: Any) -> bytes:
    number = 2 if kind == "schema-or-bool" else 1
    if isinstance(value, bool):
        return _number(1, value)
    if isinstance(value, list):
        return b"".join(
            _part(2, item.encode() if isinstance(item, str) else _message(_PROPS, item)) for item in value
        )
    return _part(number, _message(_PROPS, value))


def _names(message: str) -> Iterator[str]:
    for name, _, kind, _ in _table()[message].values():
        yield from [name] if name else _names(kind)


def _part(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value & (2**64 - 1))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


@cache
def _table() -> Mapping[str, Mapping[int, _Row]]:
    name = f"protobuf-{SERVED_MAJOR}.{SERVED_MINOR}.json.gz"
    raw: Obj = orjson.loads(gzip.decompress((resources.files("minikube_py.api.data") / name).read_bytes()))
    return {
        message: {int(number): (row[0], row[1], row[2], row[3]) for number, row in rows.items()}
        for message, rows in raw.items()
    }
