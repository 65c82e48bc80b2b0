"""Pods: what they start with, and when they are right.

The default service account's name is part of `prepare_create`; what else admission adds is in apiserver/plugins.

Upstream: registry/core/pod strategy, pkg/apis/core/v1/helper/qos, plugin/pkg/admission/serviceaccount.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj, annotations_of
from minikube_py.api.quantity import parse_quantity
from minikube_py.api.resource import Rules
from minikube_py.api.rules.faults import Faults, forbidden, part
from minikube_py.api.rules.metadata import validate_metadata, validate_metadata_update
from minikube_py.api.rules.pod_defaults import set_pod_defaults
from minikube_py.api.rules.pod_spec import validate_pod_spec
from minikube_py.api.rules.pod_update import validate_pod_spec_update

MIRROR = "kubernetes.io/config.mirror"
"""The annotation of a pod that only shows what a node runs from a file; it has no service account."""

_QOS_RESOURCES = ("cpu", "memory")


def prepare_create(pod: Obj) -> None:
    """Start a pod's life: Pending, with its QoS class and what admission adds."""
    spec = pod.setdefault("spec", {})
    if not spec.get("serviceAccountName") and MIRROR not in annotations_of(pod):
        spec["serviceAccountName"] = spec["serviceAccount"] = "default"
    pod["status"] = {"phase": "Pending", "qosClass": qos_class(spec)}
    if spec.get("schedulingGates"):
        pod["status"]["conditions"] = [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates",
                "lastTransitionTime": pod.get("metadata", {}).get("creationTimestamp"),
            }
        ]


def prepare_update(new: Obj, old: Mapping[str, Any]) -> None:
    """Change nothing: a service account that is left out is a change, as upstream."""
    del old
    new.setdefault("spec", {})


def validate(pod: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a new pod."""
    spec = part(pod, "spec")
    return (*validate_metadata(pod), *validate_pod_spec(spec, "spec"), *_validate_beginning(spec))


def _validate_beginning(spec: Mapping[str, Any]) -> Faults:
    """Yield the faults that only a new pod can have."""
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")


def validate_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed pod; a spec that stays as it is was looked at when it came."""
    spec, before = part(new, "spec"), part(old, "spec")
    faults = validate_metadata_update(new, old)
    if spec == before:
        return tuple(faults)
    return (*faults, *validate_pod_spec(spec, "spec"), *validate_pod_spec_update(spec, before))


def qos_class(spec: Mapping[str, Any]) -> str:
    """Return BestEffort (nothing asked for), Guaranteed (limits of CPU and memory are the requests) or Burstable."""
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    amounts = [_amounts(container, field) for container in containers for field in ("requests", "limits")]
    if spec.get("resources"):
        amounts = [_amounts(spec, "requests"), _amounts(spec, "limits")]
    if not any(amounts):
        return "BestEffort"
    pairs = zip(amounts[::2], amounts[1::2], strict=True)
    guaranteed = all(len(limit) == len(_QOS_RESOURCES) and limit == asked for asked, limit in pairs)
    return "Guaranteed" if guaranteed else "Burstable"


def _amounts(holder: Mapping[str, Any], field: str) -> dict[str, int]:
    listed = part(part(holder, "resources"), field)
    amounts = {name: parse_quantity(str(listed[name])).nano for name in _QOS_RESOURCES if name in listed}
    return {name: nano for name, nano in amounts.items() if nano > 0}


POD_RULES = Rules(set_pod_defaults, prepare_create, prepare_update, validate, validate_update)
