"""The syntax tree of an expression. `at` is where a node stands in the text, for messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


class CelSyntaxError(Exception):
    """The text is no expression, or means nothing; rendered as cel-go does, with the line and a caret."""

    def __init__(self, source: str, at: int, why: str) -> None:
        before = source[:at]
        line = before.count("\n") + 1
        column = at - (before.rfind("\n") + 1)
        text = source.split("\n")[line - 1] if source else ""
        super().__init__(f"ERROR: <input>:{line}:{column + 1}: {why}\n | {text}\n | {'.' * column}^")
        self.why = why


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    at: int
    value: Any


@dataclass(frozen=True, slots=True)
class Ident:
    """A name."""

    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, `operand.?field`; `tests`: inside of has()."""

    at: int
    operand: "Node"
    field: str
    optional: bool = False
    tests: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """`operand[index]`, `operand[?index]`."""

    at: int
    operand: "Node"
    index: "Node"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)` or `target.function(arguments)`; operators are calls of `_+_` and the like."""

    at: int
    function: str
    target: "Node | None"
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class ListNode:
    """`[a, ?b]`."""

    at: int
    items: tuple[tuple["Node", bool], ...]
    """Each item, and whether it is optional."""


@dataclass(frozen=True, slots=True)
class MapNode:
    """`{key: value, ?key: value}`."""

    at: int
    entries: tuple[tuple["Node", "Node", bool], ...]


@dataclass(frozen=True, slots=True)
class Construct:
    """`Type{field: value, ?field: value}`."""

    at: int
    type_name: str
    entries: tuple[tuple[str, "Node", bool], ...]


@dataclass(frozen=True, slots=True)
class Comprehension:
    """A macro over a list or map: `kind` is all, exists, existsOne, map, filter, transformList, ...

    One variable stands for an element or key; two for index and element, or key and value.
    """

    at: int
    kind: str
    target: "Node"
    variables: tuple[str, ...]
    condition: "Node | None"
    result: "Node | None"


@dataclass(frozen=True, slots=True)
class Bind:
    """`cel.bind(name, value, body)`, and optMap and optFlatMap, whose value is an optional that is unwrapped."""

    at: int
    name: str
    value: "Node"
    body: "Node"
    unwraps: str = ""
    """`optMap` or `optFlatMap`."""


Node: TypeAlias = Literal | Ident | Select | Index | Call | ListNode | MapNode | Construct | Comprehension | Bind


METHODS_OF: Mapping[type, str] = {
    Literal: "_literal",
    Ident: "_ident",
    Select: "_select",
    Index: "_index",
    Call: "_call",
    ListNode: "_list",
    MapNode: "_map",
    Construct: "_construct",
    Comprehension: "_comprehension",
    Bind: "_bind",
}
"""The name of the method that a walk over trees (checking, compiling) has for each kind of node."""
