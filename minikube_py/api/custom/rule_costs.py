"""Whether the rules of a definition could cost too much: each alone, and all of one schema together.

A rule in an item of a list counts as often as there can be items. Where a schema sets no bound, the largest request
does: as many of the smallest values as it holds. That is why bounds (maxItems, maxProperties, maxLength) make
definitions acceptable.

Upstream: apiextensions-apiserver apis/apiextensions/validation (cel_validation.go, StaticEstimated*CostLimit),
apiserver cel/common/schemas.go (the sizes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.cel.estimate import Path
from minikube_py.api.cel.sizes import capped
from minikube_py.api.custom.nodes import INT_OR_STRING, Node, items_node, values_node
from minikube_py.api.custom.rule_values import NodeShape
from minikube_py.api.rules.faults import Faults, forbidden

EXPRESSION_COST_MAX = 10_000_000
SCHEMA_COST_MAX = 100_000_000
REQUEST_BYTES_MAX = 3 * 1024 * 1024
SHOWN_MAX = 4
"""So many of the most expensive expressions are named when all together cost too much."""
_BYTES_OF_CHARACTER = 4
_LONGEST: Mapping[str, int] = {"duration": 32, "date": 12, "date-time": 32}
_SHORTEST: Mapping[str, int] = {"duration": 3, "date": 12, "date-time": 21}
_SMALLEST: Mapping[str, int] = {"boolean": 4, "number": 1, "integer": 1, "array": 2}
_HELP = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are "
    "declared)"
)


def least_bytes(node: Node) -> int:
    """Return how many bytes of JSON the smallest value that a schema allows takes."""
    if node.get(INT_OR_STRING):
        return 1
    kind = str(node.get("type") or "")
    if kind == "string":
        return _SHORTEST.get(str(node.get("format") or ""), 2)
    if kind != "object" or values_node(node) is not None:
        return _SMALLEST.get(kind, 2)
    named: Mapping[str, Any] = node.get("properties") or {}
    must = [name for name in node.get("required") or () if name in named and named[name].get("default") is None]
    return 2 + sum(len(name) + least_bytes(named[name]) + 4 for name in must)


def elements_max(node: Node) -> int:
    """Return how many elements or characters a value that a schema allows can have."""
    if node.get(INT_OR_STRING):
        return _text_max(node)
    kind, items, values = str(node.get("type") or ""), items_node(node), values_node(node)
    if kind == "string":
        return _text_max(node)
    if kind == "array" and items is not None:
        bound: int | None = node.get("maxItems")
        return max(0, bound) if bound is not None else (REQUEST_BYTES_MAX - 2) // (least_bytes(items) + 1)
    if kind == "object" and values is not None:
        bound = node.get("maxProperties")
        return max(0, bound) if bound is not None else (REQUEST_BYTES_MAX - 2) // (least_bytes(values) + 6)
    return 0


def _text_max(node: Node) -> int:
    form = str(node.get("format") or "")
    bound: int | None = node.get("maxLength")
    if form in _LONGEST and not node.get(INT_OR_STRING):
        return _LONGEST[form]
    if bound is not None:
        return max(0, bound) * (1 if form == "byte" else _BYTES_OF_CHARACTER)
    choices = [choice for choice in node.get("enum") or () if isinstance(choice, str)]
    if choices and form != "byte" and not node.get(INT_OR_STRING):
        return max(len(choice.encode()) for choice in choices)
    return REQUEST_BYTES_MAX - 2


def size_at(shape: NodeShape, path: Path) -> int | None:
    """Return how large what a rule's variable leads to can be; both variables are of the rule's own schema."""
    for step in path[1:]:
        if step == "@keys":
            return 0
        found = shape.item() if step in ("@items", "@values") else None
        if found is None and shape.kind == "object":
            found = shape.field(step)
        if not isinstance(found, NodeShape):
            # apiVersion and kind, which the schema need not name, are texts without a bound.
            return REQUEST_BYTES_MAX - 2 if found is not None and found.kind == "string" else None
        shape = found
    return elements_max(shape.node)


@dataclass(frozen=True, slots=True)
class Cardinality:
    """How often the values of a schema can be in an object; None: no schema around it sets a bound."""

    times: int | None

    def below(self, node: Node) -> "Cardinality":
        """Return that of what stands inside of the values of `node`."""
        kind = node.get("type")
        if self.times is None or (kind != "array" and values_node(node) is None):
            return self
        bound = node.get("maxItems") if kind == "array" else node.get("maxProperties")
        return Cardinality(None if bound is None else capped(self.times * max(0, bound)))

    def total(self, cost: int, node: Node) -> int:
        """Return what an expression of a schema costs for all its values."""
        often = self.times if self.times is not None else REQUEST_BYTES_MAX // (least_bytes(node) + 1)
        return capped(cost * often)


ONCE = Cardinality(1)


class CostLedger:
    """What the expressions of one schema cost, as they are met."""

    def __init__(self) -> None:
        self._total = 0
        self._expensive: list[tuple[int, str]] = []

    def spend(self, what: str, cost: int, path: str) -> Faults:
        """Count an expression; yields the fault of one that alone costs too much."""
        self._total = capped(self._total + cost)
        if cost * 100 >= SCHEMA_COST_MAX:
            self._expensive.append((cost, path))
        if cost > EXPRESSION_COST_MAX:
            yield forbidden(path, _exceeds(f"estimated {what} cost", cost, EXPRESSION_COST_MAX))

    def close(self, path: str) -> Faults:
        """Yield the faults of a schema whose expressions together cost too much."""
        if self._total <= SCHEMA_COST_MAX:
            return
        limit = "cost total exceeding cost limit for entire OpenAPIv3 schema"
        most = sorted(self._expensive, key=lambda found: -found[0])[:SHOWN_MAX]
        for _, where in most:
            yield forbidden(where, f"contributed to estimated rule {limit}")
        what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        yield forbidden(path, _exceeds(what, self._total, SCHEMA_COST_MAX))


def _exceeds(what: str, cost: int, limit: int) -> str:
    factor = cost / limit
    shown = "more than 100x" if factor > 100 else f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return f"{what} exceeds budget by factor of {shown} {_HELP}"
