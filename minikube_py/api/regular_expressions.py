r"""Regular expressions of schemas and rules: RE2's syntax in Python's engine, compiled once.

Both agree on what people write (`^[a-z]+$`, `\d`, groups, `(?i)`). What Python lacks or takes otherwise is
translated: `$`, which for Python also stands before a last newline, `\z`, `\Q…\E`, POSIX classes, `(?<name>` of newer
Go, `[` in a class. What only Python has is refused: looking around and back. RE2 promises linear time and Python does
not; patterns come from those who may define resources, and texts are bounded by the body limit.
"""

import re
from functools import lru_cache

PATTERNS_MAX = 4096
"""Compiled patterns that are kept; the least used go."""

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r"\t ",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}


_POSIX_CLASS = re.compile(r"\[:(\w+):\]")
_CLASS_BEGIN = re.compile(r"\[\^?\]?")
_LINES = re.compile(r"\(\?[a-zA-Z]*m")
"""The flag with which `$` stands before each newline, for both."""
_FLAGS_AFTER_CARET = re.compile(r"\^(\(\?[a-zA-Z]+\))")
_PERL = ("(?=", "(?!", "(?<=", "(?<!", "(?>", "(?(", "(?#", "(?P=")


@lru_cache(maxsize=PATTERNS_MAX)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return a pattern that matches as RE2 would.

    Raises:
        ValueError: it is no regular expression; the text says why.
    """
    try:
        return re.compile(_translated(pattern), re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"error parsing regexp: {error}") from error


def _translated(pattern: str) -> str:
    """Return a pattern of RE2 as Python has it."""
    pattern = _FLAGS_AFTER_CARET.sub(r"\1^", pattern, count=1) if pattern.startswith("^(?") else pattern
    end = "$" if _LINES.search(pattern) else r"\Z"
    made: list[str] = []
    at = 0
    while at < len(pattern):
        piece, at = _next_piece(pattern, at, end)
        made.append(piece)
    return "".join(made)


def _next_piece(pattern: str, at: int, end: str) -> tuple[str, int]:
    match pattern[at]:
        case "\\":
            return _escape(pattern, at)
        case "[":
            return _class(pattern, at)
        case "$":
            return end, at + 1
        case "(" if found := next((perl for perl in _PERL if pattern.startswith(perl, at)), ""):
            raise ValueError(f"error parsing regexp: invalid or unsupported Perl syntax: `{found}`")
        case "(" if pattern.startswith("(?<", at):
            return "(?P<", at + 3
        case letter:
            return letter, at + 1


def _escape(pattern: str, at: int) -> tuple[str, int]:
    two = pattern[at : at + 2]
    if two == r"\Q":
        quoted, _, _ = pattern[at + 2 :].partition(r"\E")
        return re.escape(quoted), at + 2 + len(quoted) + 2
    if two == r"\Z" or (len(two) == 2 and two[1] in "123456789"):
        raise ValueError(f"error parsing regexp: invalid escape sequence: `{two}`")
    return r"\Z" if two == r"\z" else two, at + 2


def _class(pattern: str, at: int) -> tuple[str, int]:
    """Return a class of characters; a `]` that comes first in it is one of them."""
    begin = _CLASS_BEGIN.match(pattern, at)
    assert begin is not None
    made, at = [begin[0]], begin.end()
    while at < len(pattern):
        letter = pattern[at]
        if letter == "]":
            return "".join((*made, letter)), at + 1
        if letter == "\\":
            made.append(pattern[at : at + 2])
            at += 2
        elif (found := _POSIX_CLASS.match(pattern, at)) and found[1] in _POSIX:
            made.append(_POSIX[found[1]])
            at = found.end()
        else:
            made.append(r"\[" if letter == "[" else letter)
            at += 1
    raise ValueError(f"error parsing regexp: missing closing ]: `{pattern[begin.start() :]}`")
