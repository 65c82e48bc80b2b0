"""CEL's operators on values: arithmetic that never wraps, comparison across number types, membership.

Specification: cel-spec doc/langdef.md (Numeric values, Overflow, Equality, Ordering).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from minikube_py.api.cel.values import (
    INT_MAX,
    INT_MIN,
    CelError,
    Duration,
    NoOverloadError,
    Timestamp,
    Uint,
    checked_int,
    checked_timestamp,
    checked_uint,
    equals,
    is_number,
    type_name,
)


def _number_kind(value: Any) -> type | None:
    """Return int, Uint or float for numbers, None for everything else (bool among them)."""
    kind = type(value)
    return kind if kind in (int, Uint, float) else None


def _mismatch(symbol: str, left: Any, right: Any) -> NoOverloadError:
    return NoOverloadError(f"_{symbol}_ applied to '({type_name(left)}, {type_name(right)})'")


def add(left: Any, right: Any) -> Any:
    """Return left + right."""
    kind = _number_kind(left)
    if kind is not None and kind is _number_kind(right):
        return _arithmetic(kind, left + right)
    if type(left) is type(right) and isinstance(left, str | bytes):
        return left + right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return [*left, *right]
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(checked_int(left.nanos + right.nanos))
    if isinstance(left, Timestamp) and isinstance(right, Duration):
        return checked_timestamp(left.nanos + right.nanos)
    if isinstance(left, Duration) and isinstance(right, Timestamp):
        return checked_timestamp(left.nanos + right.nanos)
    raise _mismatch("+", left, right)


def subtract(left: Any, right: Any) -> Any:
    """Return left - right."""
    kind = _number_kind(left)
    if kind is not None and kind is _number_kind(right):
        return _arithmetic(kind, int(left) - int(right) if kind is not float else left - right)
    if isinstance(left, Timestamp) and isinstance(right, Timestamp):
        return Duration(checked_int(left.nanos - right.nanos))
    if isinstance(left, Timestamp) and isinstance(right, Duration):
        return checked_timestamp(left.nanos - right.nanos)
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(checked_int(left.nanos - right.nanos))
    raise _mismatch("-", left, right)


def multiply(left: Any, right: Any) -> Any:
    """Return left * right."""
    kind = _number_kind(left)
    if kind is None or kind is not _number_kind(right):
        raise _mismatch("*", left, right)
    return _arithmetic(kind, left * right)


def divide(left: Any, right: Any) -> Any:
    """Return left / right; integers are cut towards zero."""
    kind = _number_kind(left)
    if kind is None or kind is not _number_kind(right):
        raise _mismatch("/", left, right)
    if kind is float:
        return _divide_floats(left, right)
    if right == 0:
        raise CelError("division by zero")
    quotient = abs(int(left)) // abs(int(right))
    return _arithmetic(kind, quotient if (left < 0) == (right < 0) else -quotient)


def _divide_floats(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def modulo(left: Any, right: Any) -> Any:
    """Return left % right, with the sign of the left side."""
    kind = _number_kind(left)
    if kind not in (int, Uint) or kind is not _number_kind(right):
        raise _mismatch("%", left, right)
    if right == 0:
        raise CelError("modulus by zero")
    rest = abs(int(left)) % abs(int(right))
    return _arithmetic(kind, -rest if left < 0 else rest)


def negate(value: Any) -> Any:
    """Return -value."""
    kind = _number_kind(value)
    if kind is int:
        return checked_int(-value)
    if kind is float:
        return -value
    if isinstance(value, Duration):
        return Duration(checked_int(-value.nanos))
    raise NoOverloadError(f"-_ applied to '({type_name(value)})'")


def _arithmetic(kind: type | None, value: Any) -> Any:
    if kind is int:
        return value if INT_MIN <= value <= INT_MAX else checked_int(value)
    return checked_uint(value) if kind is Uint else value


def _compares(symbol: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    ordered = (str, bytes, Timestamp, Duration, bool)

    def operator(left: Any, right: Any) -> Any:
        if is_number(left) and is_number(right):
            return compare(left, right)
        if type(left) is type(right) and isinstance(left, ordered):
            return compare(left, right)
        raise _mismatch(symbol, left, right)

    return operator


def contains(item: Any, container: Any) -> bool:
    """Return `item in container`."""
    if isinstance(container, Mapping):
        return has_key(container, item)
    if isinstance(container, list | tuple):
        return any(equals(item, element) for element in container)
    raise NoOverloadError(f"@in applied to '({type_name(item)}, {type_name(container)})'")


def has_key(container: Mapping[Any, Any], key: Any) -> bool:
    """Return whether a map has a key."""
    try:
        return key in container and not (isinstance(key, bool) and not any(k is key for k in container))
    except TypeError:
        return False


BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "_+_": add,
    "_-_": subtract,
    "_*_": multiply,
    "_/_": divide,
    "_%_": modulo,
    "_==_": equals,
    "_!=_": lambda left, right: not equals(left, right),
    "_<_": _compares("<", lambda left, right: left < right),
    "_<=_": _compares("<=", lambda left, right: left <= right),
    "_>_": _compares(">", lambda left, right: left > right),
    "_>=_": _compares(">=", lambda left, right: left >= right),
    "@in": contains,
}
"""Operator -> what it does."""
