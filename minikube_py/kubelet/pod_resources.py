"""What a whole pod asks for and may use: its containers' amounts, pod-level resources, and overhead.

A pod's request is the larger of two moments: all containers and sidecars running, and the most hungry step of its
initialisation with the sidecars started before it. What `spec.resources` says wins for CPU, memory and huge pages.
Amounts are whole nanos, so that sums are exact.

Upstream: component-helpers/resource (PodRequests, PodLimits).
"""

from collections.abc import Callable, Mapping

from minikube_py.api.quantity import NANO, amounts_of
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.pod import Pod

Amounts = Mapping[str, int]
"""Resource name -> nanos."""


def is_pod_level(resource: str) -> bool:
    """Return whether a resource may stand in a pod's own `resources`."""
    return resource in ("cpu", "memory") or resource.startswith("hugepages-")


def _added(one: Amounts, other: Amounts) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _larger(one: Amounts, other: Amounts) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}


def _of_containers(pod: Pod, of: Callable[[Container], Mapping[str, str]]) -> dict[str, int]:
    sidecars: dict[str, int] = {}
    initialising: dict[str, int] = {}
    for container in pod.init_containers:
        step = _added(sidecars, amounts_of(of(container)))
        if container.is_sidecar:
            sidecars = step
        initialising = _larger(initialising, step)
    running = sidecars
    for container in pod.containers:
        running = _added(running, amounts_of(of(container)))
    return _larger(running, initialising)


def pod_requests(pod: Pod) -> dict[str, int]:
    """Return what the node must have free for the pod; a container's limit counts where it has no request."""
    total = _of_containers(pod, lambda container: {**container.limits, **container.requests})
    own = amounts_of({**pod.limits, **pod.requests})
    total.update({name: amount for name, amount in own.items() if is_pod_level(name)})
    return _added(total, amounts_of(pod.overhead))


def pod_limits(pod: Pod) -> dict[str, int]:
    """Return the sum of what its containers may use; a resource that only some of them limit is in it too."""
    total = _of_containers(pod, lambda container: container.limits)
    total.update({name: amount for name, amount in amounts_of(pod.limits).items() if is_pod_level(name)})
    overhead = amounts_of(pod.overhead)
    return {name: amount + overhead.get(name, 0) for name, amount in total.items()}


def is_limited(pod: Pod, resource: str) -> bool:
    """Return whether the pod as a whole is limited: by itself, or since each of its containers is."""
    if amounts_of(pod.limits).get(resource, 0) > 0:
        return True
    containers = pod.init_containers + pod.containers
    return all(amounts_of(container.limits).get(resource, 0) > 0 for container in containers)


def whole(resource: str, nano: int) -> int:
    """Return an amount as upstream counts it: CPU in thousandths, everything else in units, rounded up."""
    return -(-nano // 10**6) if resource == "cpu" else -(-nano // NANO)
