"""CEL's standard functions: sizes, conversions between types, types, optionals.

Specification: cel-spec doc/langdef.md (List of Standard Definitions).
"""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from minikube_py.api.cel.library_time import parse_duration, parse_timestamp
from minikube_py.api.cel.values import (
    INT_MAX,
    INT_MIN,
    NANOS,
    NONE,
    CelError,
    Duration,
    NoOverloadError,
    Optional,
    Timestamp,
    TypeValue,
    Uint,
    checked_int,
    checked_timestamp,
    checked_uint,
    some,
    type_name,
)

Function = Callable[..., Any]
_EXPONENT_MIN = 6
_TRUE, _FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")


def size(value: Any) -> int:
    """Return the number of characters, bytes, elements or entries."""
    if isinstance(value, str | bytes | list | tuple | Mapping):
        return len(value)
    raise NoOverloadError(f"size applied to '({type_name(value)})'")


def to_int(value: Any) -> int:
    """Return int(value)."""
    match value:
        case bool():
            raise NoOverloadError("int(bool)")
        case int():
            return checked_int(int(value))
        case float():
            if not math.isfinite(value) or not INT_MIN <= value <= INT_MAX:
                raise CelError("integer overflow")
            return int(value)
        case str():
            return checked_int(_parsed(int, value, "int"))
        case Timestamp(nanos):
            return nanos // NANOS
        case Duration(nanos):
            return nanos
        case _:
            raise NoOverloadError(f"int({type_name(value)})")


def to_uint(value: Any) -> Uint:
    """Return uint(value)."""
    if isinstance(value, str):
        return checked_uint(_parsed(int, value, "uint"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NoOverloadError(f"uint({type_name(value)})")
    if isinstance(value, float) and not math.isfinite(value):
        raise CelError("unsigned integer overflow")
    return checked_uint(int(value))


def to_double(value: Any) -> float:
    """Return double(value)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise NoOverloadError(f"double({type_name(value)})")
    return _parsed(float, value, "double") if isinstance(value, str) else float(value)


def _parsed(parse: Callable[[str], Any], text: str, what: str) -> Any:
    try:
        if "_" in text or not text.isascii() or text != text.strip():
            raise ValueError(text)
        return parse(text)
    except ValueError as error:
        raise CelError(f"type conversion error from 'string' to '{what}'") from error


def to_string(value: Any) -> str:
    """Return string(value)."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return double_text(value)
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError as error:
                raise CelError("invalid UTF-8 in bytes, cannot convert to string") from error
        case _ if type_name(value) in ("list", "map", "null_type", "type", "optional_type"):
            raise NoOverloadError(f"string({type_name(value)})")
        case _:
            return str(value)


def double_text(value: float) -> str:
    """Return a double as Go's %g has it: the fewest digits that tell it, from a million on with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    shortest = Decimal(repr(value)).normalize()
    exponent = shortest.adjusted() if shortest else 0
    if -5 < exponent < _EXPONENT_MIN:
        return format(shortest, "f")
    first, *rest = (str(digit) for digit in shortest.as_tuple().digits)
    mantissa = f"{first}.{''.join(rest)}" if rest else first
    return f"{'-' if value < 0 else ''}{mantissa}e{exponent:+03d}"


def to_bytes(value: Any) -> bytes:
    """Return bytes(value)."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    raise NoOverloadError(f"bytes({type_name(value)})")


def to_bool(value: Any) -> bool:
    """Return bool(value)."""
    if isinstance(value, bool):
        return value
    if value in _TRUE and isinstance(value, str):
        return True
    if value in _FALSE and isinstance(value, str):
        return False
    if isinstance(value, str):
        raise CelError("type conversion error from 'string' to 'bool'")
    raise NoOverloadError(f"bool({type_name(value)})")


def to_timestamp(value: Any) -> Timestamp:
    """Return timestamp(value)."""
    if isinstance(value, Timestamp):
        return value
    if isinstance(value, str):
        return parse_timestamp(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return checked_timestamp(int(value) * NANOS)
    raise NoOverloadError(f"timestamp({type_name(value)})")


def to_duration(value: Any) -> Duration:
    """Return duration(value)."""
    if isinstance(value, Duration):
        return value
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Duration(checked_int(int(value) * NANOS))
    raise NoOverloadError(f"duration({type_name(value)})")


def _optional(value: Any) -> Optional:
    if not isinstance(value, Optional):
        raise NoOverloadError(f"an optional's method on {type_name(value)}")
    return value


def _value_of(value: Any) -> Any:
    if not _optional(value).present:
        raise CelError("optional.none() dereference")
    return value.value


def _of_non_zero(value: Any) -> Optional:
    is_zero = value is None or value in (0, "", b"", False) or value in ([], {})
    return NONE if is_zero else some(value)


FUNCTIONS: Mapping[str, Function] = {
    "size": size,
    "type": lambda value: TypeValue(type_name(value)),
    "dyn": lambda value: value,
    "int": to_int,
    "uint": to_uint,
    "double": to_double,
    "string": to_string,
    "bytes": to_bytes,
    "bool": to_bool,
    "timestamp": to_timestamp,
    "duration": to_duration,
    "optional.of": some,
    "optional.none": lambda: NONE,
    "optional.ofNonZeroValue": _of_non_zero,
}
METHODS: Mapping[str, Function] = {
    "size": size,
    "hasValue": lambda value: _optional(value).present,
    "value": _value_of,
    "or": lambda value, other: value if _optional(value).present else _optional(other),
    "orValue": lambda value, other: value.value if _optional(value).present else other,
}
