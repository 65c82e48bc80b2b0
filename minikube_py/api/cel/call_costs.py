"""What calls of functions cost at the most, and how large their results are.

Upstream: cel-go checker/cost.go (functionCost), ext/sets.go, apiserver cel/library/cost.go (EstimateCallCost). What
these charge for the arguments themselves is added by the caller.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from minikube_py.api.cel.sizes import LARGEST, ONE, REGEX, TRAVERSAL, UNKNOWN, Size, capped, traversal

AUTHORIZATION_COST = 350_000
_TEXTS = ("string", "bytes")
_IP_BYTES = 16


@dataclass(frozen=True, slots=True)
class Operand:
    """An argument: its type, its size, and those of what is in it when it is a list."""

    kind: str
    size: Size
    element_kind: str = "dyn"
    element_size: Size = UNKNOWN
    literal: object = None
    is_known: bool = True
    """Its size is known at all: what our types do not tell is taken to be small, where upstream knows the type."""


@dataclass(frozen=True, slots=True)
class CallCost:
    """What a call costs beside its arguments; `size` None: its type tells."""

    cost: int
    size: Size | None = None


_CHEAP = CallCost(1)
_Estimate = Callable[[Operand | None, Sequence[Operand]], CallCost]


def call_cost(function: str, target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    """Return the cost of a call at the most."""
    estimate = _ESTIMATES.get(function)
    return estimate(target, arguments) if estimate is not None else _CHEAP


def _check(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    return CallCost(AUTHORIZATION_COST)


def _each_element(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    if target is None:
        return _CHEAP
    if target.kind == "string":
        return CallCost(traversal(target.size.most))
    one = 1 + (traversal(target.element_size.most) if target.element_kind in _TEXTS else 0)
    return CallCost(capped(target.size.most * one))


def _url(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    return CallCost(traversal(arguments[0].size.most)) if len(arguments) == 1 else _CHEAP


def _same_length(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    return CallCost(traversal(target.size.most), target.size) if target is not None else _CHEAP


def _replace(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    if target is None or len(arguments) < 2:
        return _CHEAP
    text, before, after = target.size, arguments[0].size, arguments[1].size
    if before.least == 0:
        most = capped(capped(text.most + 1) * after.most) + text.most
    elif after.most <= before.least:
        most = text.most
    else:
        most = LARGEST if text.most >= LARGEST else ceil(text.most / before.least) * after.most
    if before.most == 0:
        least = (text.least + 1) * after.least + text.least
    elif before.most <= after.least:
        least = text.least
    else:
        least = ceil(text.least / before.most) * after.least
    return CallCost(traversal(text.most, 2 * TRAVERSAL), Size(capped(least), capped(most)))


def _split(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    if target is None:
        return _CHEAP
    limit = arguments[1].literal if len(arguments) > 1 else None
    most = limit if isinstance(limit, int) and limit >= 0 else target.size.most
    return CallCost(traversal(target.size.most, 2 * TRAVERSAL), Size(0, most))


def _join(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    if target is None:
        return _CHEAP
    size = target.size.times(target.element_size)
    if arguments:
        between = Size(max(0, target.size.least - 1), max(0, target.size.most - 1))
        size = size.plus(arguments[0].size.times(between))
    return CallCost(traversal(size.most), size)


def _matched(text: Size, pattern: Size) -> int:
    return capped(traversal(text.plus(ONE).most) * traversal(pattern.most, REGEX))


def _find(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    if target is None or not arguments:
        return _CHEAP
    return CallCost(_matched(target.size, arguments[0].size), Size(0, target.size.most))


def _matches(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    texts = [*([target] if target is not None else []), *arguments]
    return CallCost(_matched(texts[0].size, texts[1].size)) if target is not None and len(texts) == 2 else _CHEAP


def _contains(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    if target is None or len(arguments) != 1:
        return _CHEAP
    return CallCost(capped(traversal(target.size.most) * traversal(arguments[0].size.most)))


def _starts(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    return CallCost(traversal(arguments[0].size.most)) if len(arguments) == 1 else _CHEAP


def _contains_ip(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    parsed = sum(traversal(argument.size.most) for argument in arguments if argument.kind == "string")
    return CallCost(capped(traversal(2 * _IP_BYTES) + parsed))


def _contains_cidr(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    inner = _contains_ip(target, arguments).cost
    return CallCost(capped(inner + traversal(_IP_BYTES) + 1))


def _sets(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    if len(arguments) != 2:
        return _CHEAP
    return CallCost(capped(1 + arguments[0].size.most * arguments[1].size.most))


def _to_bytes(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    if len(arguments) != 1 or arguments[0].kind != "string":
        return _CHEAP
    size = arguments[0].size
    return CallCost(traversal(size.most), Size(size.least, capped(4 * size.most)))


def _to_string(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    if len(arguments) != 1 or arguments[0].kind != "bytes":
        return _CHEAP
    size = arguments[0].size
    return CallCost(traversal(size.most), Size(size.least // 4, size.most))


def _format(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    return CallCost(traversal(target.size.most)) if target is not None else _CHEAP


def _compared(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    return CallCost(traversal(min(argument.size.most for argument in arguments)))


def _ordered(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    is_text = any(argument.kind in _TEXTS for argument in arguments)
    return _compared(target, arguments) if is_text else _CHEAP


def _added(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    size = arguments[0].size.plus(arguments[1].size)
    kinds = {argument.kind for argument in arguments}
    if kinds & set(_TEXTS) or (kinds == {"dyn"} and all(argument.is_known for argument in arguments)):
        return CallCost(traversal(size.most), size)
    return CallCost(1, size) if "list" in kinds else _CHEAP


def _in(target: Operand | None, arguments: Sequence[Operand]) -> CallCost:
    where = arguments[1]
    is_list = where.kind == "list" or (where.kind == "dyn" and where.is_known)
    return CallCost(where.size.most) if is_list else _CHEAP


_ESTIMATES: Mapping[str, _Estimate] = {
    "check": _check,
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _each_element),
    "url": _url,
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _same_length),
    "replace": _replace,
    "split": _split,
    "join": _join,
    **dict.fromkeys(("find", "findAll"), _find),
    "matches": _matches,
    "contains": _contains,
    **dict.fromkeys(("startsWith", "endsWith"), _starts),
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    **dict.fromkeys(("sets.contains", "sets.equivalent", "sets.intersects"), _sets),
    "bytes": _to_bytes,
    "string": _to_string,
    "format": _format,
    **dict.fromkeys(("_==_", "_!=_"), _compared),
    **dict.fromkeys(("_<_", "_<=_", "_>_", "_>=_"), _ordered),
    "_+_": _added,
    "@in": _in,
}
