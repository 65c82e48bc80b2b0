"""additionalPrinterColumns as columns of a Table.

A path may find nothing (an empty cell) or several values (the first one is shown). Dates are shown as ages.
Upstream: apiextensions-apiserver registry/customresource/tableconvertor.
"""

from collections.abc import Callable, Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME, UNKNOWN, since
from minikube_py.api.custom.nodes import Node
from minikube_py.api.jsonpath import Step, find_all, parse_path, render_value
from minikube_py.api.resource import Column


def columns_of(version: Node) -> tuple[Column, ...]:
    """Return the columns of a version of a definition: Name, and what it says, else Age."""
    declared = version.get("additionalPrinterColumns")
    if not declared:
        return (NAME, AGE)
    return (NAME, *(_column(column) for column in declared))


def _column(column: Mapping[str, Any]) -> Column:
    kind = str(column["type"])
    return Column(
        str(column["name"]),
        _cell(kind, parse_path(str(column["jsonPath"]))),
        type=kind,
        format=str(column.get("format") or ""),
        description=str(
            column.get("description")
            or f"Custom resource definition column (in JSONPath format): {column['jsonPath']}"
        ),
        priority=int(column.get("priority") or 0),
    )


def _cell(kind: str, path: tuple[Step, ...]) -> Callable[[Mapping[str, Any], float], object]:
    def cell(obj: Mapping[str, Any], wall_s: float) -> object:
        found = find_all(obj, path)
        if not found:
            return None
        return _shown(kind, found[0], wall_s)

    return cell


def _shown(kind: str, value: Any, wall_s: float) -> object:
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "integer":
            return int(value) if is_number else None
        case "number":
            return float(value) if is_number else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date":
            return _age(value, wall_s)
        case _:
            return render_value(value)


def _age(value: Any, wall_s: float) -> object:
    if not isinstance(value, str):
        return None
    try:
        return since(value, wall_s) if value else UNKNOWN
    except ValueError:
        return "<invalid>"
