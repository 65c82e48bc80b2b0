"""What an evaluation costs while it runs: cel-go's rules, with those of Kubernetes for its own functions.

A limit that is reached at another expression than upstream's would refuse what upstream admits, or the other way. So
names, fields and elements cost 1 each, new lists 10, maps 30 and messages 40, operators on texts a tenth of what they
look at, `in` as many as the list has, loops what the expressions cost that cel-go makes of its macros. `&&`, `||` and
`?:` cost nothing themselves, and nor does what cel-go computes once, before the first evaluation: lists and maps of
constants, constants that are converted, `in` such a list.

Upstream: cel-go interpreter/runtimecost.go, optimizations.go and decorators.go; parser/macro.go; ext/sets.go;
apiserver cel/library/cost.go (CallCost), cel/environment/base.go (OptOptimize).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, TypeAlias

from minikube_py.api.cel.call_costs import AUTHORIZATION_COST
from minikube_py.api.cel.library_network import CidrValue, IpValue
from minikube_py.api.cel.syntax import Call, Ident, Index, ListNode, Literal, MapNode, Node, Select
from minikube_py.api.cel.values import Optional

LIST_COST, MAP_COST, CONSTRUCT_COST = 10, 30, 40
_REGEX_PART = 4
"""So many characters of a regular expression are taken for one of its parts."""

CallCost: TypeAlias = Callable[[Sequence[Any], Any], int]
"""(the values, a method's target first; the result) -> what the call costs."""


def size_of(value: Any) -> int:
    """Return how large a value is: characters, bytes or elements, and 1 for what has no size."""
    if isinstance(value, str | bytes | list | tuple | dict):
        return len(value)
    if isinstance(value, IpValue):
        return value.address.max_prefixlen // 8
    if isinstance(value, CidrValue):
        return ceil(value.interface.network.prefixlen / 8)
    if isinstance(value, Optional) and value.present:
        return size_of(value.value)
    return 1


def cost_one(values: Sequence[Any], result: Any) -> int:
    """Return the cost of most calls."""
    return 1


def cost_nothing(values: Sequence[Any], result: Any) -> int:
    """Return the cost of a call that was made once, before the first evaluation."""
    return 0


def _tenth(size: int) -> int:
    return ceil(size / 10)


def _traversal(value: Any) -> int:
    """Return the cost of looking at all of a value."""
    if isinstance(value, str | bytes):
        return len(value) // 10
    if isinstance(value, list | tuple):
        return sum(map(_traversal, value))
    if isinstance(value, Mapping):
        return sum(_traversal(key) + _traversal(each) for key, each in value.items())
    return 1


def _first(values: Sequence[Any], result: Any) -> int:
    return _tenth(size_of(values[0]))


def _second(values: Sequence[Any], result: Any) -> int:
    return _tenth(size_of(values[1]))


def _first_twice(values: Sequence[Any], result: Any) -> int:
    return ceil(size_of(values[0]) / 5)


def _regex(values: Sequence[Any], result: Any) -> int:
    return _tenth(size_of(values[0]) + 1) * ceil(size_of(values[1]) / _REGEX_PART)


def _contains(values: Sequence[Any], result: Any) -> int:
    return _tenth(size_of(values[0])) * _tenth(size_of(values[1]))


def _parsed(value: Any) -> int:
    return _tenth(len(value)) if isinstance(value, str) else 0


def _contains_ip(values: Sequence[Any], result: Any) -> int:
    return _tenth(2 * size_of(values[0])) + _parsed(values[1])


def _contains_cidr(values: Sequence[Any], result: Any) -> int:
    return _contains_ip(values, result) + _tenth(size_of(values[0])) + 1


def _sets(factor: int) -> CallCost:
    return lambda values, result: 1 + size_of(values[0]) * size_of(values[1]) * factor


def _if_first_is(kind: type) -> CallCost:
    return lambda values, result: _first(values, result) if isinstance(values[0], kind) else 1


def _equal(values: Sequence[Any], result: Any) -> int:
    first, second = values
    if isinstance(first, IpValue | CidrValue):
        return 1
    return _tenth(min(size_of(first), size_of(second)))


def _ordered(values: Sequence[Any], result: Any) -> int:
    return _equal(values, result) if isinstance(values[0], str | bytes) else 1


def _added(values: Sequence[Any], result: Any) -> int:
    first, second = values
    return _tenth(len(first) + len(second)) if isinstance(first, str | bytes) else 1


def _in(values: Sequence[Any], result: Any) -> int:
    return len(values[1]) if isinstance(values[1], list | tuple) else 1


CALL_COSTS: Mapping[str, CallCost] = {
    "check": lambda values, result: AUTHORIZATION_COST,
    **dict.fromkeys(
        ("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), lambda values, result: _traversal(values[0])
    ),
    **dict.fromkeys(("url", "lowerAscii", "upperAscii", "substring", "trim"), _first),
    **dict.fromkeys(("replace", "split"), _first_twice),
    "join": lambda values, result: ceil(size_of(result) / 5),
    **dict.fromkeys(("find", "findAll", "matches"), _regex),
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _first),
    "ip": _if_first_is(str),
    "ip.isCanonical": _first_twice,
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    **dict.fromkeys(("fieldSelector", "labelSelector"), _second),
    "jsonpatch.escapeKey": _first,
    **dict.fromkeys(("startsWith", "endsWith", "strings.quote", "format"), _first),
    "contains": _contains,
    "string": _if_first_is(bytes),
    "bytes": _if_first_is(str),
    **dict.fromkeys(("sets.contains", "sets.intersects"), _sets(1)),
    "sets.equivalent": _sets(2),
    **dict.fromkeys(("_==_", "_!=_"), _equal),
    **dict.fromkeys(("_<_", "_<=_", "_>_", "_>=_"), _ordered),
    "_+_": _added,
    "@in": _in,
}
"""What calls cost that do not cost 1."""


@dataclass(frozen=True, slots=True)
class LoopCost:
    """What a macro's loop costs beside the expressions that it is given."""

    condition: int = 0
    """Before each element: whether to go on."""
    element: int = 0
    """For each element."""
    made: int = 0
    """For each element that adds something to the result."""
    end: int = 1


_LIST_MADE = 1 + LIST_COST + 1
"""`result + [value]`"""
LOOP_COSTS: Mapping[str, LoopCost] = {
    "all": LoopCost(condition=2, element=1),
    "exists": LoopCost(condition=3, element=1),
    "existsOne": LoopCost(made=2, end=2),
    "filter": LoopCost(made=_LIST_MADE + 1),
    "map": LoopCost(made=_LIST_MADE),
    "transformList": LoopCost(made=_LIST_MADE),
    "transformMap": LoopCost(made=3),
    "transformMapEntry": LoopCost(made=2),
    "sortBy": LoopCost(made=_LIST_MADE, end=4),
}
"""Macro -> the cost of what cel-go makes of it: `@not_strictly_false(result)`, `result && ...` and so on."""


def is_attribute(node: Node) -> bool:
    """Return whether a node leads to a value that is there: what is selected of it costs nothing beside the step."""
    if isinstance(node, Call):
        return node.function == "_?_:_"
    return isinstance(node, Ident | Index) or (isinstance(node, Select) and not node.tests)


_CONVERSIONS = frozenset(("bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"))


def is_constant(node: Node) -> bool:
    """Return whether a node is computed once, before anything is evaluated."""
    match node:
        case Literal():
            return True
        case ListNode():
            return all(is_constant(item) and not optional for item, optional in node.items)
        case MapNode():
            return all(is_constant(key) and is_constant(value) and not o for key, value, o in node.entries)
        case Call():
            return node.target is None and node.function in _CONVERSIONS and all(map(is_constant, node.arguments))
        case _:
            return False
