"""The values of CEL that JSON does not have, and what can go wrong with any of them.

Booleans, texts, bytes, lists, maps and null are Python's own; `int` is Python's int within 64 bits, `double` is
float. Everything else has a class here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
UINT_MAX = 2**64 - 1
NANOS = 1_000_000_000
TIMESTAMP_MIN, TIMESTAMP_END = -62_135_596_800 * NANOS, 253_402_300_800 * NANOS
"""From the year 1 to the end of the year 9999, in nanoseconds since 1970."""


class CelError(Exception):
    """An evaluation failed; the text is cel-go's."""


class NoOverloadError(CelError):
    """No function, or no operator, for values of these types."""

    def __init__(self, what: str = "") -> None:
        super().__init__(f"no such overload{f': {what}' if what else ''}")


class CostLimitError(CelError):
    """The evaluation cost more than it may; nothing absorbs this error."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


class Uint(int):
    """A CEL uint."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A CEL duration."""

    nanos: int

    def __str__(self) -> str:
        whole, part = divmod(abs(self.nanos), NANOS)
        text = f"{whole}.{part:09d}".rstrip("0").rstrip(".") if part else str(whole)
        return f"{'-' if self.nanos < 0 else ''}{text}s"


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A CEL timestamp: nanoseconds since 1970, UTC."""

    nanos: int

    def moment(self) -> datetime:
        """Return it as a datetime, without what is below microseconds."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.nanos // 1000)

    def __str__(self) -> str:
        part = self.nanos % NANOS
        text = self.moment().strftime("%Y-%m-%dT%H:%M:%S")
        return f"{text}.{part:09d}".rstrip("0") + "Z" if part else f"{text}Z"


@dataclass(frozen=True, slots=True)
class Optional:
    """A CEL optional: a value, or none."""

    present: bool
    value: Any = None


NONE = Optional(present=False)


def some(value: Any) -> Optional:
    """Return an optional with a value."""
    return Optional(present=True, value=value)


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value: `type(1) == int`."""

    name: str


@dataclass(frozen=True, slots=True)
class Constructed:
    """An object that an expression made with a type name: `Object.spec{replicas: 1}`, `JSONPatch{op: "add"}`."""

    type_name: str
    fields: Mapping[str, Any]

    @property
    def cel_fields(self) -> Mapping[str, Any]:
        """Return what can be selected."""
        return self.fields


_TYPE_NAMES: Mapping[type, str] = {
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    tuple: "list",
    dict: "map",
    type(None): "null_type",
    Duration: "google.protobuf.Duration",
    Timestamp: "google.protobuf.Timestamp",
    Optional: "optional_type",
    TypeValue: "type",
}


def type_name(value: Any) -> str:
    """Return the CEL name of a value's type."""
    name = _TYPE_NAMES.get(type(value))
    if name is not None:
        return name
    return str(getattr(value, "cel_type", type(value).__name__))


def is_number(value: Any) -> bool:
    """Return whether a value is an int, uint or double."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def equals(left: Any, right: Any) -> bool:
    """Return whether two values are equal in CEL's sense: numbers by value, whatever their type."""
    if is_number(left) and is_number(right):
        return bool(left == right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(equals, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equals(left[key], right[key]) for key in left)
    if isinstance(left, Optional) and isinstance(right, Optional):
        return left.present == right.present and equals(left.value, right.value)
    return type(left) is type(right) and bool(left == right)


def as_int(value: Any) -> int:
    """Return what must be an int: an index, a length.

    Raises:
        NoOverloadError: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise NoOverloadError(f"an index of type {type_name(value)}")
    return int(value)


def checked_int(value: int) -> int:
    """Return a result of integer arithmetic.

    Raises:
        CelError: it is no 64-bit integer.
    """
    if not INT_MIN <= value <= INT_MAX:
        raise CelError("integer overflow")
    return value


def checked_uint(value: int) -> Uint:
    """Return a result of unsigned arithmetic.

    Raises:
        CelError: it is no unsigned 64-bit integer.
    """
    if not 0 <= value <= UINT_MAX:
        raise CelError("unsigned integer overflow")
    return Uint(value)


def checked_timestamp(nanos: int) -> Timestamp:
    """Return a moment.

    Raises:
        CelError: it is not in the years 1 to 9999.
    """
    if not TIMESTAMP_MIN <= nanos < TIMESTAMP_END:
        raise CelError("timestamp overflow")
    return Timestamp(nanos)


class Budget:
    """What an evaluation may still cost, in cel-go's units (`runtime_costs`)."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, cost: int) -> None:
        """Take `cost` away.

        Raises:
            CostLimitError: there is not so much left.
        """
        self.left -= cost
        if self.left < 0:
            raise CostLimitError
