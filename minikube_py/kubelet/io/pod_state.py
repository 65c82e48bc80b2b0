"""What one pod worker remembers of its pod between syncs; owned by that worker's task alone.

Everything here can be lost at any moment: after a restart it is rebuilt from the API and the runtime.
"""

import asyncio
from dataclasses import dataclass, field

from minikube_py.kit.backoff import BackoffState
from minikube_py.kubelet.container_status import WaitingReason
from minikube_py.kubelet.cri import ContainerId, ContainerResources, LinuxUser
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_resize import (
    IN_PROGRESS,
    NO_RESIZE,
    Allocated,
    Allocation,
    ResizeVerdict,
    allocation_of,
    with_allocation,
)
from minikube_py.kubelet.pod_runtime_status import EMPTY, PodRuntimeStatus
from minikube_py.kubelet.pod_status import PodFailure
from minikube_py.kubelet.restart_backoff import RestartBackoff


@dataclass(slots=True)
class PodState:
    """One pod's memory; the events are how other tasks reach its worker."""

    pod: Pod
    started_at_s: float
    """Wall clock: when this kubelet first saw the pod."""
    status: PodRuntimeStatus = EMPTY
    status_is_current: bool = False
    """Nothing of the pod can have changed in the runtime since `status` was read."""
    at_start: PodRuntimeStatus | None = None
    """What the runtime had of the pod when the kubelet started: the first look takes it and asks nothing."""
    started: set[str] = field(default_factory=set)
    """Sandboxes and containers that its worker started and that have not died since: their starts are no news."""
    starts_sandbox: bool = False
    """Its worker starts a sandbox, whose id is not known before it runs: starts are no news meanwhile."""
    pod_ip: str = ""
    messages: dict[ContainerId, str] = field(default_factory=dict)
    """What ended containers left in their termination logs; empty texts too, so that each file is read once."""
    users: dict[ContainerId, LinuxUser] = field(default_factory=dict)
    """Who the first process of each container is; does not change while it lives."""
    waiting: dict[str, WaitingReason] = field(default_factory=dict)
    restarts: dict[str, RestartBackoff] = field(default_factory=dict)
    pulls: dict[str, BackoffState] = field(default_factory=dict)
    pull_errors: dict[str, str] = field(default_factory=dict)
    sync_failures: BackoffState | None = None
    volume_failures: BackoffState | None = None
    volumes_ready: bool = False
    volumes_checked_at_s: float = 0.0
    volumes_stale: bool = False
    """Something that a volume shows has changed: it is brought up to date at the next look."""
    desired: Pod = field(init=False)
    """The pod as the API has it; `pod` has the resources that it was given."""
    allocated: Allocation = field(init=False)
    resizing: bool = False
    """Running containers may not have what the pod was given."""
    resize_pending: ResizeVerdict = NO_RESIZE
    resize_error: str = ""
    resize_tried: tuple[tuple[ContainerId, ContainerResources], ...] = ()
    """The updates of the last look: the same ones are not made again and again when they have no effect."""
    failure: PodFailure | None = None
    failure_grace_s: float | None = None
    """How long the containers of a pod that was given up have to end; None: as the pod says."""
    admitted: bool = False
    """The node has taken the pod; it is not asked again."""
    blocked: PodFailure | None = None
    removed: bool = False
    """The API has it no more."""
    over: bool = False
    """Terminal: nothing of it runs or will run, only its records are left."""
    ended: bool = False
    """Deleted and cleaned up; the worker ends."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the pod is to be stopped: interrupts pulls and hooks."""
    grace_changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a later delete shortened the grace period."""

    def __post_init__(self) -> None:
        """Give the pod what it has, or what it asks for."""
        self.desired = self.pod
        self.allocated = allocation_of(self.pod)
        self.pod = with_allocation(self.pod, self.allocated)
        conditions = (self.pod.object.get("status") or {}).get("conditions") or ()
        self.resizing = any(c["type"] == IN_PROGRESS for c in conditions)

    def allocate(self) -> None:
        """Give the pod what it asks for."""
        self.allocated = {
            c.name: Allocated(c.requests, c.limits) for c in self.desired.init_containers + self.desired.containers
        }
        self.pod = self.desired
        self.resizing = True

    @property
    def must_stop(self) -> bool:
        """Return whether the pod is to be stopped for good."""
        return self.removed or self.pod.is_deleting

    def note_runtime_change(self) -> None:
        """Note that the runtime may show something else by now, and wake the worker."""
        self.status_is_current = False
        self.at_start = None
        self.wake.set()

    def fail(self, failure: PodFailure, grace_s: float | None = None) -> None:
        """Give the pod up: what it is doing is interrupted, its containers are stopped."""
        self.failure = failure
        self.failure_grace_s = grace_s
        self.stop.set()
        self.wake.set()

    def take(self, pod: Pod) -> None:
        """Take over a newer object of the pod and wake the worker."""
        if (pod.labels, pod.annotations) != (self.pod.labels, self.pod.annotations):
            self.volumes_stale = True
        shorter = pod.deletion_grace_s != self.pod.deletion_grace_s
        self.desired = pod
        self.pod = with_allocation(pod, self.allocated)
        if pod.is_deleting:
            self.stop.set()
            if shorter:
                self.grace_changed.set()
        self.wake.set()

    def note_volume_change(self) -> None:
        """Note that a volume shows something old, and wake the worker."""
        self.volumes_stale = True
        self.wake.set()

    def note_removed(self) -> None:
        """Note that the API has the pod no more and wake the worker."""
        self.removed = True
        self.stop.set()
        self.grace_changed.set()
        self.wake.set()
