"""Short names for the kinds of FieldErrors, so that a rule reads as what it says.

Upstream: apimachinery util/validation/field.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from minikube_py.api.errors import FieldError
from minikube_py.api.names import percent_faults

Faults: TypeAlias = Iterator[FieldError]
"""What a rule yields: the faults that it found, in upstream's order."""

NOT_NEGATIVE = "must be greater than or equal to 0"
POSITIVE = "must be greater than zero"
IMMUTABLE = "field is immutable"
INT32_MAX = 2**31 - 1


def required(field: str, detail: str = "") -> FieldError:
    """Return the fault of a field that must be given."""
    return FieldError("FieldValueRequired", field, detail)


def invalid(field: str, value: object, detail: str) -> FieldError:
    """Return the fault of a value that cannot be."""
    return FieldError("FieldValueInvalid", field, detail, value)


def forbidden(field: str, detail: str) -> FieldError:
    """Return the fault of a field that must not be given."""
    return FieldError("FieldValueForbidden", field, detail)


def duplicate(field: str, value: object) -> FieldError:
    """Return the fault of a value that another one has already."""
    return FieldError("FieldValueDuplicate", field, "", value)


def not_found(field: str, value: object) -> FieldError:
    """Return the fault of a name that names nothing."""
    return FieldError("FieldValueNotFound", field, "", value)


def unsupported(field: str, value: object, supported: Iterable[str]) -> FieldError:
    """Return the fault of a value that is none of a closed set."""
    shown = ", ".join(f'"{choice}"' for choice in supported)
    return FieldError("FieldValueNotSupported", field, f"supported values: {shown}", value)


def too_long(field: str, limit: int) -> FieldError:
    """Return the fault of a value with more than `limit` bytes."""
    return FieldError("FieldValueTooLong", field, f"may not be more than {limit} bytes")


def too_many(field: str, count: int, limit: int) -> FieldError:
    """Return the fault of a list with more than `limit` elements."""
    return FieldError("FieldValueTooMany", field, f"must have at most {limit} items", count)


def all_invalid(field: str, value: object, messages: Iterable[str]) -> Faults:
    """Yield one fault for each message about a value."""
    for message in messages:
        yield invalid(field, value, message)


def check_choice(field: str, value: object, supported: Collection[str]) -> Faults:
    """Yield the fault of a value that must be given and be one of `supported`."""
    if not value:
        yield required(field)
    elif value not in supported:
        yield unsupported(field, value, supported)


def check_not_negative(field: str, value: int | None) -> Faults:
    """Yield the fault of a number below 0."""
    if value is not None and value < 0:
        yield invalid(field, value, NOT_NEGATIVE)


def check_immutable(field: str, new: object, old: object) -> Faults:
    """Yield the fault of a field that changed and may not."""
    if new != old:
        yield invalid(field, new, IMMUTABLE)


def check_number_or_percent(field: str, value: int | str) -> Faults:
    """Yield the faults of a count that may be given as a percentage (maxSurge)."""
    if isinstance(value, str):
        yield from all_invalid(field, value, percent_faults(value))
    else:
        yield from check_not_negative(field, value)


def percent_of(value: int | str) -> int | None:
    """Return the number before the percent sign, None when the value is no percentage."""
    return int(value[:-1]) if isinstance(value, str) and not percent_faults(value) else None


def part(obj: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """Return an inner object, empty when it is not given."""
    inner: Mapping[str, Any] = obj.get(field) or {}
    return inner


def items(obj: Mapping[str, Any], field: str) -> Sequence[Any]:
    """Return an inner list, empty when it is not given."""
    inner: Sequence[Any] = obj.get(field) or ()
    return inner


def indexed(obj: Mapping[str, Any], field: str, path: str) -> Iterator[tuple[str, Any]]:
    """Yield each element of an inner list with its path (`spec.containers[0]`)."""
    for index, item in enumerate(items(obj, field)):
        yield f"{path}.{field}[{index}]" if path else f"{field}[{index}]", item
