"""Durations as Go spells them (`1m30s`), which is how flags and files of Kubernetes have them."""

import re
from collections.abc import Mapping

_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_SECONDS: Mapping[str, float] = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class DurationError(ValueError):
    """A text that is no duration; the message names it."""


def parse_duration(text: str) -> float:
    """Return the seconds of a duration.

    Raises:
        DurationError: it is none.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise DurationError(f"{text!r} is not a duration such as 1m30s")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
