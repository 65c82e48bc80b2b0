"""What a request to the kubelet's server means: its path, and the parameters of logs and commands.

Upstream: kubelet/server/server.go (the routes and their texts), streaming/remotecommand (NewOptions).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minikube_py.api.errors import BadRequestError, InvalidError, MethodNotSupportedError, NotFoundError
from minikube_py.api.meta import parse_time
from minikube_py.api.streams import ExecOptions, LogOptions

_STREAM_PARTS = {"exec": 3, "attach": 3, "run": 3, "containerLogs": 3, "checkpoint": 3, "portForward": 2}
"""Path parts behind the first one; exec, attach, run and portForward may have the pod's uid before the last."""
_WITH_UID = frozenset({"exec", "attach", "run", "portForward"})
_READ_ONLY = frozenset({"pods", "runningpods", "containerLogs", "logs", "stats", "metrics", "configz", "healthz"})
_WRITE_ONLY = frozenset({"run", "checkpoint"})


@dataclass(frozen=True, slots=True)
class KubeletRoute:
    """One request: `kind` is the first part of the path; `rest` what follows it, where it is free."""

    kind: str
    namespace: str = ""
    pod: str = ""
    pod_uid: str = ""
    container: str = ""
    rest: str = ""


def parse_route(method: str, path: str) -> KubeletRoute:
    """Return what `method path` asks for.

    Raises:
        NotFoundError: there is nothing at that path.
        MethodNotSupportedError: there is, but not for that method.
    """
    kind, _, rest = path.strip("/").partition("/")
    if kind in _READ_ONLY and method not in ("GET", "HEAD"):
        raise MethodNotSupportedError("Method Not Allowed")
    if kind in _WRITE_ONLY and method != "POST":
        raise MethodNotSupportedError("405: Method Not Allowed")
    if kind in _STREAM_PARTS:
        return _stream_route(kind, rest.split("/"))
    if kind not in _READ_ONLY or (rest and kind in ("pods", "runningpods", "configz")):
        raise NotFoundError("404: Page Not Found")
    return KubeletRoute(kind, rest=rest)


def _stream_route(kind: str, parts: Sequence[str]) -> KubeletRoute:
    count = _STREAM_PARTS[kind]
    if not all(parts) or len(parts) not in ({count, count + 1} if kind in _WITH_UID else {count}):
        raise NotFoundError("404: Page Not Found")
    namespace, pod = parts[:2]
    if kind == "portForward":
        return KubeletRoute(kind, namespace, pod, pod_uid=parts[2] if len(parts) > 2 else "")
    return KubeletRoute(kind, namespace, pod, parts[2] if len(parts) > count else "", parts[-1])


def parse_log_query(query: Mapping[str, str], wall_s: float) -> LogOptions:
    """Return which part of a container's log is asked for.

    Raises:
        BadRequestError: a parameter cannot be read.
        InvalidError: the parameters make no sense.
    """
    tail = query.get("tail", query.get("tailLines", ""))
    try:
        tail_lines = None if tail in ("", "all") else int(tail)
        limit_bytes, since_seconds = (_number(query, name) for name in ("limitBytes", "sinceSeconds"))
        since_s = parse_time(query["sinceTime"]) if query.get("sinceTime") else None
    except ValueError:
        raise BadRequestError('{"message": "Unable to decode query."}') from None
    stream = query.get("stream") or "All"
    numbers = (tail_lines if tail_lines is None else tail_lines + 1, limit_bytes, since_seconds)
    out_of_range = any(number is not None and number < 1 for number in numbers)
    if out_of_range or (since_s and since_seconds) or stream not in ("All", "Stdout", "Stderr"):
        raise InvalidError('{"message": "Invalid request."}')
    return LogOptions(
        follow=_is_true(query, "follow"),
        previous=_is_true(query, "previous"),
        timestamps=_is_true(query, "timestamps"),
        since_s=since_s if since_seconds is None else wall_s - since_seconds,
        tail_lines=tail_lines,
        limit_bytes=limit_bytes,
        stream=stream,
    )


def _number(query: Mapping[str, str], name: str) -> int | None:
    return int(query[name]) if query.get(name) else None


def _is_true(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("1", "t", "true")


def parse_command_query(query: Mapping[str, str], command: Sequence[str], *, attach: bool) -> ExecOptions:
    """Return what to run and which streams the caller wants; `command` is every `command` parameter, in order.

    Raises:
        BadRequestError: no stream is wanted, or there is nothing to run.
    """
    tty = query.get("tty") == "1"
    stdin, stdout = query.get("input") == "1", query.get("output") == "1"
    stderr = query.get("error") == "1" and not tty  # a terminal has one output only
    if not (stdin or stdout or stderr):
        raise BadRequestError("you must specify at least 1 of stdin, stdout, stderr")
    if not attach and not command:
        raise BadRequestError("you must specify at least one command for the container")
    return ExecOptions(() if attach else tuple(command), stdin, stdout, stderr, tty)
