"""The Node with which a kubelet registers: labels, annotations and taints that it has from its first moment on.

Taints count at registration only: what an administrator takes away later stays away. A Node that was deleted while
its kubelet runs is registered again, as at a start.

Upstream: kubelet_node_status.go (registerWithAPIServer, initialNode).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.meta import Obj, labels_of
from minikube_py.api.names import label_value_faults, qualified_name_faults
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.node_status import HostFacts

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_ANNOTATIONS = {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}

Taint = tuple[tuple[str, str], ...]


def parse_node_label(text: str) -> tuple[str, str]:
    """Return name and value of `NAME=VALUE`.

    Raises:
        ValueError: it is no label.
    """
    name, _, value = text.partition("=")
    faults = [*qualified_name_faults(name), *label_value_faults(value)]
    if faults:
        raise ValueError(f"{text!r} is no label NAME=VALUE: {'; '.join(faults)}")
    return name, value


def parse_node_taint(text: str) -> Taint:
    """Return the taint `NAME=VALUE:EFFECT` (or `NAME:EFFECT`) as field pairs.

    Raises:
        ValueError: it is no taint.
    """
    rest, _, effect = text.rpartition(":")
    name, _, value = rest.partition("=")
    faults = [*qualified_name_faults(name), *label_value_faults(value)]
    if effect not in _EFFECTS:
        faults.append(f"the effect must be one of {', '.join(_EFFECTS)}")
    if faults:
        raise ValueError(f"{text!r} is no taint NAME=VALUE:EFFECT: {'; '.join(faults)}")
    fields = (("key", name), ("value", value), ("effect", effect))
    return tuple(pair for pair in fields if pair[1])


def faults_of(labels: Sequence[str], taints: Sequence[str]) -> list[str]:
    """Return what is wrong with the values of --node-label and --node-taint."""
    faults = []
    for flag, read, texts in (("node-label", parse_node_label, labels), ("node-taint", parse_node_taint, taints)):
        for text in texts:
            try:
                read(text)
            except ValueError as error:
                faults.append(f"--{flag}: {error}")
    return faults


def node_labels(config: KubeletConfig, host: HostFacts) -> Mapping[str, str]:
    """Return the labels that every node has, and the configured ones."""
    return {
        "beta.kubernetes.io/arch": host.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": host.architecture,
        "kubernetes.io/hostname": config.node_name,
        "kubernetes.io/os": "linux",
        **dict(config.node_labels),
    }


def new_node(config: KubeletConfig, host: HostFacts) -> Obj:
    """Return the Node to register, without a status."""
    taints = [dict(taint) for taint in config.register_with_taints]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": config.node_name,
            "labels": dict(node_labels(config, host)),
            "annotations": dict(_ANNOTATIONS),
        },
        "spec": {"taints": taints} if taints else {},
    }


def missing_metadata(config: KubeletConfig, host: HostFacts, node: Mapping[str, Any]) -> Obj:
    """Return the labels and annotations that the Node of the API lacks or has otherwise, as a patch of metadata."""
    present = labels_of(node)
    annotations = (node.get("metadata") or {}).get("annotations") or {}
    lacking = {
        "labels": {k: v for k, v in node_labels(config, host).items() if present.get(k) != v},
        "annotations": {k: v for k, v in _ANNOTATIONS.items() if annotations.get(k) != v},
    }
    return {field: values for field, values in lacking.items() if values}
