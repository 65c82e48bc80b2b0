"""Kubernetes' quantities and semantic versions as values.

Upstream: apiserver cel/library/quantity.go and semver.go.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.cel.values import INT_MAX, INT_MIN, CelError, NoOverloadError, type_name
from minikube_py.api.quantity import Quantity, QuantityError, parse_quantity

_NANO = 10**9
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)


@dataclass(frozen=True, slots=True)
class QuantityValue:
    """A quantity."""

    amount: Quantity

    @property
    def cel_type(self) -> str:
        """Return the CEL name of the type."""
        return "kubernetes.Quantity"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QuantityValue) and self.amount.nano == other.amount.nano

    def __hash__(self) -> int:
        return hash(self.amount.nano)

    def __str__(self) -> str:
        return str(self.amount)


@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version."""

    numbers: tuple[int, int, int]
    prerelease: tuple[tuple[int, int, str], ...]

    @property
    def cel_type(self) -> str:
        """Return the CEL name of the type."""
        return "kubernetes.Semver"

    @property
    def order(self) -> tuple[object, ...]:
        """Return what orders versions: a pre-release comes before its release."""
        return (self.numbers, not self.prerelease, self.prerelease)


def _parse_quantity(text: Any) -> QuantityValue:
    if not isinstance(text, str):
        raise NoOverloadError(f"quantity({type_name(text)})")
    try:
        return QuantityValue(parse_quantity(text))
    except QuantityError as error:
        raise CelError(str(error)) from error


def _is(parse: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def check(text: Any) -> bool:
        try:
            parse(text)
        except NoOverloadError:
            raise
        except CelError:
            return False
        return True

    return check


def _amount(value: Any) -> int:
    """Return a quantity's billionths."""
    if isinstance(value, QuantityValue):
        return value.amount.nano
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value) * _NANO
    raise NoOverloadError(f"a quantity's method on {type_name(value)}")


def _quantity(value: Any) -> Quantity:
    if not isinstance(value, QuantityValue):
        raise NoOverloadError(f"a quantity's method on {type_name(value)}")
    return value.amount


def _is_integer(value: Any) -> bool:
    nano = _quantity(value).nano
    return nano % _NANO == 0 and INT_MIN <= nano // _NANO <= INT_MAX


def _as_integer(value: Any) -> int:
    if not _is_integer(value):
        raise CelError("cannot convert value to integer")
    return _quantity(value).nano // _NANO


def _sign(value: Any) -> int:
    nano = _quantity(value).nano
    return (nano > 0) - (nano < 0)


def _add(value: Any, other: Any) -> QuantityValue:
    return QuantityValue(_quantity(value) + Quantity(_amount(other)))


def _subtract(value: Any, other: Any) -> QuantityValue:
    return QuantityValue(_quantity(value) - Quantity(_amount(other)))


def _compare(value: Any, other: Any) -> int:
    left, right = _quantity(value).nano, _quantity(other).nano
    return (left > right) - (left < right)


def _parse_version(text: Any, normalize: Any = False) -> Version:  # CEL passes it by place
    if not isinstance(text, str):
        raise NoOverloadError(f"semver({type_name(text)})")
    shape = _normalized(text) if normalize else text
    found = _SEMVER.fullmatch(shape)
    if found is None:
        raise CelError(f"invalid semantic version: {text}")
    parts = found[4].split(".") if found[4] else []
    prerelease = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)
    return Version((int(found[1]), int(found[2]), int(found[3])), prerelease)


def _is_version(text: Any, normalize: Any = False) -> bool:  # CEL passes it by place
    return _is(lambda value: _parse_version(value, normalize))(text)


def _normalized(text: str) -> str:
    """Return `v1.2` as `1.2.0`: without the v, without leading zeros, with all three numbers."""
    core, mark, rest = text.removeprefix("v").partition("-")
    numbers = [number.lstrip("0") or "0" for number in core.split(".")]
    return ".".join([*numbers, "0", "0"][: max(3, len(numbers))]) + mark + rest


def _version(value: Any) -> Version:
    if not isinstance(value, Version):
        raise NoOverloadError(f"a version's method on {type_name(value)}")
    return value


def _compare_versions(value: Any, other: Any) -> int:
    left, right = _version(value).order, _version(other).order
    return (left > right) - (left < right)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "quantity": _parse_quantity,
    "isQuantity": _is(_parse_quantity),
    "semver": _parse_version,
    "isSemver": _is_version,
}


def _is_less(value: Any, other: Any) -> bool:
    return (_compare_versions if isinstance(value, Version) else _compare)(value, other) < 0


def _is_greater(value: Any, other: Any) -> bool:
    return (_compare_versions if isinstance(value, Version) else _compare)(value, other) > 0


METHODS: Mapping[str, Callable[..., Any]] = {
    "isInteger": _is_integer,
    "asInteger": _as_integer,
    "asApproximateFloat": lambda value: _quantity(value).nano / _NANO,
    "sign": _sign,
    "add": _add,
    "sub": _subtract,
    "isLessThan": _is_less,
    "isGreaterThan": _is_greater,
    "compareTo": lambda value, other: (_compare_versions if isinstance(value, Version) else _compare)(value, other),
    "major": lambda value: _version(value).numbers[0],
    "minor": lambda value: _version(value).numbers[1],
    "patch": lambda value: _version(value).numbers[2],
}
