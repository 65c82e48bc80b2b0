"""postStart and preStop: what a failing hook says, and how a preStop is remembered across a restart of the kubelet.

The handler of a running container is kept as JSON in its annotations, so that a pod whose object is gone from the API
is still stopped as it asked. Upstream: kubelet lifecycle/handlers.go, kuberuntime labels.go.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from minikube_py.kubelet.container import Container
from minikube_py.kubelet.handlers import Handler, HttpGetAction, parse_handler

GRACE_MIN_S = 2.0
"""What a container still gets between TERM and KILL when its preStop hook used up the grace period."""


def hook_url(action: HttpGetAction, pod_ip: str, container: Container | None) -> str | None:
    """Return the URL of an HTTP action, or None when its port has no number."""
    port = _port(action.port, container)
    if port is None:
        return None
    host = action.host or pod_ip
    shown = f"[{host}]" if ":" in host else host
    path = action.path if action.path.startswith("/") else "/" + action.path
    return f"{action.scheme}://{shown}:{port}{path}"


def _port(port: int | str, container: Container | None) -> int | None:
    if container is not None:
        return container.port_number(port)
    return int(port) if isinstance(port, int) or port.isdigit() else None


def remaining_grace_s(grace_s: float, used_s: float) -> float:
    """Return the time between TERM and KILL after a preStop hook took `used_s`."""
    left = grace_s - used_s
    return max(left, min(GRACE_MIN_S, grace_s)) if used_s else left


def encode_handler(raw: Mapping[str, Any]) -> str:
    """Return a lifecycle handler of an API object as annotation text."""
    return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS).decode()


def decode_handler(text: str) -> Handler | None:
    """Return the handler of an annotation; None for none, or for text that is no longer understood."""
    if not text:
        return None
    try:
        raw = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return parse_handler(raw) if isinstance(raw, dict) else None
