"""In-place resize: what a pod was given, whether what it asks for now fits, and which containers must be changed.

A resize through pods/resize changes the spec at once; the node decides. Until it does, the pod goes on with what was
allocated, which its status shows (`allocatedResources`, `resources`), so that a restarted kubelet knows it too.

- More than the node could ever give: PodResizePending, reason Infeasible.
- More than is free now: PodResizePending, reason Deferred; asked again at each look.
- Else the new values are allocated, PodResizeInProgress holds until every running container has them: by an update of
  the container, or by a restart of it where its resizePolicy says RestartContainer for what changed.

Upstream: kubelet/allocation, kuberuntime computePodResizeAction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from minikube_py.api.meta import Obj
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.cri import ContainerPhase, ContainerRecord, ContainerResources
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_resources import pod_requests, whole
from minikube_py.kubelet.pod_runtime_status import PodRuntimeStatus
from minikube_py.kubelet.pod_sources import is_static
from minikube_py.kubelet.resources import cpu_quota_us, cpu_shares, memory_bytes, milli_cpu

PENDING = "PodResizePending"
IN_PROGRESS = "PodResizeInProgress"


@dataclass(frozen=True, slots=True)
class Allocated:
    """What one container was given."""

    requests: Mapping[str, str]
    limits: Mapping[str, str]


Allocation = Mapping[str, Allocated]
"""Container name -> what it was given."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """CPU in thousandths and memory in bytes."""

    milli_cpu: int = 0
    memory_bytes: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        """Return the sum."""
        return Amounts(self.milli_cpu + other.milli_cpu, self.memory_bytes + other.memory_bytes)


@dataclass(frozen=True, slots=True)
class ResizeVerdict:
    """Whether a resize may be done now; `reason` is Deferred or Infeasible when not."""

    reason: Literal["", "Deferred", "Infeasible"] = ""
    message: str = ""


NO_RESIZE = ResizeVerdict()
"""Nothing waits."""


def allocation_of(pod: Pod) -> Allocation:
    """Return what a pod was given: as its status has it, else what its spec asks for."""
    status: Mapping[str, Any] = pod.object.get("status") or {}
    known: dict[str, Mapping[str, Any]] = {
        entry["name"]: entry
        for field in ("initContainerStatuses", "containerStatuses")
        for entry in status.get(field) or ()
        if entry.get("allocatedResources")
    }
    return {c.name: _allocated(c, known.get(c.name)) for c in pod.init_containers + pod.containers}


def _allocated(container: Container, entry: Mapping[str, Any] | None) -> Allocated:
    if entry is None:
        return Allocated(container.requests, container.limits)
    limits = (entry.get("resources") or {}).get("limits") or container.limits
    requests = {**container.requests, **{k: str(v) for k, v in entry["allocatedResources"].items()}}
    return Allocated(requests, {**container.limits, **{k: str(v) for k, v in limits.items()}})


def with_allocation(pod: Pod, allocation: Allocation) -> Pod:
    """Return the pod with what it was given in the place of what it asks for."""

    def given(container: Container) -> Container:
        allocated = allocation.get(container.name)
        if allocated is None:
            return container
        return replace(container, requests=allocated.requests, limits=allocated.limits)

    return replace(
        pod,
        containers=tuple(given(c) for c in pod.containers),
        init_containers=tuple(given(c) for c in pod.init_containers),
    )


def asks_for_other_resources(desired: Pod, allocation: Allocation) -> bool:
    """Return whether a pod asks for something else than it was given."""
    for container in desired.init_containers + desired.containers:
        allocated = allocation.get(container.name)
        if allocated is not None and _numbers(container) != _numbers(
            replace(container, requests=allocated.requests, limits=allocated.limits)
        ):
            return True
    return False


def _numbers(container: Container) -> tuple[int, ...]:
    requests, limits = container.requests, container.limits
    return (milli_cpu(requests), memory_bytes(requests), milli_cpu(limits), memory_bytes(limits))


def requested(pod: Pod) -> Amounts:
    """Return what a pod asks of the node."""
    amounts = pod_requests(pod)
    return Amounts(whole("cpu", amounts.get("cpu", 0)), whole("memory", amounts.get("memory", 0)))


def judge_resize(desired: Pod, used_by_others: Amounts, capacity: Amounts) -> ResizeVerdict:
    """Return whether the node can give a pod what it asks for now."""
    wanted = requested(desired)
    if is_static(desired):
        return ResizeVerdict("Infeasible", "In-place resize of static-pods is not supported")
    rows = (
        ("cpu", wanted.milli_cpu, used_by_others.milli_cpu, capacity.milli_cpu),
        ("memory", wanted.memory_bytes, used_by_others.memory_bytes, capacity.memory_bytes),
    )
    for name, amount, _, most in rows:
        if amount > most:
            words = f"Node didn't have enough capacity: {name}, requested: {amount}, capacity: {most}"
            return ResizeVerdict("Infeasible", words)
    for name, amount, used, most in rows:
        if amount + used > most:
            words = f"Node didn't have enough resource: {name}, requested: {amount}, used: {used}, capacity: {most}"
            return ResizeVerdict("Deferred", words)
    return ResizeVerdict()


@dataclass(frozen=True, slots=True)
class ResizePlan:
    """Which running containers get other numbers, and which are started anew with them."""

    updates: tuple[tuple[ContainerRecord, ContainerResources], ...] = ()
    restarts: tuple[ContainerRecord, ...] = ()

    @property
    def is_done(self) -> bool:
        """Return whether every running container has what it was given."""
        return not self.updates and not self.restarts


def compute_resizes(
    pod: Pod, status: PodRuntimeStatus, wanted: Callable[[Container], ContainerResources]
) -> ResizePlan:
    """Return what must be done so that running containers have what the pod was given.

    Args:
        pod: the pod, with its allocation.
        status: what runs, with the numbers that it has.
        wanted: the runtime's numbers for a container.
    """
    updates: list[tuple[ContainerRecord, ContainerResources]] = []
    restarts: list[ContainerRecord] = []
    for container in pod.init_containers + pod.containers:
        run = status.newest(container.name)
        if run is None or run.phase is not ContainerPhase.RUNNING or run.resources is None:
            continue
        numbers = wanted(container)
        changed = _changed(run.resources, numbers)
        if changed & container.restart_on_resize:
            restarts.append(run)
        elif changed:
            updates.append((run, numbers))
    return ResizePlan(tuple(updates), tuple(restarts))


def _changed(has: ContainerResources, wanted: ContainerResources) -> frozenset[str]:
    found = set()
    if (has.cpu_shares, has.cpu_quota_us) != (wanted.cpu_shares, wanted.cpu_quota_us):
        found.add("cpu")
    if has.memory_limit_bytes != wanted.memory_limit_bytes:
        found.add("memory")
    return frozenset(found)


def shown_resources(container: Container, run: ContainerRecord | None) -> Obj:
    """Return `resources` of a container's status: what it was given, corrected by what a running one really has."""
    limits, requests = dict(container.limits), dict(container.requests)
    has = run.resources if run is not None and run.phase is ContainerPhase.RUNNING else None
    if has is not None:
        request = milli_cpu(requests) if "cpu" in requests else milli_cpu(limits)
        if request and has.cpu_shares and has.cpu_shares != cpu_shares(request):
            requests["cpu"] = f"{round(has.cpu_shares * 1000 / 1024)}m"
        if has.cpu_quota_us and has.cpu_quota_us != cpu_quota_us(milli_cpu(limits)):
            limits["cpu"] = f"{has.cpu_quota_us * 1000 // has.cpu_period_us}m"
        if has.memory_limit_bytes and has.memory_limit_bytes != memory_bytes(limits):
            limits["memory"] = str(has.memory_limit_bytes)
    shown: Obj = {}
    if limits:
        shown["limits"] = limits
    if requests:
        shown["requests"] = requests
    return shown


def resize_event(word: str, pod: Pod, error: str = "") -> str:
    """Return the message of a resize's event: what is asked for, as JSON."""
    containers = [
        {"name": c.name, "resources": _without_empty({"limits": dict(c.limits), "requests": dict(c.requests)})}
        for c in pod.init_containers + pod.containers
        if c.limits or c.requests
    ]
    detail: Obj = {"containers": containers, "generation": pod.generation}
    if error:
        detail["error"] = error
    return f"Pod resize {word}: {orjson.dumps(detail, option=orjson.OPT_SORT_KEYS).decode()}"


def _without_empty(values: Mapping[str, Any]) -> Obj:
    return {key: value for key, value in values.items() if value}
