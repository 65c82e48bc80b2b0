"""How names, ages and missing values are printed, the same for every kind.

Ages are rounded the way people read them: `119s`, `2m1s`, `10m`, `3h5m`, `8h`, `2d3h`, `8d`, `2y5d`, `8y`.

Upstream: apimachinery util/duration HumanDuration and printers translateTimestampSince.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import metadata, name_of, parse_time
from minikube_py.api.resource import Column

NONE = "<none>"
UNKNOWN = "<unknown>"


def human_duration(seconds: float) -> str:
    """Return a duration in one or two units; a clock that is more than a second ahead gives `<invalid>`."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 120:
        return f"{max(whole, 0)}s"
    minutes, hours = whole // 60, whole // 3600
    if minutes < 180:
        return _two(minutes, "m", whole % 60, "s") if minutes < 10 else f"{minutes}m"
    if hours < 48:
        return _two(hours, "h", minutes % 60, "m") if hours < 8 else f"{hours}h"
    days = hours // 24
    if days < 730:
        return _two(days, "d", hours % 24, "h") if days < 8 else f"{days}d"
    years = days // 365
    return _two(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def since(time: object, wall_s: float) -> str:
    """Return how long ago an RFC 3339 time was, `<unknown>` when it is not set."""
    return human_duration(wall_s - parse_time(time)) if isinstance(time, str) and time else UNKNOWN


def age(obj: Mapping[str, Any], wall_s: float) -> str:
    """Return how long ago the object was created."""
    return since(metadata(obj).get("creationTimestamp"), wall_s)


NAME = Column("Name", lambda obj, _: name_of(obj), format="name", description="The object's name.")
AGE = Column("Age", age, description="How long ago the object was created.")
