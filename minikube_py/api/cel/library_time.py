"""Timestamps and durations: reading them, and taking them apart in any time zone.

Specification: cel-spec doc/langdef.md (Timestamps and Durations); Go's time.ParseDuration.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from minikube_py.api.cel.values import NANOS, CelError, Duration, NoOverloadError, Timestamp, checked_int, type_name

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)")
_UNITS: Mapping[str, int] = {
    "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": NANOS, "m": 60 * NANOS, "h": 3600 * NANOS,
}  # fmt: skip


def parse_timestamp(text: str) -> Timestamp:
    """Return the timestamp of an RFC 3339 text.

    Raises:
        CelError: it is none.
    """
    found = _RFC3339.fullmatch(text)
    failure = CelError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse')
    if found is None:
        raise failure
    zone = "+00:00" if found[4] in "Zz" else found[4]
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}")
    except ValueError as error:
        raise failure from error
    part = int((found[3] or ".0")[1:].ljust(9, "0"))
    return Timestamp(round(moment.timestamp()) * NANOS + part)


def parse_duration(text: str) -> Duration:
    """Return the duration of a text as Go writes them: `1h30m`, `-1.5s`.

    Raises:
        CelError: it is none.
    """
    rest = text[1:] if text[:1] in ("-", "+") else text
    parts = list(_PART.finditer(rest))
    if rest == "0":
        return Duration(0)
    if not parts or "".join(part[0] for part in parts) != rest:
        raise CelError(f'time: invalid duration "{text}"')
    nanos = sum(int(Fraction(part[1].rstrip(".") or "0") * _UNITS[part[2]]) for part in parts)
    return Duration(checked_int(-nanos if text.startswith("-") else nanos))


def _zone(name: str) -> tzinfo:
    found = _OFFSET.fullmatch(name)
    if found is not None:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset)
    try:
        return UTC if name in ("UTC", "") else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CelError(f"unknown time zone {name}") from error


def _reads(of_time: Callable[[datetime], int], of_duration: Callable[[int], int] | None = None) -> Callable[..., int]:
    """Return a method that reads a part of a timestamp (in a zone) or of a duration (as a whole)."""

    def read(value: Any, zone: Any = "UTC") -> int:
        if isinstance(value, Timestamp) and isinstance(zone, str):
            try:
                return of_time(value.moment().astimezone(_zone(zone)))
            except OverflowError as error:  # the first or the last hours of all, in another zone
                raise CelError("timestamp overflow") from error
        if isinstance(value, Duration) and of_duration is not None:
            return of_duration(value.nanos)
        raise NoOverloadError(f"a part of {type_name(value)}")

    return read


def _whole(unit: int) -> Callable[[int], int]:
    return lambda nanos: nanos // unit if nanos >= 0 else -(-nanos // unit)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {}
METHODS: Mapping[str, Callable[..., Any]] = {
    "getFullYear": _reads(lambda moment: moment.year),
    "getMonth": _reads(lambda moment: moment.month - 1),
    "getDate": _reads(lambda moment: moment.day),
    "getDayOfMonth": _reads(lambda moment: moment.day - 1),
    "getDayOfWeek": _reads(lambda moment: (moment.weekday() + 1) % 7),
    "getDayOfYear": _reads(lambda moment: moment.timetuple().tm_yday - 1),
    "getHours": _reads(lambda moment: moment.hour, _whole(3600 * NANOS)),
    "getMinutes": _reads(lambda moment: moment.minute, _whole(60 * NANOS)),
    "getSeconds": _reads(lambda moment: moment.second, _whole(NANOS)),
    "getMilliseconds": _reads(lambda moment: moment.microsecond // 1000, _whole(10**6)),
}
