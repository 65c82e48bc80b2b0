"""What to do next for a pod: which sandbox, which containers to kill, which to start.

The one decision of the pod worker, made anew from what is observed each time. Rules, in order:

1. No usable sandbox (none, dead, two at once, or the wrong network): everything is killed and a sandbox of the next
   attempt is made, unless there is nothing left to run in it. Init containers then run again.
2. Init containers one by one, each to its end with exit code 0; sidecars until they have started.
3. A regular container that does not run is started when the restart policy says so; one that runs is killed when its
   definition changed or a liveness or startup probe gave it up.
4. Nothing runs and nothing will: the pod is over (`kill_pod`).

Back-off is not asked here: the worker asks it for each container before the start. Upstream: kuberuntime
computePodActions and computeInitContainerActions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from minikube_py.kubelet.container import Container
from minikube_py.kubelet.cri import ContainerPhase, ContainerRecord, SandboxId
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_runtime_status import CONTAINER_HASH, PodRuntimeStatus
from minikube_py.kubelet.probes import ProbeKind, ProbeResult

ProbeLookup = Callable[[ContainerRecord, ProbeKind], ProbeResult]
"""The last result of a probe for this very run of a container."""


KILLED = 137
"""The exit code that a container which a probe gave up is taken to have had."""


class KillReason(Enum):
    """Why a running container is stopped."""

    POD_KILLED = "pod_killed"
    CHANGED = "changed"
    LIVENESS = "liveness"
    STARTUP = "startup"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ContainerKill:
    """One container to stop, and what the Killing event says."""

    container: ContainerRecord
    reason: KillReason
    message: str


@dataclass(frozen=True, slots=True)
class PodActions:
    """The plan for one sync of a pod."""

    kill_pod: bool = False
    create_sandbox: bool = False
    sandbox_id: SandboxId | None = None
    """The sandbox to use, or the one that is given up."""
    attempt: int = 0
    init_containers_to_start: tuple[Container, ...] = ()
    ephemeral_containers_to_start: tuple[Container, ...] = ()
    containers_to_start: tuple[Container, ...] = ()
    containers_to_kill: tuple[ContainerKill, ...] = ()

    @property
    def to_start(self) -> tuple[Container, ...]:
        """Return all containers to start: ephemeral, init, regular."""
        return self.ephemeral_containers_to_start + self.init_containers_to_start + self.containers_to_start


def compute_pod_actions(pod: Pod, status: PodRuntimeStatus, probe: ProbeLookup) -> PodActions:
    """Return what to do for a pod that is neither deleted nor over."""
    changed, attempt = _sandbox_changed(pod, status)
    if changed:
        return _with_new_sandbox(pod, status, attempt)
    sandbox = status.sandbox
    assert sandbox is not None
    ephemeral = tuple(c for c in pod.ephemeral_containers if status.newest(c.name) is None)
    init = _init_actions(pod, status, probe)
    if init.kill_pod or not init.initialized:
        return PodActions(
            kill_pod=init.kill_pod,
            sandbox_id=sandbox.id,
            attempt=attempt,
            ephemeral_containers_to_start=() if init.kill_pod else ephemeral,
            init_containers_to_start=init.to_start,
            containers_to_kill=init.to_kill,
        )
    start, kill, kept = _regular_actions(pod, status, probe)
    if not kept and not start:
        return PodActions(kill_pod=True, sandbox_id=sandbox.id, attempt=attempt, containers_to_kill=kill)
    return PodActions(
        sandbox_id=sandbox.id,
        attempt=attempt,
        ephemeral_containers_to_start=ephemeral,
        init_containers_to_start=init.to_start,
        containers_to_start=start,
        containers_to_kill=init.to_kill + kill,
    )


def should_restart(pod: Pod, container: Container, run: ContainerRecord | None) -> bool:
    """Return whether a container that does not run should be started (upstream: ShouldContainerBeRestarted)."""
    if run is None or run.phase in (ContainerPhase.CREATED, ContainerPhase.UNKNOWN):
        return True
    if run.phase is ContainerPhase.RUNNING:
        return False
    return container.restarts_after(run.exit_code, pod.restart_policy)


def _sandbox_changed(pod: Pod, status: PodRuntimeStatus) -> tuple[bool, int]:
    sandbox = status.sandbox
    if sandbox is None:
        return True, 0
    ready = sum(1 for s in status.sandboxes if s.ready)
    if ready > 1 or not sandbox.ready or sandbox.host_network != pod.host_network:
        return True, sandbox.attempt + 1
    return False, sandbox.attempt


def _with_new_sandbox(pod: Pod, status: PodRuntimeStatus, attempt: int) -> PodActions:
    old = status.sandbox
    over = PodActions(kill_pod=True, sandbox_id=old.id if old else None, attempt=attempt)
    if attempt and status.containers and not _may_run_again(pod):
        return over
    start = tuple(c for c in pod.containers if not _is_done(pod, c, status.newest(c.name)))
    if not start and any(status.newest(c.name) for c in pod.containers):
        return over
    return PodActions(
        kill_pod=old is not None or bool(status.containers),
        create_sandbox=True,
        sandbox_id=old.id if old else None,
        attempt=attempt,
        init_containers_to_start=pod.init_containers[:1],
        containers_to_start=() if pod.init_containers else start,
    )


def _may_run_again(pod: Pod) -> bool:
    """Return whether any regular container may be started a second time; else a pod that lost its sandbox is over."""
    return pod.restart_policy != "Never" or any(
        c.restart_rules or c.restart_policy in ("Always", "OnFailure") for c in pod.containers
    )


def _is_done(pod: Pod, container: Container, run: ContainerRecord | None) -> bool:
    """Return whether a container has ended for good."""
    if run is None or run.phase is not ContainerPhase.EXITED:
        return False
    return not container.restarts_after(run.exit_code, pod.restart_policy)


@dataclass(frozen=True, slots=True)
class _InitPlan:
    initialized: bool
    kill_pod: bool = False
    to_start: tuple[Container, ...] = ()
    to_kill: tuple[ContainerKill, ...] = ()


def _init_actions(pod: Pod, status: PodRuntimeStatus, probe: ProbeLookup) -> _InitPlan:
    start: list[Container] = []
    kill: list[ContainerKill] = []
    regular_exists = any(status.newest_in_sandbox(c.name) for c in pod.containers)
    for index, container in enumerate(pod.init_containers):
        later_exists = regular_exists or any(
            status.newest_in_sandbox(c.name) for c in pod.init_containers[index + 1 :]
        )
        run = status.newest_in_sandbox(container.name)
        if container.is_sidecar:
            waits = _judge_sidecar(container, run, probe, start, kill)
            if waits and not later_exists:
                return _InitPlan(initialized=False, to_start=tuple(start), to_kill=tuple(kill))
        elif not regular_exists:
            if run is None or run.phase in (ContainerPhase.CREATED, ContainerPhase.UNKNOWN):
                if later_exists:
                    continue
                start.append(container)
            elif run.phase is ContainerPhase.EXITED:
                if run.exit_code == 0:
                    continue
                if not container.restarts_after(run.exit_code, pod.restart_policy):
                    return _InitPlan(initialized=False, kill_pod=True)
                start.append(container)
            return _InitPlan(initialized=False, to_start=tuple(start), to_kill=tuple(kill))
    return _InitPlan(initialized=True, to_start=tuple(start), to_kill=tuple(kill))


def _judge_sidecar(
    container: Container,
    run: ContainerRecord | None,
    probe: ProbeLookup,
    start: list[Container],
    kill: list[ContainerKill],
) -> bool:
    """Add what a sidecar needs; return whether the containers after it must wait for it."""
    if run is None or run.phase is not ContainerPhase.RUNNING:
        start.append(container)
        return True
    verdict = _kill_verdict(container, run, probe)
    if verdict is not None:
        kill.append(verdict)
        start.append(container)
        return True
    return container.startup is not None and probe(run, "startup") is not ProbeResult.SUCCESS


def _regular_actions(
    pod: Pod, status: PodRuntimeStatus, probe: ProbeLookup
) -> tuple[tuple[Container, ...], tuple[ContainerKill, ...], int]:
    start: list[Container] = []
    kill: list[ContainerKill] = []
    kept = 0
    for container in pod.containers:
        run = status.newest(container.name)
        if run is None or run.phase is not ContainerPhase.RUNNING:
            if should_restart(pod, container, run):
                start.append(container)
                if run is not None and run.phase is ContainerPhase.UNKNOWN:
                    kill.append(ContainerKill(run, KillReason.UNKNOWN, "Container is in an unknown state"))
            continue
        verdict = _kill_verdict(container, run, probe)
        if verdict is None:
            kept += 1
            continue
        if verdict.reason is KillReason.CHANGED or container.restarts_after(KILLED, pod.restart_policy):
            start.append(container)
            verdict = ContainerKill(run, verdict.reason, f"{verdict.message}, will be restarted")
        kill.append(verdict)
    return tuple(start), tuple(kill), kept


def _kill_verdict(container: Container, run: ContainerRecord, probe: ProbeLookup) -> ContainerKill | None:
    if run.annotations.get(CONTAINER_HASH, container.hash) != container.hash:
        return ContainerKill(run, KillReason.CHANGED, f"Container {container.name} definition changed")
    if probe(run, "liveness") is ProbeResult.FAILURE:
        return ContainerKill(run, KillReason.LIVENESS, f"Container {container.name} failed liveness probe")
    if probe(run, "startup") is ProbeResult.FAILURE:
        return ContainerKill(run, KillReason.STARTUP, f"Container {container.name} failed startup probe")
    return None
