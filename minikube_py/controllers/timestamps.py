"""Times in objects, read with mercy: statuses can be written by anybody, and a controller must not fall over one."""

from minikube_py.api.meta import parse_time


def seconds_of(text: object, default_s: float = 0.0) -> float:
    """Return the seconds since the epoch that an RFC 3339 text says, `default_s` when it is absent or wrong."""
    if not isinstance(text, str) or not text:
        return default_s
    try:
        return parse_time(text)
    except ValueError:
        return default_s
