"""What an expression costs at the most, told from its text and from how large its variables can be.

A definition whose rules could cost too much is refused when it is written (`custom.rule_costs`), as upstream refuses
it, so the units and numbers are cel-go's: macros cost what they expand to, a value that is reached from a variable is
as large as its schema allows, what nobody knows is as large as can be. One exception: where our types know less than
upstream's, a call is taken to be cheap, so that nothing is refused that upstream takes.

Upstream: cel-go checker/cost.go, parser/macro.go.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from minikube_py.api.cel.call_costs import Operand, call_cost
from minikube_py.api.cel.check import BOOL, DYN, Shape, Simple, infer
from minikube_py.api.cel.names import unescape_field
from minikube_py.api.cel.sizes import LARGEST, ONE, UNKNOWN, Size, capped
from minikube_py.api.cel.syntax import (
    METHODS_OF,
    Bind,
    Call,
    Comprehension,
    Construct,
    Ident,
    Index,
    ListNode,
    Literal,
    MapNode,
    Node,
    Select,
)
from minikube_py.api.cel.values import type_name

Path = tuple[str, ...]
"""How a value is reached: a variable, then fields, `@items`, `@values`, `@keys`; empty: it is made on the way."""
SizeOf = Callable[[Path], int | None]
"""How many elements or characters the value at a path can have; None: that is not known there."""

_LIST_COST, _MAP_COST, _CONSTRUCT_COST = 10, 30, 40
_SCALARS = frozenset(
    {"bool", "int", "uint", "double", "google.protobuf.Timestamp", "google.protobuf.Duration", "null_type"}
)
_FIELDS = frozenset({"object", "map"})
_LOOPS: Mapping[str, tuple[int, int, int, int]] = {
    "all": (0, 2, 1, 1),
    "exists": (0, 3, 1, 1),
    "existsOne": (0, 0, 2, 2),
    "filter": (_LIST_COST, 0, 13, 1),
    "map": (_LIST_COST, 0, 12, 1),
    "transformList": (_LIST_COST, 0, 12, 1),
    "transformMap": (_MAP_COST, 0, 3, 1),
    "transformMapEntry": (_MAP_COST, 0, 2, 1),
    "sortBy": (_LIST_COST, 0, 12, 1),
}
"""Macro -> what its expansion costs once before, at each element's condition and step, and once after."""
_TRUTHS = ("all", "exists", "existsOne")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known of a part of an expression."""

    cost: int
    shape: Shape
    path: Path = ()
    size: Size | None = None
    """None: its path and its type tell."""
    element: "Estimate | None" = None
    """What a list or map that is made on the way has in it; its cost does not count."""
    literal: object = None


def estimate_cost_max(node: Node, scope: Mapping[str, Shape], size_of: SizeOf, source: str) -> int:
    """Return what an expression that `infer` takes costs at the most.

    Args:
        node: the expression.
        scope: the types of its variables.
        size_of: how large what is reached from variables can be.
        source: its text.
    """
    variables = {name: Estimate(1, shape, (name,)) for name, shape in scope.items()}
    try:
        return _Estimator(size_of, source).estimate(node, variables).cost
    except RecursionError:
        return LARGEST  # nobody can tell


class _Estimator:
    """Walks over one expression."""

    def __init__(self, size_of: SizeOf, source: str) -> None:
        self._size_of = size_of
        self._source = source

    def estimate(self, node: Node, scope: Mapping[str, Estimate]) -> Estimate:
        found: Estimate = getattr(self, METHODS_OF[type(node)])(node, scope)
        return found

    def _literal(self, node: Literal, scope: Mapping[str, Estimate]) -> Estimate:
        value = node.value
        size = Size(len(value), len(value)) if isinstance(value, str | bytes) else ONE
        return Estimate(0, Simple(type_name(value)), size=size, literal=value)

    def _ident(self, node: Ident, scope: Mapping[str, Estimate]) -> Estimate:
        return scope.get(node.name) or Estimate(1, DYN)

    def _select(self, node: Select, scope: Mapping[str, Estimate]) -> Estimate:
        operand = self.estimate(node.operand, scope)
        if node.tests:
            return Estimate(operand.cost, BOOL)
        name = unescape_field(node.field)
        kind = operand.shape.kind
        found = operand.shape.field(name) if kind == "object" else operand.shape.item() if kind == "map" else DYN
        if node.optional:
            return Estimate(operand.cost + 1, Simple("optional_type", found))
        cost = operand.cost + (kind in _FIELDS)
        return Estimate(cost, found or DYN, (*operand.path, name) if operand.path else ())

    def _index(self, node: Index, scope: Mapping[str, Estimate]) -> Estimate:
        operand, index = self.estimate(node.operand, scope), self.estimate(node.index, scope)
        cost = capped(operand.cost + index.cost + 1)
        kind = operand.shape.kind
        if kind not in ("list", "map"):
            return Estimate(cost, DYN)
        if node.optional:
            return Estimate(cost, Simple("optional_type", operand.shape.item()))
        return replace(self._inside(operand, "@items" if kind == "list" else "@values"), cost=cost)

    def _call(self, node: Call, scope: Mapping[str, Estimate]) -> Estimate:
        parts = [self.estimate(part, scope) for part in node.arguments]
        target = self.estimate(node.target, scope) if node.target is not None else None
        spent = sum(part.cost for part in parts)
        if node.function in ("_&&_", "_||_"):
            return Estimate(capped(spent), BOOL)
        if node.function == "_?_:_":
            return self._either(*parts)
        if node.function == "dyn" and len(parts) == 1:
            return replace(parts[0], cost=capped(spent + 1))
        call = call_cost(
            node.function, self._operand(target) if target is not None else None, [self._operand(p) for p in parts]
        )
        shape = infer(node, {name: known.shape for name, known in scope.items()}, self._source)
        cost = capped(spent + call.cost + (target.cost if target is not None else 0))
        element = next((part.element for part in parts if part.element is not None), None)
        return Estimate(cost, shape, size=call.size, element=element if node.function == "_+_" else None)

    def _either(self, test: Estimate, yes: Estimate, no: Estimate) -> Estimate:
        shape = yes.shape if yes.shape.kind == no.shape.kind else DYN
        size = self._size(yes).union(self._size(no))
        both = yes.element is not None and no.element is not None
        cost = capped(test.cost + max(yes.cost, no.cost))
        return Estimate(cost, shape, size=size, element=yes.element if both else None)

    def _list(self, node: ListNode, scope: Mapping[str, Estimate]) -> Estimate:
        parts = [self.estimate(item, scope) for item, _ in node.items]
        cost = capped(sum(part.cost for part in parts) + _LIST_COST)
        same = {part.shape.kind for part in parts}
        shape = parts[0].shape if len(same) == 1 else DYN
        return Estimate(
            cost,
            Simple("list", shape),
            size=Size(len(parts), len(parts)),
            element=Estimate(0, shape, size=self._largest(parts)),
        )

    def _map(self, node: MapNode, scope: Mapping[str, Estimate]) -> Estimate:
        keys = [self.estimate(key, scope) for key, _, _ in node.entries]
        values = [self.estimate(value, scope) for _, value, _ in node.entries]
        cost = capped(sum(part.cost for part in (*keys, *values)) + _MAP_COST)
        element = Estimate(0, DYN, size=self._largest(values))
        return Estimate(cost, Simple("map"), size=Size(len(values), len(values)), element=element)

    def _largest(self, parts: list[Estimate]) -> Size:
        return Size(0, max((self._size(part).most for part in parts), default=0))

    def _construct(self, node: Construct, scope: Mapping[str, Estimate]) -> Estimate:
        spent = sum(self.estimate(value, scope).cost for _, value, _ in node.entries)
        return Estimate(capped(spent + _CONSTRUCT_COST), Simple(node.type_name))

    def _comprehension(self, node: Comprehension, scope: Mapping[str, Estimate]) -> Estimate:
        target = self.estimate(node.target, scope)
        inner = {**scope, **self._iterated(node, target)}
        condition = self.estimate(node.condition, inner) if node.condition is not None else None
        result = self.estimate(node.result, inner) if node.result is not None else None
        before, test, step, after = _LOOPS[node.kind]
        each = test + step + sum(part.cost for part in (condition, result) if part is not None)
        count = self._size(target)
        cost = capped(target.cost + before + after + count.most * capped(each))
        if node.kind in _TRUTHS:
            return Estimate(cost, BOOL)
        made = self._inside(target, "@items") if result is None or node.kind == "sortBy" else result
        element = Estimate(0, made.shape, size=self._size(made))
        shape = Simple("map" if node.kind.startswith("transformMap") else "list", made.shape)
        return Estimate(cost, shape, size=Size(0, count.most), element=element)

    def _iterated(self, node: Comprehension, target: Estimate) -> dict[str, Estimate]:
        """Return what the variables of a macro stand for."""
        is_list = target.shape.kind == "list"
        value = replace(self._inside(target, "@items" if is_list else "@values"), cost=1)
        key = Estimate(1, Simple("int")) if is_list else replace(self._keys(target), cost=1)
        if len(node.variables) == 2:
            return dict(zip(node.variables, (key, value), strict=True))
        return {node.variables[0]: value if is_list else key}

    def _keys(self, target: Estimate) -> Estimate:
        kind = "string" if target.shape.kind == "map" else "dyn"
        return Estimate(0, Simple(kind), (*target.path, "@keys") if target.path else ())

    def _inside(self, target: Estimate, step: str) -> Estimate:
        """Return an element of a list or a value of a map."""
        if target.element is not None:
            return target.element
        shape = target.shape.item() if target.shape.kind in ("list", "map") else DYN
        return Estimate(0, shape, (*target.path, step) if target.path else ())

    def _bind(self, node: Bind, scope: Mapping[str, Estimate]) -> Estimate:
        value = self.estimate(node.value, scope)
        if not node.unwraps:
            body = self.estimate(node.body, {**scope, node.name: replace(value, cost=1)})
            return replace(body, cost=capped(_LIST_COST + value.cost + body.cost))
        body = self.estimate(node.body, {**scope, node.name: Estimate(1, value.shape.item())})
        wraps = 1 if node.unwraps == "optMap" else 0
        shape = Simple("optional_type", body.shape) if wraps else body.shape
        return Estimate(capped(2 * value.cost + 2 + _LIST_COST + body.cost + wraps), shape)

    def _operand(self, part: Estimate) -> Operand:
        kind, size = part.shape.kind, self._known_size(part)
        inside = self._inside(part, "@items") if kind == "list" else None
        return Operand(
            kind,
            size or UNKNOWN,
            inside.shape.kind if inside is not None else "dyn",
            self._size(inside) if inside is not None else UNKNOWN,
            part.literal,
            is_known=size is not None,
        )

    def _size(self, part: Estimate) -> Size:
        return self._known_size(part) or UNKNOWN

    def _known_size(self, part: Estimate) -> Size | None:
        if part.size is not None:
            return part.size
        most = self._size_of(part.path) if part.path else None
        if most is not None:
            return Size(0, min(most, LARGEST))
        kind = part.shape.kind
        inner = part.shape.item().kind if kind == "optional_type" else kind
        return ONE if inner in _SCALARS else None
