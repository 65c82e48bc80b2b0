"""What a client asks of a container (log, exec, attach): parameters, their faults, and which container is meant.

Upstream: registry/core/pod/strategy.go (LogLocation, streamLocation, validateContainer), core/validation
(ValidatePodLogOptions).
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from minikube_py.api.decode import expected_of
from minikube_py.api.errors import BadRequestError, FieldError, InvalidError, invalid
from minikube_py.api.meta import Obj, name_of, namespace_of, parse_time, uid_of
from minikube_py.api.streams import ContainerRef, ExecOptions, LogOptions
from minikube_py.apiserver.options import parse_integer
from minikube_py.apiserver.routes import Route, is_true

_STREAMS = ("All", "Stdout", "Stderr")
_CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


def container_names(pod: Mapping[str, Any]) -> list[str]:
    """Return the names of all containers of a pod, in the order in which they are listed to people."""
    spec = pod.get("spec") or {}
    return [str(container["name"]) for field in _CONTAINER_LISTS for container in spec.get(field) or ()]


def choose_container(pod: Mapping[str, Any], asked: str) -> ContainerRef:
    """Return the container that is meant: the one that is named, or the only one.

    Raises:
        BadRequestError: there is no such container, or the name is needed.
    """
    name = name_of(pod)
    if asked and asked not in container_names(pod):
        raise BadRequestError(f"container {asked} is not valid for pod {name}")
    if not asked:
        containers = (pod.get("spec") or {}).get("containers") or ()
        if len(containers) != 1:
            choices = " ".join(container_names(pod))
            raise BadRequestError(f"a container name must be specified for pod {name}, choose one of: [{choices}]")
        asked = str(next(iter(containers))["name"])
    return ContainerRef(namespace_of(pod), name, uid_of(pod), asked)


def parse_log_options(pod_name: str, query: Mapping[str, str], wall_s: float) -> LogOptions:
    """Return what part of a log is asked for.

    Raises:
        BadRequestError: a number or time that is none.
        InvalidError: values that make no sense.
    """
    tail_lines, limit_bytes = _number(query, "tailLines"), _number(query, "limitBytes")
    since_seconds = _number(query, "sinceSeconds")
    stream = query.get("stream") or "All"
    faults = _log_faults(query, tail_lines, limit_bytes, since_seconds, stream)
    if faults:
        raise invalid_log_options(pod_name, faults)
    since_s = None if since_seconds is None else wall_s - since_seconds
    if query.get("sinceTime"):
        try:
            since_s = parse_time(query["sinceTime"])
        except ValueError as error:
            raise BadRequestError(f'parsing time "{query["sinceTime"]}": {error}') from error
    return LogOptions(
        follow=is_true(query.get("follow")),
        previous=is_true(query.get("previous")),
        timestamps=is_true(query.get("timestamps")),
        since_s=since_s,
        tail_lines=tail_lines,
        limit_bytes=limit_bytes,
        stream=stream,
    )


def _number(query: Mapping[str, str], name: str) -> int | None:
    return parse_integer(query[name]) if query.get(name) else None


def _log_faults(
    query: Mapping[str, str], tail_lines: int | None, limit_bytes: int | None, since_seconds: int | None, stream: str
) -> tuple[FieldError, ...]:
    faults: list[FieldError] = []
    if tail_lines is not None and tail_lines < 0:
        faults.append(FieldError("FieldValueInvalid", "tailLines", "must be greater than or equal to 0", tail_lines))
    if limit_bytes is not None and limit_bytes < 1:
        faults.append(FieldError("FieldValueInvalid", "limitBytes", "must be greater than 0", limit_bytes))
    if since_seconds is not None and query.get("sinceTime"):
        why = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        faults.append(FieldError("FieldValueForbidden", "[]", why))
    elif since_seconds is not None and since_seconds < 1:
        faults.append(FieldError("FieldValueInvalid", "sinceSeconds", "must be greater than 0", since_seconds))
    if stream not in _STREAMS:
        supported = 'supported values: "All", "Stderr", "Stdout"'
        faults.append(FieldError("FieldValueNotSupported", "stream", supported, stream))
    elif stream != "All" and tail_lines is not None:
        why = "`tailLines` and specific `stream` are mutually exclusive for now"
        faults.append(FieldError("FieldValueForbidden", "tailLines", why))
    return tuple(faults)


def invalid_log_options(pod_name: str, faults: tuple[FieldError, ...]) -> InvalidError:
    """Return upstream's 422 for PodLogOptions."""
    return invalid("", "PodLogOptions", pod_name, faults)


def parse_exec_options(query: Mapping[str, str], command: Sequence[str], *, attach: bool) -> ExecOptions:
    """Return what to run and which streams to join; `command` is every `command` parameter, in order."""
    return ExecOptions(
        command=() if attach else tuple(command),
        stdin=is_true(query.get("stdin")),
        stdout=is_true(query.get("stdout")),
        stderr=is_true(query.get("stderr")),
        tty=is_true(query.get("tty")),
    )


def connect_options(route: Route, query: Mapping[str, Sequence[str]]) -> Obj:
    """Return the PodExecOptions (or whatever the subresource takes) that a query stands for, for admission."""
    expected = expected_of(route.resource, route.subresource)
    options: Obj = {"kind": expected.kind, "apiVersion": expected.api_version}
    for flag in ("stdin", "stdout", "stderr", "tty"):
        if any(map(is_true, query.get(flag, ()))):
            options[flag] = True
    if route.subresource == "proxy":
        if route.tail:
            options["path"] = f"/{route.tail}"
    elif route.subresource == "portforward":
        if ports := [int(port) for port in query.get("ports", ()) if port.isdecimal()]:
            options["ports"] = ports
    else:
        if query.get("container"):
            options["container"] = query["container"][0]
        if route.subresource == "exec" and query.get("command"):
            options["command"] = list(query["command"])
    return options


def check_exec_options(options: ExecOptions, *, attach: bool) -> None:
    """Refuse what the kubelet upstream refuses.

    Raises:
        BadRequestError: no stream, a terminal with stderr of its own, or nothing to run.
    """
    if options.tty and options.stderr:
        raise BadRequestError("tty and stderr cannot both be true")
    if not (options.stdin or options.stdout or options.stderr):
        raise BadRequestError("you must specify at least 1 of stdin, stdout, stderr")
    if not attach and not options.command:
        raise BadRequestError("you must specify at least one command for the container")


_LOG_PARAMETERS = (
    "follow", "limitBytes", "previous", "sinceSeconds", "sinceTime", "stream", "tailLines", "timestamps",
)  # fmt: skip


def log_target(ref: ContainerRef, query: Mapping[str, str]) -> str:
    """Return path and query of a container's log at its kubelet."""
    asked = urlencode([(name, query[name]) for name in _LOG_PARAMETERS if query.get(name)])
    return f"/containerLogs/{ref.namespace}/{ref.pod}/{ref.container}" + (f"?{asked}" if asked else "")


def command_target(ref: ContainerRef, options: ExecOptions, *, attach: bool) -> str:
    """Return path and query of an exec or attach at its kubelet."""
    flags = {"input": options.stdin, "output": options.stdout, "error": options.stderr, "tty": options.tty}
    asked = [(name, "1") for name, wanted in flags.items() if wanted]
    asked += [("command", word) for word in options.command]
    kind = "attach" if attach else "exec"
    return f"/{kind}/{ref.namespace}/{ref.pod}/{ref.container}?{urlencode(asked)}"


def port_forward_target(namespace: str, pod: str, ports: Sequence[str]) -> str:
    """Return path and query of a port-forward at the pod's kubelet."""
    asked = urlencode({"port": ",".join(ports)}) if ports else ""
    return f"/portForward/{namespace}/{pod}" + (f"?{asked}" if asked else "")
