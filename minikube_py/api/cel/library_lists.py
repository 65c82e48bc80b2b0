"""Functions of lists: Kubernetes' own (isSorted, sum, min, max, indexOf), the sets and the lists extensions.

Upstream: apiserver cel/library/lists.go, cel-go ext/sets.go and ext/lists.go.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from minikube_py.api.cel.comprehensions import sort_pairs
from minikube_py.api.cel.operators import BINARY, add
from minikube_py.api.cel.values import (
    NONE,
    CelError,
    Duration,
    NoOverloadError,
    as_int,
    equals,
    is_number,
    some,
    type_name,
)

LIST_LENGTH_MAX = 1_000_000
"""lists.range makes no longer list."""


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise NoOverloadError(f"a list's function on {type_name(value)}")
    return list(value)


def _is_sorted(items: Any) -> bool:
    listed = _list(items)
    return all(BINARY["_<=_"](before, after) for before, after in pairwise(listed))


def _sum(items: Any) -> Any:
    listed = _list(items)
    if not listed:
        return 0
    total = listed[0]
    if not (is_number(total) or isinstance(total, Duration)):
        raise NoOverloadError(f"sum of {type_name(total)}")
    for item in listed[1:]:
        total = add(total, item)
    return total


def _extreme(name: str, operator: str) -> Callable[[Any], Any]:
    def extreme(items: Any) -> Any:
        listed = _list(items)
        if not listed:
            raise CelError(f"{name} called on empty list")
        found = listed[0]
        for item in listed[1:]:
            found = item if BINARY[operator](item, found) else found
        return found

    return extreme


def _index_of(items: Any, wanted: Any) -> int:
    return next((index for index, item in enumerate(_list(items)) if equals(item, wanted)), -1)


def _last_index_of(items: Any, wanted: Any) -> int:
    listed = _list(items)
    return next((index for index in range(len(listed) - 1, -1, -1) if equals(listed[index], wanted)), -1)


def _slice(items: Any, start: Any, end: Any) -> list[Any]:
    listed, first, last = _list(items), as_int(start), as_int(end)
    if not 0 <= first <= last <= len(listed):
        raise CelError(f"cannot slice({first}, {last}), list is length {len(listed)}")
    return listed[first:last]


def _flatten(items: Any, depth: Any = 1) -> list[Any]:
    if as_int(depth) < 0:
        raise CelError("level must be non-negative")
    flat: list[Any] = []
    for item in _list(items):
        if isinstance(item, list | tuple) and depth > 0:
            flat += _flatten(item, depth - 1)
        else:
            flat.append(item)
    return flat


def _distinct(items: Any) -> list[Any]:
    found: list[Any] = []
    for item in _list(items):
        if not any(equals(item, other) for other in found):
            found.append(item)
    return found


def _sort(items: Any) -> list[Any]:
    return [item for item, _ in sort_pairs([(item, None) for item in _list(items)])]


def _range(count: Any) -> list[int]:
    length = as_int(count)
    if length > LIST_LENGTH_MAX:
        raise CelError(f"size exceeds maximum list length {LIST_LENGTH_MAX}")
    return list(range(length))


def _contains(items: Any, others: Any) -> bool:
    return all(any(equals(item, other) for item in _list(items)) for other in _list(others))


def _intersects(items: Any, others: Any) -> bool:
    return any(any(equals(item, other) for item in _list(items)) for other in _list(others))


def _end(items: Any, index: int) -> Any:
    listed = _list(items)
    return some(listed[index]) if listed else NONE


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "lists.range": _range,
    "sets.contains": _contains,
    "sets.equivalent": lambda left, right: _contains(left, right) and _contains(right, left),
    "sets.intersects": _intersects,
}
METHODS: Mapping[str, Callable[..., Any]] = {
    "isSorted": _is_sorted,
    "sum": _sum,
    "min": _extreme("min", "_<_"),
    "max": _extreme("max", "_>_"),
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "slice": _slice,
    "flatten": _flatten,
    "distinct": _distinct,
    "reverse": lambda items: _list(items)[::-1],
    "sort": _sort,
    "first": lambda items: _end(items, 0),
    "last": lambda items: _end(items, -1),
}
