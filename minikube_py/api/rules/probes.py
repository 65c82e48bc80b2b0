"""Rules for probes and lifecycle hooks: one handler each, numbers that make sense.

Upstream: pkg/apis/core/validation validateProbe, validateHandler, validateLifecycle.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.names import port_name_faults, port_number_faults
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_choice,
    check_not_negative,
    forbidden,
    indexed,
    invalid,
    items,
    required,
)

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_HEADER_RULE = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for "
    "validation is '[-A-Za-z0-9]+')"
)


def validate_probes(container: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of a container's three probes."""
    for field in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(field)
        if probe is None:
            continue
        here = f"{path}.{field}"
        yield from _validate_probe(probe, here)
        grace = probe.get("terminationGracePeriodSeconds")
        if field == "readinessProbe":
            if grace is not None:
                yield invalid(f"{here}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes")
        elif probe.get("successThreshold", 1) != 1:
            yield invalid(f"{here}.successThreshold", probe["successThreshold"], "must be 1")


def validate_lifecycle(lifecycle: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of postStart and preStop."""
    for field in ("postStart", "preStop"):
        if lifecycle.get(field) is not None:
            yield from _validate_handler(lifecycle[field], f"{path}.{field}", _HOOK_HANDLERS)


def _validate_probe(probe: Mapping[str, Any], path: str) -> Faults:
    yield from _validate_handler(probe, path, _HANDLERS)
    for field in _NUMBERS:
        yield from check_not_negative(f"{path}.{field}", probe.get(field))
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0")


def _validate_handler(holder: Mapping[str, Any], path: str, known: tuple[str, ...]) -> Faults:
    given = [field for field in known if holder.get(field) is not None]
    if not given:
        yield required(path, "must specify a handler type")
        return
    for field in given[1:]:
        yield forbidden(f"{path}.{field}", "may not specify more than 1 handler type")
    yield from _validate_action(holder[given[0]], given[0], f"{path}.{given[0]}")


def _validate_action(action: Mapping[str, Any], kind: str, path: str) -> Faults:
    if kind == "exec":
        if not items(action, "command"):
            yield required(f"{path}.command")
    elif kind == "sleep":
        yield from check_not_negative(f"{path}.seconds", action.get("seconds"))
    else:
        if kind == "httpGet":
            yield from _validate_http(action, path)
        yield from validate_port(action.get("port", 0), f"{path}.port")


def _validate_http(action: Mapping[str, Any], path: str) -> Faults:
    if not action.get("path"):
        yield required(f"{path}.path")
    yield from check_choice(f"{path}.scheme", action.get("scheme"), ("HTTP", "HTTPS"))
    for here, header in indexed(action, "httpHeaders", path):
        name = str(header.get("name", ""))
        if not name or not all(c.isascii() and (c.isalnum() or c == "-") for c in name):
            yield invalid(here.rpartition("[")[0], name, _HEADER_RULE)


def validate_port(port: int | str, path: str) -> Faults:
    """Yield the faults of a port that is a number or a container port's name."""
    messages = port_name_faults(port) if isinstance(port, str) else port_number_faults(port)
    yield from all_invalid(path, port, messages)
