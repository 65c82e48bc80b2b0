"""What an expression's type is, as far as it can be told before there are values: the mistakes that people make.

A rule that names a field that is not there, or compares a number with a text, is refused when it is written, not
when it is run. What is not known (`dyn`) fits everywhere, so nothing that works is refused.

Upstream: cel-go checker, with the declarations of apiserver cel/schemas.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from minikube_py.api.cel.names import unescape_field
from minikube_py.api.cel.syntax import (
    METHODS_OF,
    Bind,
    Call,
    CelSyntaxError,
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


class Shape(Protocol):
    """The type of a value, and of what is in it."""

    @property
    def kind(self) -> str:
        """`object`, or the CEL name of the type; `dyn` when it is not known."""
        ...

    def field(self, name: str) -> "Shape | None":
        """Return the type of a field (of an object), None when there is no such field."""
        ...

    def item(self) -> "Shape":
        """Return the type of a list's elements or a map's values."""
        ...


@dataclass(frozen=True, slots=True)
class Simple:
    """A type without parts, or whose parts are all of one type."""

    kind: str
    inner: "Shape | None" = None

    def field(self, name: str) -> Shape | None:
        """Return what any key of a map leads to."""
        del name
        return self.item()

    def item(self) -> Shape:
        """Return the type of what is in it."""
        return self.inner or DYN


DYN = Simple("dyn")
BOOL = Simple("bool")
_NUMBERS = frozenset({"int", "uint", "double"})
_COMPARED = frozenset({"_==_", "_!=_"})
_ORDERED = frozenset({"_<_", "_<=_", "_>_", "_>=_"})
_ARITHMETIC = frozenset({"_+_", "_-_", "_*_", "_/_", "_%_"})
_SCALARS = frozenset({"bool", "int", "uint", "double", "string", "bytes"})
_RESULTS: Mapping[str, str] = {
    "size": "int", "int": "int", "uint": "uint", "double": "double", "string": "string", "bool": "bool",
    "matches": "bool", "contains": "bool", "startsWith": "bool", "endsWith": "bool", "isSorted": "bool",
    "lowerAscii": "string", "upperAscii": "string", "trim": "string", "replace": "string", "substring": "string",
    "find": "string", "join": "string", "format": "string", "isURL": "bool", "isIP": "bool", "isCIDR": "bool",
    "isQuantity": "bool", "isLessThan": "bool", "isGreaterThan": "bool", "hasValue": "bool", "allowed": "bool",
    "containsIP": "bool", "containsCIDR": "bool",
}  # fmt: skip
"""Functions whose result is of one type whatever they are given."""


def infer(node: Node, scope: Mapping[str, Shape], source: str) -> Shape:
    """Return the type of an expression.

    Raises:
        CelSyntaxError: a field that is not there, values that do not go together, or too many of them in one another.
    """
    try:
        return _Checker(source).infer(node, scope)
    except RecursionError as error:
        raise CelSyntaxError(source, 0, "expression recursion limit exceeded") from error


class _Checker:
    """Checks the nodes of one text."""

    def __init__(self, source: str) -> None:
        self._source = source

    def infer(self, node: Node, scope: Mapping[str, Shape]) -> Shape:
        shape: Shape = getattr(self, METHODS_OF[type(node)])(node, scope)
        return shape

    def _literal(self, node: Literal, scope: Mapping[str, Shape]) -> Shape:
        return Simple(type_name(node.value))

    def _ident(self, node: Ident, scope: Mapping[str, Shape]) -> Shape:
        return scope.get(node.name, DYN)

    def _select(self, node: Select, scope: Mapping[str, Shape]) -> Shape:
        operand = self.infer(node.operand, scope)
        found: Shape | None = DYN
        if operand.kind == "object":
            found = operand.field(unescape_field(node.field))
            if found is None:
                raise CelSyntaxError(self._source, node.at - 1, f"undefined field '{node.field}'")
        elif operand.kind == "map":
            found = operand.item()
        elif operand.kind in _SCALARS or operand.kind == "list":
            why = f"type '{operand.kind}' does not support field selection"
            raise CelSyntaxError(self._source, node.at - 1, why)
        if node.tests:
            return BOOL
        return Simple("optional_type", found) if node.optional else found or DYN

    def _index(self, node: Index, scope: Mapping[str, Shape]) -> Shape:
        operand = self.infer(node.operand, scope)
        self.infer(node.index, scope)
        found = operand.item() if operand.kind in ("list", "map") else DYN
        return Simple("optional_type", found) if node.optional else found

    def _call(self, node: Call, scope: Mapping[str, Shape]) -> Shape:
        parts = [self.infer(part, scope) for part in node.arguments]
        if node.target is not None:
            self.infer(node.target, scope)
        name, kinds = node.function, [part.kind for part in parts]
        if name in ("_&&_", "_||_", "!_"):
            self._expect(node, kinds, all(kind in ("bool", "dyn") for kind in kinds))
            return BOOL
        if name == "_?_:_":
            self._expect(node, kinds, kinds[0] in ("bool", "dyn"))
            return parts[1] if kinds[1] == kinds[2] else DYN
        if name in _COMPARED or name in _ORDERED:
            self._expect(node, kinds, _comparable(*kinds) or (name in _ORDERED and _both_numbers(*kinds)))
            return BOOL
        if name in _ARITHMETIC:
            self._expect(node, kinds, not set(kinds) <= _SCALARS or kinds[0] == kinds[1])
            return parts[0] if kinds[0] == kinds[1] and kinds[0] in _SCALARS else DYN
        return BOOL if name == "@in" else Simple(_RESULTS.get(name, "dyn"))

    def _expect(self, node: Call, kinds: list[str], fits: bool) -> None:  # a verdict on what it names
        if not fits:
            why = f"found no matching overload for '{node.function}' applied to '({', '.join(kinds)})'"
            raise CelSyntaxError(self._source, node.at, why)

    def _list(self, node: ListNode, scope: Mapping[str, Shape]) -> Shape:
        shapes = [self.infer(item, scope) for item, _ in node.items]
        same = {shape.kind for shape in shapes}
        return Simple("list", shapes[0] if len(same) == 1 else DYN)

    def _map(self, node: MapNode, scope: Mapping[str, Shape]) -> Shape:
        for key, value, _ in node.entries:
            self.infer(key, scope)
            self.infer(value, scope)
        return Simple("map")

    def _construct(self, node: Construct, scope: Mapping[str, Shape]) -> Shape:
        for _, value, _ in node.entries:
            self.infer(value, scope)
        return Simple(node.type_name)

    def _comprehension(self, node: Comprehension, scope: Mapping[str, Shape]) -> Shape:
        target = self.infer(node.target, scope)
        if target.kind in _SCALARS:
            must = "cannot be range of a comprehension (must be list, map, or dynamic)"
            why = f"expression of type '{target.kind}' {must}"
            raise CelSyntaxError(self._source, node.at, why)
        is_list = target.kind == "list"
        value = target.item() if target.kind in ("list", "map") else DYN
        key: Shape = Simple("int") if is_list else Simple("string") if target.kind == "map" else DYN
        if len(node.variables) == 2:
            own = dict(zip(node.variables, (key, value), strict=True))
        else:
            own = {node.variables[0]: value if is_list else key}
        inner = {**scope, **own}
        result = self.infer(node.result, inner) if node.result is not None else DYN
        if node.condition is not None:
            self._expect_bool(node.condition, self.infer(node.condition, inner).kind)
        if node.kind in ("all", "exists", "existsOne"):
            return BOOL
        if node.kind in ("filter", "sortBy"):
            return Simple("list", value)
        return Simple("list" if node.kind in ("map", "transformList") else "map", result)

    def _expect_bool(self, node: Node, kind: str) -> None:
        if kind not in ("bool", "dyn"):
            raise CelSyntaxError(self._source, node.at, f"expected type 'bool' but found '{kind}'")

    def _bind(self, node: Bind, scope: Mapping[str, Shape]) -> Shape:
        value = self.infer(node.value, scope)
        bound = value.item() if node.unwraps else value
        body = self.infer(node.body, {**scope, node.name: bound})
        if node.unwraps == "optMap":
            return Simple("optional_type", body)
        return body


def _comparable(left: str, right: str) -> bool:
    return left == right or not {left, right} <= _SCALARS or _both_numbers(left, right)


def _both_numbers(left: str, right: str) -> bool:
    return left in _NUMBERS and right in _NUMBERS
