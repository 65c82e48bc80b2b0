"""Short ways to write the columns that most kinds are made of: a field's text, a number, a condition.

Upstream: printers/internalversion.
"""

from collections.abc import Callable, Mapping
from typing import Any

from minikube_py.api.columns.ages import NAME, NONE
from minikube_py.api.meta import metadata
from minikube_py.api.resource import Column

Cell = Callable[[Mapping[str, Any], float], object]

CREATED_AT = Column(
    "Created At",
    lambda obj, _: metadata(obj).get("creationTimestamp"),
    type="date",
    description="When the object was created.",
)
DEFAULT_COLUMNS = (NAME, CREATED_AT)
"""Columns of kinds that upstream has no printer for."""


def at(obj: Mapping[str, Any], *path: str) -> Any:
    """Return the value at a path of fields, None when something on the way is missing."""
    value: Any = obj
    for field in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(field)
    return value


def text(name: str, path: str, description: str, *, missing: str = "", wide: bool = False) -> Column:
    """Return a column that shows the text at `path` (fields joined by dots), `missing` when it is absent or empty."""
    fields = tuple(path.split("."))

    def cell(obj: Mapping[str, Any], _: float) -> object:
        value = at(obj, *fields)
        return missing if value is None or value == "" else str(value)

    return Column(name, cell, description=description, priority=1 if wide else 0)


def number(name: str, path: str, description: str) -> Column:
    """Return a column that shows the whole number at `path`, 0 when it is absent."""
    fields = tuple(path.split("."))
    return Column(name, lambda obj, _: at(obj, *fields) or 0, type="integer", description=description)


def flag(name: str, path: str, description: str) -> Column:
    """Return a column that shows the truth at `path`, false when it is absent."""
    fields = tuple(path.split("."))
    return Column(name, lambda obj, _: bool(at(obj, *fields)), type="boolean", description=description)


def count(name: str, path: str, description: str) -> Column:
    """Return a column that shows how many elements the list at `path` has."""
    fields = tuple(path.split("."))
    return Column(name, lambda obj, _: len(at(obj, *fields) or ()), type="integer", description=description)


def go_bool(value: object) -> str:
    """Return a truth value as upstream prints it in a text column."""
    return "True" if value else "False"


def condition_of(obj: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return a condition of the object's status, an empty mapping when it is not there."""
    conditions = at(obj, "status", "conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == kind), {})


def names_of(values: list[Any] | tuple[Any, ...]) -> str:
    """Return texts with commas between them, `<none>` for none."""
    return ",".join(str(value) for value in values) or NONE
