"""Request bodies in protobuf: what kubectl from 1.32 on and every typed Go client send for built-in kinds.

Such clients do not fall back to JSON, so a server must read it; answers may stay JSON. The body is an envelope (four
bytes, then runtime.Unknown with the kind and the object's bytes). `data/protobuf-1.36.json.gz`, made by
scripts/generate-tables, says for each message what a field number means in JSON: its name (empty: the fields of the
inner message belong to this one), whether it repeats, its type, and whether a zero means something. Go writes zeros
of plain fields always and of pointers only when set; the first are dropped, as its JSON does, the second kept.
Unknown field numbers are skipped, as protobuf demands.

Upstream: apimachinery runtime/serializer/protobuf and the generated.proto files.
"""

import base64
import gzip
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

import orjson

from minikube_py.api.meta import Obj
from minikube_py.api.schema import definition_name
from minikube_py.api.served import SERVED_MAJOR, SERVED_MINOR
from minikube_py.api.value_count import VALUES_MAX, check_values

MAGIC = b"k8s\x00"
NESTING_MAX = 200
"""Messages nested deeper than this are refused (no real object comes near)."""

_OPTIONAL, _REPEATED, _MAP = 0, 1, 2
_UINT64_MAX = 2**64 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Wire = int | bytes
_Row = tuple[str, int, str, int]


class ProtobufError(ValueError):
    """The bytes are no such message."""


def decode_envelope(body: bytes, api_version: str, kind: str) -> Obj:
    """Return the object in an envelope as JSON would have it; a kind that the envelope leaves out is `kind`.

    Raises:
        ProtobufError: not an envelope, an unknown kind, or damaged.
    """
    if not body.startswith(MAGIC):
        raise ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    envelope = dict(_fields(body[len(MAGIC) :]))
    names = dict(_fields(_bytes(envelope.get(1, b""))))
    api_version = _text(names.get(1, b"")) or api_version
    kind = _text(names.get(2, b"")) or kind
    if envelope.get(3) or _text(envelope.get(4, b"")) not in ("", "application/vnd.kubernetes.protobuf"):
        raise ProtobufError("the object in the envelope is not protobuf")
    message = message_of(api_version, kind)
    if message not in _table():
        raise ProtobufError(f'no kind "{kind}" is registered for version "{api_version}"')
    return {"apiVersion": api_version, "kind": kind, **_Decoder().message(message, _bytes(envelope.get(2, b"")))}


def message_of(api_version: str, kind: str) -> str:
    """Return the table's name of a kind's message (`api.core.v1.Pod`), empty for unknown kinds."""
    name = definition_name(api_version, kind).removeprefix("io.k8s.")
    return name.replace("-apiserver.", "_apiserver.").replace("kube-aggregator.", "kube_aggregator.")


class _Decoder:
    """Decodes the messages of one body, and counts what comes of them."""

    def __init__(self) -> None:
        self._values = 0

    def message(self, message: str, data: bytes, depth: int = 0) -> Obj:
        """Return one message as a JSON object.

        Raises:
            ProtobufError: the bytes are damaged, or there are too many values.
            KeyError: the table has no such message.
        """
        if depth > NESTING_MAX:
            raise ProtobufError("exceeded max depth")
        rows = _table()[message]
        out: Obj = {}
        for number, wire in _fields(data):
            row = rows.get(number)
            if row is None:
                continue
            name, label, kind, keep_zero = row
            self._count(1)
            if label == _MAP:
                self._put_entry(out.setdefault(name, {}), kind, _bytes(wire), depth)
            elif label == _REPEATED:
                out.setdefault(name, []).extend(self._repeated(kind, wire, depth))
            elif not name:
                out.update(self.message(kind, _bytes(wire), depth + 1))
            else:
                value = self._value(kind, wire, depth)
                if value is not None and (keep_zero or value or kind not in _DROPPED_ZEROS):
                    out[name] = value
        return out

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > VALUES_MAX:
            raise ProtobufError(f"more than {VALUES_MAX} values")

    def _put_entry(self, out: Obj, kind: str, data: bytes, depth: int) -> None:
        entry = dict(_fields(data))
        empty: _Wire = 0 if kind in _NUMBERS else b""
        out[_text(entry.get(1, b""))] = self._value(kind, entry.get(2, empty), depth)

    def _repeated(self, kind: str, wire: _Wire, depth: int) -> list[Any]:
        if kind in _NUMBERS and isinstance(wire, bytes):
            self._count(len(wire))
            return _packed(kind, wire)
        return [self._value(kind, wire, depth)]

    def _value(self, kind: str, wire: _Wire, depth: int) -> Any:
        number = _NUMBERS.get(kind)
        if number is not None:
            if isinstance(wire, bytes):
                raise ProtobufError(f"wrong wire type for {kind}")
            return number(wire)
        data = _bytes(wire)
        if kind == "string":
            return _text(data)
        special = _SPECIAL.get(kind)
        if special is not None:
            return special(data)
        if kind.startswith("schema-or-"):
            return self._schema_or(kind, data, depth)
        return self.message(kind, data, depth + 1)

    def _schema_or(self, kind: str, data: bytes, depth: int) -> Any:
        """Return a JSON schema, or what may stand in its place (a list of schemas, a bool, a list of names)."""
        field = 2 if kind == "schema-or-bool" else 1
        parts = list(_fields(data))
        for number, wire in parts:
            if number == field:
                return self.message(_PROPS, _bytes(wire), depth + 1)
        if kind == "schema-or-bool":
            return bool(dict(parts).get(1, 0))
        if kind == "schema-or-strings":
            return [_text(wire) for number, wire in parts if number == 2]
        return [self.message(_PROPS, _bytes(wire), depth + 1) for number, wire in parts if number == 2]


def _packed(kind: str, data: bytes) -> list[Any]:
    values = []
    at = 0
    while at < len(data):
        number, at = _varint(data, at)
        values.append(_NUMBERS[kind](number))
    return values


def _fields(data: bytes) -> Iterator[tuple[int, _Wire]]:
    """Yield (field number, value): varints and fixed-width numbers as int, everything else as bytes."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        wire_type = tag & 7
        if wire_type == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if wire_type == 2:
            length, at = _varint(data, at)
        elif wire_type in (1, 5):
            length = 8 if wire_type == 1 else 4
        else:
            raise ProtobufError(f"illegal wire type {wire_type}")
        if at + length > end:
            raise ProtobufError("unexpected EOF")
        part = data[at : at + length]
        at += length
        yield tag >> 3, (part if wire_type == 2 else int.from_bytes(part, "little"))


def encode_varint(value: int) -> bytes:
    """Return a number, 0 or more, as the wire has it."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ProtobufError("unexpected EOF" if at >= len(data) else "integer overflow")
        byte = data[at]
        at += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result & _UINT64_MAX, at
        shift += 7


def _bytes(wire: _Wire) -> bytes:
    if isinstance(wire, int):
        raise ProtobufError("wrong wire type for a message")
    return wire


def _text(wire: _Wire) -> str:
    try:
        return _bytes(wire).decode()
    except UnicodeDecodeError as error:
        raise ProtobufError("string field contains invalid UTF-8") from error


def _signed(value: int) -> int:
    return value - 2**64 if value >> 63 else value


def _double(value: int) -> float:
    number: float = struct.unpack("<d", value.to_bytes(8, "little"))[0]
    return number


_NUMBERS: Mapping[str, Callable[[int], Any]] = {
    "int32": _signed,
    "int64": _signed,
    "bool": bool,
    "double": _double,
}


def _moment(data: bytes) -> tuple[int, int] | None:
    """Return (seconds, nanos), None for the zero time, which has no fields."""
    parts = dict(_fields(data))
    if not parts:
        return None
    seconds, nanos = parts.get(1, 0), parts.get(2, 0)
    if isinstance(seconds, bytes) or isinstance(nanos, bytes):
        raise ProtobufError("wrong wire type for a time")
    return _signed(seconds), _signed(nanos)


def _format(data: bytes, pattern: str) -> str | None:
    moment = _moment(data)
    if moment is None:
        return None
    try:
        return (_EPOCH + timedelta(seconds=moment[0], microseconds=moment[1] // 1000)).strftime(pattern)
    except OverflowError as error:
        raise ProtobufError("time out of range") from error


def _time(data: bytes) -> str | None:
    return _format(data, "%Y-%m-%dT%H:%M:%SZ")


def _micro_time(data: bytes) -> str | None:
    return _format(data, "%Y-%m-%dT%H:%M:%S.%fZ")


def _int_or_string(data: bytes) -> int | str:
    parts = dict(_fields(data))
    if parts.get(1, 0) == 1:
        return _text(parts.get(3, b""))
    number = parts.get(2, 0)
    if isinstance(number, bytes):
        raise ProtobufError("wrong wire type for an IntOrString")
    return _signed(number)


def _quantity(data: bytes) -> str:
    return _text(dict(_fields(data)).get(1, b"")) or "0"


def _strings(data: bytes) -> list[str]:
    return [_text(wire) for number, wire in _fields(data) if number == 1]


def _raw(data: bytes) -> Any:
    raw = _bytes(dict(_fields(data)).get(1, b""))
    if not raw:
        return None
    check_values(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ProtobufError(f"embedded JSON: {error}") from error


def _duration(data: bytes) -> str:
    """Return nanoseconds as Go prints a time.Duration, for whole seconds; finer ones as a fraction of a second."""
    wire = dict(_fields(data)).get(1, 0)
    if isinstance(wire, bytes):
        raise ProtobufError("wrong wire type for a Duration")
    nanos = _signed(wire)
    seconds, fraction = divmod(abs(nanos), 10**9)
    tail = f".{fraction:09d}".rstrip("0") if fraction else ""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return ("-" if nanos < 0 else "") + f"{text}{seconds}{tail}s"


_DROPPED_ZEROS = frozenset({*_NUMBERS, "string", "bytes"})
"""Of these types Go's JSON leaves a plain field out when it is zero; a struct's (IntOrString, Quantity) is there."""

_SPECIAL: Mapping[str, Callable[[bytes], Any]] = {
    "bytes": lambda data: base64.b64encode(data).decode(),
    "quantity": _quantity,
    "int-or-string": _int_or_string,
    "time": _time,
    "micro-time": _micro_time,
    "duration": _duration,
    "strings": _strings,
    "raw": _raw,
}

_PROPS = "apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"


@cache
def _table() -> Mapping[str, Mapping[int, _Row]]:
    name = f"protobuf-{SERVED_MAJOR}.{SERVED_MINOR}.json.gz"
    raw = orjson.loads(gzip.decompress((resources.files("minikube_py.api.data") / name).read_bytes()))
    return {
        message: {int(number): (row[0], row[1], row[2], row[3]) for number, row in rows.items()}
        for message, rows in raw.items()
    }
