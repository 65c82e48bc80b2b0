"""The downward API: fields of the pod and resources of a container as text, for variables and files.

Upstream: fieldpath.ExtractFieldPathAsString and resource.ExtractContainerResourceValue.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from minikube_py.api.quantity import parse_quantity
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.pod import Pod

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]")
_PLAIN_DIVISOR = {"", "0", "1"}


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What the node knows of a pod and of itself."""

    host_ip: str
    pod_ip: str
    allocatable: Mapping[str, str]
    """The node's allocatable resources: what a missing limit stands for."""


def field_value(pod: Pod, path: str, facts: PodFacts) -> str | None:
    """Return the text of a field, or None when the path names no supported one."""
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript:
        source = pod.labels if subscript.group(1) == "labels" else pod.annotations
        return source.get(subscript.group(2), "")
    values: Mapping[str, str] = {
        "metadata.name": pod.name,
        "metadata.namespace": pod.namespace,
        "metadata.uid": pod.uid,
        "metadata.labels": format_map(pod.labels),
        "metadata.annotations": format_map(pod.annotations),
        "spec.nodeName": pod.node_name,
        "spec.serviceAccountName": pod.service_account_name,
        "status.hostIP": facts.host_ip,
        "status.hostIPs": facts.host_ip,
        "status.podIP": facts.pod_ip,
        "status.podIPs": facts.pod_ip,
    }
    return values.get(path)


def format_map(values: Mapping[str, str]) -> str:
    """Return labels or annotations as the downward API writes them: sorted lines of key="quoted value"."""
    return "\n".join(f"{key}={_quote(value)}" for key, value in sorted(values.items()))


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") + '"'


def resource_value(container: Container, resource: str, divisor: str, facts: PodFacts) -> str | None:
    """Return a request or limit divided by the divisor, rounded up; None for a resource that is not supported."""
    side, _, name = resource.partition(".")
    if side not in ("limits", "requests") or not _supported(name):
        return None
    amounts = container.limits if side == "limits" else {**container.limits, **container.requests}
    text = amounts.get(name)
    if text is None and side == "limits":
        text = facts.allocatable.get(name)
    amount = parse_quantity(text or "0").nano
    unit = parse_quantity("1" if divisor in _PLAIN_DIVISOR else divisor).nano
    return str(-(-amount // unit))


def _supported(name: str) -> bool:
    return name in ("cpu", "memory", "ephemeral-storage") or name.startswith("hugepages-")
