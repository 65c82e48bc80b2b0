"""Label and field selectors as clients write them: text -> requirements -> does an object match.

Upstream: apimachinery labels.Parse and fields.ParseSelector; the messages are those, since people grep for them.
A selector without requirements matches everything.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from minikube_py.api.errors import BadRequestError

LabelOperator = Literal["=", "!=", "in", "notin", "exists", "!", ">", "<"]

_TOKEN = re.compile(r"\s*(==|!=|=|!|\(|\)|,|>|<|[^\s=!(),<>]+)")
_SYMBOLS = frozenset({"==", "!=", "=", "!", "(", ")", ",", ">", "<", "in", "notin"})
_NAME = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_INTEGER = re.compile(r"[+-]?[0-9]{1,64}")
NAME_LENGTH_MAX = 63


@dataclass(frozen=True, slots=True)
class LabelRequirement:
    """One requirement on one label; `values` has one value for =, !=, > and <, and none for exists and !."""

    key: str
    operator: LabelOperator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an object with these labels fulfils the requirement."""
        value = labels.get(self.key)
        match self.operator:
            case "=" | "in":
                return value is not None and value in self.values
            case "!=" | "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case ">" | "<":
                return _compare(value, self.operator, self.values[0])


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """One requirement on one field: equal or not equal; an absent field reads as the empty text."""

    path: str
    value: str
    equal: bool = True

    def matches(self, actual: str) -> bool:
        """Return whether the field's text fulfils the requirement."""
        return (actual == self.value) is self.equal


LabelSelector = tuple[LabelRequirement, ...]
FieldSelector = tuple[FieldRequirement, ...]


def matches_labels(selector: Sequence[LabelRequirement], labels: Mapping[str, str]) -> bool:
    """Return whether all requirements hold."""
    return all(requirement.matches(labels) for requirement in selector)


def parse_label_selector(text: str) -> LabelSelector:
    """Return the requirements of `a=b,c in (d,e),!f`.

    Raises:
        BadRequestError: the text is no selector.
    """
    return tuple(_LabelParser(text).requirements())


def parse_field_selector(text: str) -> FieldSelector:
    """Return the requirements of `metadata.name=x,status.phase!=Running`; a backslash escapes itself, `,` and `=`.

    Raises:
        BadRequestError: the text is no selector.
    """
    return tuple(_field_requirement(term, text) for term in _split_terms(text) if term)


def _compare(value: str | None, operator: str, bound: str) -> bool:
    number = _integer(value or "")
    if number is None:
        return False
    return number > int(bound) if operator == ">" else number < int(bound)


def _integer(text: str) -> int | None:
    """Return the number that a text says, as Go reads 64 bits; Python takes `1_0` too."""
    number = int(text) if _INTEGER.fullmatch(text) else None
    return number if number is not None and -(2**63) <= number < 2**63 else None


class _LabelParser:
    """Upstream's grammar, one token of look-ahead."""

    def __init__(self, text: str) -> None:
        self._tokens = [match.group(1) for match in _TOKEN.finditer(text)]
        self._at = 0

    def requirements(self) -> Iterator[LabelRequirement]:
        if not self._tokens:
            return
        while True:
            yield self._requirement()
            word = self._next()
            if not word:
                return
            if word != ",":
                raise BadRequestError(f"found '{word}', expected: ',' or 'end of string'")
            if not self._peek():
                raise BadRequestError("unable to parse requirement: found '', expected: identifier after ','")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        word = self._peek()
        self._at += 1
        return word

    def _requirement(self) -> LabelRequirement:
        if self._peek() == "!":
            self._next()
            return LabelRequirement(self._key(), "!")
        key = self._key()
        if self._peek() in ("", ","):
            return LabelRequirement(key, "exists")
        operator = self._next()
        match operator:
            case "in" | "notin":
                return LabelRequirement(key, "in" if operator == "in" else "notin", self._values())
            case "=" | "==":
                return LabelRequirement(key, "=", (self._value(key),))
            case "!=":
                return LabelRequirement(key, "!=", (self._value(key),))
            case ">" | "<":
                return LabelRequirement(key, ">" if operator == ">" else "<", (self._number(key),))
            case _:
                raise _fault(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")

    def _key(self) -> str:
        key = self._next()
        if not key or (key in _SYMBOLS and key not in ("in", "notin")):
            raise _fault(f"found '{key}', expected: identifier")
        prefix, slash, name = key.rpartition("/")
        fine = _NAME.fullmatch(name) and len(name) <= NAME_LENGTH_MAX and (not slash or _PREFIX.fullmatch(prefix))
        if not fine:
            raise _fault(f'key: Invalid value: "{key}": {_NAME_RULE}')
        return key

    def _value(self, key: str) -> str:
        if self._peek() in ("", ","):
            return ""
        value = self._next()
        if value in _SYMBOLS and value not in ("in", "notin"):
            raise _fault(f"found '{value}', expected: identifier")
        return _checked_value(key, value)

    def _number(self, key: str) -> str:
        value = self._value(key)
        if _integer(value) is None:
            raise _fault(
                f"values[0][{key}]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be "
                "an integer"
            )
        return value

    def _values(self) -> tuple[str, ...]:
        if (word := self._next()) != "(":
            raise _fault(f"found '{word}' expected: '('")
        values: set[str] = set()
        while True:
            word = self._next()
            if word == ")":
                break
            if word == ",":
                values.add("")
                continue
            if not word or (word in _SYMBOLS and word not in ("in", "notin")):
                raise _fault(f"found '{word}', expected: ',', or identifier")
            values.add(_checked_value("", word))
            word = self._next()
            if word == ")":
                break
            if word != ",":
                raise _fault(f"found '{word}', expected: ',' or ')'")
        return tuple(sorted(values))


_NAME_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
    "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def _fault(what: str) -> BadRequestError:
    return BadRequestError(f"unable to parse requirement: {what}")


def _checked_value(key: str, value: str) -> str:
    if len(value) > NAME_LENGTH_MAX:
        raise _fault(f'values[0][{key}]: Invalid value: "{value}": must be no more than {NAME_LENGTH_MAX} characters')
    if not _NAME.fullmatch(value):
        raise _fault(f'values[0][{key}]: Invalid value: "{value}": {_VALUE_RULE}')
    return value


def _split_terms(text: str) -> list[str]:
    """Split at commas that are not escaped; the escapes stay."""
    terms, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == ",":
            terms.append(text[start:at])
            start = at + 1
        at += 1
    terms.append(text[start:])
    return terms


def _field_requirement(term: str, text: str) -> FieldRequirement:
    for at in range(len(term)):
        if term.startswith("!=", at):
            return FieldRequirement(term[:at].strip(), _unescape(term[at + 2 :]), equal=False)
        if term.startswith("==", at):
            return FieldRequirement(term[:at].strip(), _unescape(term[at + 2 :]))
        if term[at] == "=":
            return FieldRequirement(term[:at].strip(), _unescape(term[at + 1 :]))
    raise BadRequestError(f"invalid selector: '{text}'; can't understand '{term}'")


def _unescape(value: str) -> str:
    """Undo the escapes of a value; a bare `,` or `=` cannot be part of one."""
    result, at = [], 0
    while at < len(value):
        if value[at] == "\\":
            following = value[at + 1 : at + 2]
            if following not in ("\\", ",", "="):
                raise BadRequestError(f"invalid field selector: invalid escape sequence: \\{following}")
            result.append(following)
            at += 2
            continue
        if value[at] in ",=":
            raise BadRequestError(f"invalid field selector: unescaped character in value: {value[at]}")
        result.append(value[at])
        at += 1
    return "".join(result)
