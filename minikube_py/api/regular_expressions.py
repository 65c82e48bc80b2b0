r"""Regular expressions of schemas and rules: RE2's syntax in Python's engine, compiled once.

Both agree on what people write (`^[a-z]+$`, `\d`, groups, `(?i)`); what Python lacks is translated: `\z`, POSIX
classes, `(?<name>` of newer Go. RE2 promises linear time and Python does not; patterns come from those who may
define resources, and texts are bounded by the body limit.
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


@lru_cache(maxsize=PATTERNS_MAX)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return a pattern that matches as RE2 would.

    Raises:
        ValueError: it is no regular expression; the text says why.
    """
    translated = re.sub(r"\[:(\w+):\]", lambda found: _POSIX.get(found[1], found[0]), pattern)
    translated = (
        translated.replace(r"\z", r"\Z").replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
    )
    translated = (
        re.sub(r"\$$", r"\\Z", translated)
        if translated.endswith("$") and not translated.endswith(r"\$")
        else translated
    )
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"error parsing regexp: {error}") from error
