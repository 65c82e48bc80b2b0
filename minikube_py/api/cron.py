"""Cron schedules as CronJobs write them: five fields, or `@hourly` and its like, or `@every 1h30m`.

A field is a list of ranges with steps: `*/15`, `1-5`, `MON-FRI`, `0,30`, `?` (the same as `*`). Months and weekdays
have names; Sunday is 0, and 7 is refused, as upstream does. When neither day field is a star (`*/2` is none) a day
matches if one of them does.

Upstream: robfig/cron ParseStandard.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_DESCRIPTORS: Mapping[str, str] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_UNITS_S: Mapping[str, float] = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)")


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What one field may say."""

    low: int
    high: int
    names: Mapping[str, int]


_FIELDS = (
    _Bounds(0, 59, {}),
    _Bounds(0, 23, {}),
    _Bounds(1, 31, {}),
    _Bounds(1, 12, _MONTHS),
    _Bounds(0, 6, _DAYS),
)


class CronError(ValueError):
    """The text is no schedule; the message is upstream's."""


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """When something is due: the values that each field allows, or a fixed period (then the fields are empty)."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days_of_month: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    days_of_week: frozenset[int] = frozenset()
    """Sunday is 0."""
    any_day_of_month: bool = False
    any_day_of_week: bool = False
    """Which day fields are stars: a day must match both fields when one is, else one of them."""
    every_s: float = 0.0


def parse_cron(text: str) -> CronSchedule:
    """Return what a schedule says.

    Raises:
        CronError: it says nothing that is understood.
    """
    if not text:
        raise CronError("empty spec string")
    if text.startswith("@"):
        return _parse_descriptor(text)
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise CronError(f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]")
    minutes, hours, days, months, weekdays = (
        _parse_field(field, bounds) for field, bounds in zip(fields, _FIELDS, strict=True)
    )
    return CronSchedule(minutes, hours, days, months, weekdays, _is_any(fields[2]), _is_any(fields[4]))


def _parse_descriptor(text: str) -> CronSchedule:
    if text in _DESCRIPTORS:
        return parse_cron(_DESCRIPTORS[text])
    prefix, _, duration = text.partition(" ")
    if prefix != "@every":
        raise CronError(f"unrecognized descriptor: {text}")
    parts = _DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise CronError(f'failed to parse duration {text}: time: invalid duration "{duration}"')
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    return CronSchedule(every_s=max(1.0, float(int(seconds))))


def _is_any(field: str) -> bool:
    """Return whether a day field leaves the choice to the other one; one with a step of more than 1 does not."""
    return any(_is_star(part) for part in field.split(","))


def _is_star(text: str) -> bool:
    span, slash, step = text.partition("/")
    return span.partition("-")[0] in ("*", "?") and not (slash and int(step) > 1)


def _parse_field(field: str, bounds: _Bounds) -> frozenset[int]:
    return frozenset(value for part in field.split(",") if part for value in _parse_range(part, bounds))


def _parse_range(text: str, bounds: _Bounds) -> range:
    span, *steps = text.split("/")
    first, *rest = span.split("-")
    if len(rest) > 1:
        raise CronError(f"too many hyphens: {text}")
    if len(steps) > 1:
        raise CronError(f"too many slashes: {text}")
    if first in ("*", "?"):
        start, end = bounds.low, bounds.high
    else:
        start = _number(first, bounds)
        # `5/15` goes on to the end, `5` is only itself
        end = _number(rest[0], bounds) if rest else bounds.high if steps else start
    step = _number(steps[0], _Bounds(0, 0, {})) if steps else 1
    if start < bounds.low:
        raise CronError(f"beginning of range ({start}) below minimum ({bounds.low}): {text}")
    if end > bounds.high:
        raise CronError(f"end of range ({end}) above maximum ({bounds.high}): {text}")
    if start > end:
        raise CronError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise CronError(f"step of range should be a positive number: {text}")
    return range(start, end + 1, step)


def _number(text: str, bounds: _Bounds) -> int:
    named = bounds.names.get(text.lower())
    if named is not None:
        return named
    if text.startswith("-") and text[1:].isdigit():
        raise CronError(f"negative number ({text}) not allowed: {text}")
    if not (text.isascii() and text.isdigit()):
        raise CronError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)
