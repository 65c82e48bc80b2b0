"""Which file of an audit log is begun anew, what the old one is called, and which old ones go.

Upstream: lumberjack, as kube-apiserver's --audit-log-maxsize, -maxage and -maxbackup use it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SIZE_MB_DEFAULT = 100
"""Of a limit of 0."""
_FORM = "%Y-%m-%dT%H-%M-%S"


@dataclass(frozen=True, slots=True)
class Rotation:
    """When an audit log is rotated, and what is kept."""

    size_mb_max: int = 0
    """--audit-log-maxsize: megabytes of one file; 0: 100."""
    age_days_max: int = 0
    """--audit-log-maxage: old files go after so many days; 0: never."""
    backups_max: int = 0
    """--audit-log-maxbackup: so many old files are kept; 0: all."""

    def is_due(self, size_bytes: int, more_bytes: int) -> bool:
        """Return whether writing more would make a file too long."""
        return size_bytes > 0 and size_bytes + more_bytes > (self.size_mb_max or SIZE_MB_DEFAULT) << 20


def backup_name(name: str, wall_s: float) -> str:
    """Return what a full file is called: `audit-2026-11-24T09-00-00.123.log`."""
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    moment = datetime.fromtimestamp(wall_s, UTC)
    return f"{stem}-{moment.strftime(_FORM)}.{moment.microsecond // 1000:03d}{dot}{extension}"


def outdated(name: str, names: Iterable[str], rotation: Rotation, wall_s: float) -> tuple[str, ...]:
    """Return which of the files beside the log `name` are old files of it that go."""
    backups = sorted(
        ((moment, other) for other in names if (moment := _moment(name, other)) is not None), reverse=True
    )
    going = set(backups[rotation.backups_max :] if rotation.backups_max else ())
    if rotation.age_days_max:
        oldest = datetime.fromtimestamp(wall_s, UTC) - timedelta(days=rotation.age_days_max)
        going |= {backup for backup in backups if backup[0] < oldest}
    return tuple(sorted(other for _, other in going))


def _moment(name: str, other: str) -> datetime | None:
    """Return when a file was full, None for one that is no old file of this log."""
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    prefix, suffix = f"{stem}-", f"{dot}{extension}"
    if not (other.startswith(prefix) and other.endswith(suffix)):
        return None
    text = other[len(prefix) : len(other) - len(suffix)]
    try:
        moment = datetime.strptime(text[:-4], _FORM).replace(tzinfo=UTC)
        return moment + timedelta(milliseconds=int(text[-3:]))
    except ValueError:
        return None
