r"""JSONPath as Kubernetes has it, as far as printer columns, scale paths and selectable fields use it.

    .spec.size   .spec['the key']   .status.conditions[?(@.type=="Ready")].status   .items[0].name   .items[*].name
    .metadata.labels.app\.kubernetes\.io/name   ..name

Upstream: client-go util/jsonpath.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import orjson

PATHS_MAX = 4096
"""Parsed paths that are kept; the least used go."""

_NAME = re.compile(r"(?:[^.\[\]\\]|\\.)+")
_INDEX = re.compile(r"\[(-?\d+)\]")
_SLICE = re.compile(r"\[(-?\d*):(-?\d*)\]")
_KEY = re.compile(r"""\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_FILTER = re.compile(
    r"\[\?\(\s*@((?:[.\[](?:[^()\[\]=<>!\s\"']|\[[^\]]*\])*)+)\s*(?:(==|!=|<=|>=|<|>)\s*([^)]+?))?\s*\)\]"
)


class JsonPathError(ValueError):
    """A path cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `value` is the field's name, the index as text, or the filter's right side."""

    kind: Literal["field", "index", "slice", "all", "descend", "filter"]
    value: str = ""
    path: tuple["Step", ...] = ()
    operator: str = ""


@lru_cache(maxsize=PATHS_MAX)
def parse_path(text: str) -> tuple[Step, ...]:
    """Return the steps of a path; an outer pair of braces and a leading `$` may stand around it.

    Raises:
        JsonPathError: it cannot be read.
    """
    text = text.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1]
    text = text.removeprefix("$")
    steps: list[Step] = []
    at = 0
    while at < len(text):
        step, at = _next_step(text, at)
        if step is not None:
            steps.append(step)
    return tuple(steps)


def _next_step(text: str, at: int) -> tuple[Step | None, int]:
    for fixed, step in _FIXED:
        if text.startswith(fixed, at):
            return step, at + len(fixed)
    for pattern, make in _BRACKETED:
        if found := pattern.match(text, at):
            return make(found), found.end()
    if text[at] == "[":
        raise JsonPathError(f"unterminated array in {text[at:]!r}")
    if found := _NAME.match(text, at):
        return Step("field", _unescaped(found[0])), found.end()
    raise JsonPathError(f"unrecognized character in action: {text[at]!r}")


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _filter_step(found: re.Match[str]) -> Step:
    return Step("filter", (found[3] or "").strip(), parse_path(found[1]), found[2] or "exists")


_FIXED: tuple[tuple[str, Step | None], ...] = (
    ("..", Step("descend")),
    ("[*]", Step("all")),
    (".*", Step("all")),
    (".", None),
)
_BRACKETED: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Step]], ...] = (
    (_INDEX, lambda found: Step("index", found[1])),
    (_SLICE, lambda found: Step("slice", f"{found[1]}:{found[2]}")),
    (_KEY, lambda found: Step("field", _unescaped(found[1] or found[2] or ""))),
    (_FILTER, _filter_step),
)


def find_all(obj: Any, path: Sequence[Step]) -> list[Any]:
    """Return the values at a path, in order; a path that leads nowhere gives none."""
    values = [obj]
    for step in path:
        values = [found for value in values for found in _take(value, step)]
    return values


def _take(value: Any, step: Step) -> Iterator[Any]:
    match step.kind:
        case "field" if isinstance(value, Mapping) and step.value in value:
            yield value[step.value]
        case "index" if isinstance(value, list) and -len(value) <= int(step.value) < len(value):
            yield value[int(step.value)]
        case "slice" if isinstance(value, list):
            start, _, end = step.value.partition(":")
            yield from value[int(start or 0) : int(end) if end else None]
        case "all":
            yield from value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        case "descend":
            yield from _descend(value)
        case "filter" if isinstance(value, list):
            yield from (item for item in value if _passes(item, step))
        case _:
            return


def _descend(value: Any) -> Iterator[Any]:
    yield value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for child in inner:
        if isinstance(child, Mapping | list):
            yield from _descend(child)


def _passes(item: Any, step: Step) -> bool:
    found = find_all(item, step.path)
    if step.operator == "exists":
        return bool(found)
    if not found:
        return False
    left, right = found[0], _literal(step.value)
    if step.operator == "==":
        return bool(left == right)
    if step.operator == "!=":
        return bool(left != right)
    texts, numbers = (isinstance(left, kind) and isinstance(right, kind) for kind in (str, int | float))
    return (texts or numbers) and bool(_COMPARISONS[step.operator](left, right))


_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def _literal(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def render_value(value: Any) -> str:
    """Return a found value as kubectl prints it: texts bare, maps and lists as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return orjson.dumps(value).decode() if isinstance(value, Mapping | list) else str(value)


def simple_path(text: str) -> tuple[str, ...]:
    """Return the field names of a path in plain dot notation (`.spec.replicas`), for scale and selectable fields.

    Raises:
        JsonPathError: it has anything else than fields.
    """
    steps = parse_path(text)
    if not text.startswith(".") or not steps or any(step.kind != "field" for step in steps):
        raise JsonPathError("must be a simple json path starting with .")
    return tuple(step.value for step in steps)


def value_at(obj: Mapping[str, Any], path: Sequence[str]) -> Any:
    """Return the value at a path of field names, None when there is none."""
    value: Any = obj
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value
