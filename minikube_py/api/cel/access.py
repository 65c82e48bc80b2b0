"""What `value.field` and `value[index]` are, and whether they are there: of maps, lists, objects and optionals.

Specification: cel-spec doc/langdef.md (Field Selection). Upstream: cel-go interpreter/attributes.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.cel.names import unescape_field
from minikube_py.api.cel.operators import has_key
from minikube_py.api.cel.values import NONE, CelError, NoOverloadError, Optional, is_number, some, type_name


def select(value: Any, field: str) -> Any:
    """Return `value.field`.

    Raises:
        CelError: it is not there; a NoOverloadError when the value has no fields.
    """
    if isinstance(value, Optional):
        return select_optional(value, field)
    if not isinstance(value, Mapping):
        value = getattr(value, "cel_fields", value)
    if not isinstance(value, Mapping):
        raise NoOverloadError(f"select '{field}' of {type_name(value)}" if value is not None else "")
    if field in value:
        found = value[field]
        if isinstance(found, CelError):
            raise found
        return found
    plain = unescape_field(field)
    if plain in value:
        return value[plain]
    raise CelError(f"no such key: {plain}")


def has(value: Any, field: str) -> bool:
    """Return whether `value.field` is there: the macro `has`.

    Raises:
        NoOverloadError: the value has no fields.
    """
    if isinstance(value, Optional):
        return value.present and has(value.value, field)
    if not isinstance(value, Mapping):
        value = getattr(value, "cel_fields", value)
    if not isinstance(value, Mapping):
        raise NoOverloadError
    return field in value or unescape_field(field) in value


def select_optional(value: Any, field: str) -> Optional:
    """Return `value.?field`: nothing where the field is not there."""
    if isinstance(value, Optional):
        if not value.present:
            return NONE
        value = value.value
    return some(select(value, field)) if has(value, field) else NONE


def at(value: Any, index: Any) -> Any:
    """Return `value[index]`.

    Raises:
        CelError: it is not there; a NoOverloadError when the value has no elements or the index is of another type.
    """
    if isinstance(value, Optional):
        return at_optional(value, index)
    if isinstance(value, Mapping):
        if not has_key(value, index):
            raise CelError(f"no such key: {index}")
        return value[index]
    if isinstance(value, list | tuple):
        if not is_number(index) or (isinstance(index, float) and not index.is_integer()):
            raise NoOverloadError(f"_[_] applied to '(list, {type_name(index)})'")
        if not 0 <= index < len(value):
            raise CelError(f"index out of bounds: {index}")
        return value[int(index)]
    raise NoOverloadError(f"_[_] applied to '({type_name(value)}, {type_name(index)})'")


def at_optional(value: Any, index: Any) -> Optional:
    """Return `value[?index]`: nothing where the element is not there."""
    if isinstance(value, Optional):
        if not value.present:
            return NONE
        value = value.value
    if isinstance(value, Mapping):
        return some(value[index]) if has_key(value, index) else NONE
    try:
        return some(at(value, index))
    except NoOverloadError:
        raise
    except CelError:
        return NONE
