"""What EndpointSlices and Endpoints share: which pods a Service selects, and what address and ports each offers.

Upstream: pkg/controller/util/endpoint and k8s.io/endpointslice. Look-ups go by label pairs, so that a change of one
pod costs the same in a namespace of ten pods and of ten thousand.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minikube_py.api.meta import (
    Obj,
    ObjectKey,
    is_deleting,
    key_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    uid_of,
)
from minikube_py.api.resources import PODS, SERVICES
from minikube_py.client.interface import Change
from minikube_py.controllers.plan import Item, Listers
from minikube_py.controllers.pod_state import condition_of, is_ready, is_terminal
from minikube_py.controllers.spec import Index
from minikube_py.controllers.timestamps import seconds_of

TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
HEADLESS_LABEL = "service.kubernetes.io/headless"

LABEL_PAIR = "controllers/label-pair"
"""`namespace/key=value` for each label of a pod."""
SELECTOR_PAIR = "controllers/selector-pair"
"""`namespace/key=value` for one pair of a Service's selector: whoever matches has that label."""


def _pairs(namespace: str, labels: Mapping[str, str]) -> list[str]:
    return [f"{namespace}/{key}={value}" for key, value in sorted(labels.items())]


PODS_BY_LABEL = Index(PODS, LABEL_PAIR, lambda pod: _pairs(namespace_of(pod), labels_of(pod)))
SERVICES_BY_SELECTOR = Index(
    SERVICES, SELECTOR_PAIR, lambda service: _pairs(namespace_of(service), selector_of(service))[:1]
)


def selector_of(service: Obj) -> Mapping[str, str]:
    """Return spec.selector, empty when the Service selects nothing by itself."""
    return (service.get("spec") or {}).get("selector") or {}


def has_endpoints(service: Obj) -> bool:
    """Return whether endpoints are made for the Service at all: not without selector, not for ExternalName."""
    return bool(selector_of(service)) and service["spec"].get("type") != "ExternalName"


def is_headless(service: Obj) -> bool:
    """Return whether the Service has no cluster IP."""
    return service["spec"].get("clusterIP") in (None, "", "None")


def select_pods(listers: Listers, service: Obj) -> tuple[Obj, ...]:
    """Return the pods that the Service selects."""
    selector, namespace = selector_of(service), namespace_of(service)
    candidates = min((listers.by_index(PODS, LABEL_PAIR, pair) for pair in _pairs(namespace, selector)), key=len)
    return tuple(pod for pod in candidates if selector.items() <= labels_of(pod).items())


def items_of_pod(change: Change, listers: Listers) -> Sequence[Item]:
    """Return the Services that select the pod before or after the change, when they would notice it."""
    old, new = change.old, change.new
    if old is not None and new is not None and _visible(old) == _visible(new):
        return ()
    found: dict[ObjectKey, None] = {}
    for pod in (old, new):
        if pod is None:
            continue
        labels = labels_of(pod)
        for pair in _pairs(namespace_of(pod), labels):
            for service in listers.by_index(SERVICES, SELECTOR_PAIR, pair):
                if selector_of(service).items() <= labels.items():
                    found.setdefault(key_of(service))
    return [Item(SERVICES.qualified, key) for key in found]


def _visible(pod: Obj) -> tuple[Any, ...]:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    return (
        labels_of(pod),
        uid_of(pod),
        is_deleting(pod),
        is_ready(pod),
        is_terminal(pod),
        status.get("podIP"),
        status.get("podIPs"),
        spec.get("nodeName"),
    )


def resolve_port(pod: Obj, service_port: Mapping[str, Any]) -> int | None:
    """Return the number of a Service port's target in this pod; None: the pod has no port of that name."""
    target = service_port.get("targetPort", service_port.get("port"))
    if isinstance(target, int):
        return target or int(service_port["port"])
    protocol = service_port.get("protocol", "TCP")
    spec = pod.get("spec") or {}
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in (*(spec.get("containers") or ()), *sidecars):
        for port in container.get("ports") or ():
            if port.get("name") == target and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return None


def pod_addresses(pod: Obj, family: str) -> list[str]:
    """Return the pod's IPs of a family (IPv4 or IPv6)."""
    status = pod.get("status") or {}
    ips = [str(entry.get("ip", "")) for entry in status.get("podIPs") or ()] or [str(status.get("podIP") or "")]
    return [ip for ip in ips if ip and (":" in ip) == (family == "IPv6")]


def target_reference(pod: Obj) -> Obj:
    """Return the reference from an endpoint to its pod."""
    return {"kind": "Pod", "namespace": namespace_of(pod), "name": name_of(pod), "uid": uid_of(pod)}


def hostname_of(pod: Obj, service: Obj) -> str:
    """Return the pod's name in the Service's DNS zone, empty when it has none."""
    spec = pod.get("spec") or {}
    return str(spec.get("hostname") or "") if spec.get("subdomain") == name_of(service) else ""


def trigger_time(service: Obj, pods: Iterable[Obj]) -> str:
    """Return the latest moment that can have caused a change: readiness of a pod, creation of the Service."""
    times = [str(metadata(service).get("creationTimestamp") or "")]
    for pod in pods:
        condition = condition_of(pod, "Ready")
        if condition is not None:
            times.append(str(condition.get("lastTransitionTime") or ""))
    return max((text for text in times if text), key=seconds_of, default="")
