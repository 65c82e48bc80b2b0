"""Functions of texts: the standard ones, the strings extension, and Kubernetes' find and findAll.

Upstream: cel-go ext/strings.go, apiserver cel/library/regex.go.
"""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from minikube_py.api.cel.library_standard import to_string
from minikube_py.api.cel.values import CelError, Duration, NoOverloadError, Timestamp, TypeValue, as_int, type_name
from minikube_py.api.regular_expressions import compile_pattern

PRECISION_MAX = 1000
"""More digits behind the point are refused (upstream: maxPrecision)."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise NoOverloadError(f"a text's function on {type_name(value)}")
    return value


def _pattern(text: Any) -> Any:
    try:
        return compile_pattern(_text(text))
    except ValueError as error:
        raise CelError(str(error)) from error


def _matches(text: Any, pattern: Any) -> bool:
    return _pattern(pattern).search(_text(text)) is not None


def _find(text: Any, pattern: Any) -> str:
    found = _pattern(pattern).search(_text(text))
    return str(found[0]) if found is not None else ""


def _find_all(text: Any, pattern: Any, limit: Any = -1) -> list[str]:
    found = [match[0] for match in _pattern(pattern).finditer(_text(text))]
    return found if as_int(limit) < 0 else found[: as_int(limit)]


def _char_at(text: Any, index: Any) -> str:
    at = as_int(index)
    if not 0 <= at <= len(_text(text)):
        raise CelError(f"index out of range: {at}")
    return str(text)[at : at + 1]


def _index_of(text: Any, part: Any, start: Any = 0) -> int:
    whole, wanted, first = _text(text), _text(part), as_int(start)
    if not wanted:
        return first
    if first < 0:
        raise CelError(f"index out of range: {first}")
    return whole.find(wanted, first)


def _last_index_of(text: Any, part: Any, last: Any = None) -> int:
    whole, wanted = _text(text), _text(part)
    if last is None:
        return whole.rfind(wanted)
    at = as_int(last)
    if not wanted:
        return at
    if at < 0:
        raise CelError(f"index out of range: {at}")
    return whole.rfind(wanted, 0, at + len(wanted)) if at < len(whole) else -1


def _join(items: Any, between: Any = "") -> str:
    if not isinstance(items, list | tuple):
        raise NoOverloadError(f"join of {type_name(items)}")
    return _text(between).join(_text(item) for item in items)


def _replace(text: Any, old: Any, new: Any, limit: Any = -1) -> str:
    return _text(text).replace(_text(old), _text(new), as_int(limit))


def _split(text: Any, between: Any, limit: Any = -1) -> list[str]:
    most = as_int(limit)
    if most == 0:
        return []
    if not between:
        letters = list(_text(text))
        return letters if most < 0 else [*letters[: most - 1], "".join(letters[most - 1 :])]
    return _text(text).split(_text(between), most - 1 if most > 0 else -1)


def _substring(text: Any, start: Any, end: Any = None) -> str:
    whole, first = _text(text), as_int(start)
    last = len(whole) if end is None else as_int(end)
    if end is not None and first > last:
        raise CelError(f"invalid substring range. start: {first}, end: {last}")
    for index in (first, last):
        if not 0 <= index <= len(whole):
            raise CelError(f"index out of range: {index}")
    return whole[first:last]


def _lower(text: Any) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in _text(text))


def _upper(text: Any) -> str:
    return "".join(letter.upper() if letter.isascii() else letter for letter in _text(text))


def _trim(text: Any) -> str:
    return _text(text).strip()


_QUOTED = str.maketrans(
    {
        "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
        "\\": "\\\\", '"': '\\"',
    }
)  # fmt: skip


def _quote(text: Any) -> str:
    return f'"{_text(text).translate(_QUOTED)}"'


def _format(pattern: Any, values: Any) -> str:
    """Fill a text with values, as Go's Sprintf with the verbs %s %d %f %e %b %x %X %o %%."""
    if not isinstance(values, list | tuple):
        raise NoOverloadError(f"format with {type_name(values)}")
    filled: list[str] = []
    rest, given = _text(pattern), list(values)
    while rest:
        before, percent, rest = rest.partition("%")
        filled.append(before)
        if not percent:
            break
        if rest[:1] == "%":
            filled.append("%")
            rest = rest[1:]
            continue
        precision, verb, rest = _verb(rest)
        if not given:
            raise CelError("index 0 out of range")
        filled.append(_formatted(verb, precision, given.pop(0)))
    return "".join(filled)


def _verb(rest: str) -> tuple[int, str, str]:
    precision = 6
    if rest[:1] == ".":
        digits = len(rest[1:]) - len(rest[1:].lstrip("0123456789"))
        precision, rest = int(rest[1 : 1 + min(digits, 9)] or 0), rest[1 + digits :]
        if precision > PRECISION_MAX:
            raise CelError(f"precision {precision} is greater than {PRECISION_MAX}")
    if not rest:
        raise CelError("could not parse formatting clause: unexpected end of string")
    return precision, rest[0], rest[1:]


def _formatted(verb: str, precision: int, value: Any) -> str:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    if verb == "s":
        return _shown(value)
    if verb in "xX":
        return _hex(value, verb)
    if (verb in "do" and is_int) or (verb == "b" and isinstance(value, int)):
        return format(int(value), verb)
    if verb in "fe" and (is_int or isinstance(value, float)):
        return format(value, f".{precision}{verb}")
    raise CelError(f"could not format value of type {type_name(value)} with %{verb}")


def _hex(value: Any, verb: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        text = f"{int(value):x}"
    elif isinstance(value, str | bytes):
        text = (value.encode() if isinstance(value, str) else value).hex()
    else:
        raise CelError(f"could not format value of type {type_name(value)} with %{verb}")
    return text.upper() if verb == "X" else text


def _shown(value: Any) -> str:
    """Return a value as %s has it."""
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, TypeValue):
        return value.name
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inner(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{_inner(key)}:{_inner(item)}" for key, item in value.items())) + "}"
    if isinstance(value, str | int | float | Timestamp | Duration):
        return to_string(value)
    raise CelError(
        "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and "
        f"timestamps, was given {type_name(value)}"
    )


def _inner(value: Any) -> str:
    """Return a value inside of a list or map: as an expression would have it."""
    match value:
        case str():
            return _quote(value)
        case bytes():
            return f"b{_quote(_shown(value))}"
        case float():
            return f"{value:.6f}" if isfinite(value) else _quote(to_string(value))
        case Timestamp():
            return f"timestamp({_quote(to_string(value))})"
        case Duration():
            return f"duration({_quote(to_string(value))})"
        case _:
            return _shown(value)


def _escape_key(text: Any) -> str:
    """Return a key as a JSON pointer has it (for JSON patches of mutating policies)."""
    return _text(text).replace("~", "~0").replace("/", "~1")


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "strings.quote": _quote,
    "matches": _matches,
    "jsonpatch.escapeKey": _escape_key,
}
METHODS: Mapping[str, Callable[..., Any]] = {
    "contains": lambda text, part: _text(part) in _text(text),
    "startsWith": lambda text, part: _text(text).startswith(_text(part)),
    "endsWith": lambda text, part: _text(text).endswith(_text(part)),
    "matches": _matches,
    "find": _find,
    "findAll": _find_all,
    "charAt": _char_at,
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "join": _join,
    "lowerAscii": _lower,
    "upperAscii": _upper,
    "replace": _replace,
    "split": _split,
    "substring": _substring,
    "trim": _trim,
    "reverse": lambda text: _text(text)[::-1],
    "format": _format,
}
