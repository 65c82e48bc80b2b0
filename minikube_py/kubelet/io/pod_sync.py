"""One look at one pod: observe, decide, write the status, act; then say when to look again.

The rules are in pod_actions, pod_status and restart_backoff; this is the order in which they are asked and what is
done with the answers. Upstream: Kubelet.SyncPod, kuberuntime SyncPod, syncTerminatingPod.
"""

import logging
from dataclasses import dataclass, replace

from minikube_py.api.errors import StatusError
from minikube_py.api.meta import parse_time
from minikube_py.kit.backoff import BackoffPolicy, next_backoff
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.container_status import WaitingReason
from minikube_py.kubelet.cri import ContainerPhase, ContainerRuntimeError
from minikube_py.kubelet.downward import PodFacts
from minikube_py.kubelet.io.container_killer import ContainerKiller
from minikube_py.kubelet.io.container_starter import ContainerStarter
from minikube_py.kubelet.io.interrupt import InterruptedByStopError
from minikube_py.kubelet.io.node_admission import NodeAdmission
from minikube_py.kubelet.io.node_knowledge import NodeKnowledge
from minikube_py.kubelet.io.pod_cgroups import PodCgroups
from minikube_py.kubelet.io.pod_observer import PodObserver
from minikube_py.kubelet.io.pod_resizer import PodResizer
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.io.pod_terminator import PodTerminator
from minikube_py.kubelet.io.prober import Prober
from minikube_py.kubelet.io.sandbox_starter import Ground, GroundError, SandboxStarter
from minikube_py.kubelet.io.status_writer import StatusWriter
from minikube_py.kubelet.io.volume_preparer import VolumePreparer
from minikube_py.kubelet.pod_actions import ContainerKill, KillReason, PodActions, compute_pod_actions
from minikube_py.kubelet.pod_conditions import resize_conditions
from minikube_py.kubelet.pod_status import TERMINAL, PodFailure, StatusFacts, generate_pod_status
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.kubelet.restart_backoff import back_off_message, judge_restart
from minikube_py.kubelet.security import wants_apparmor
from minikube_py.kubelet.sysctls import FORBIDDEN, check_sysctls
from minikube_py.kubelet.volumes import VolumeError

log = logging.getLogger("kubelet")

ROUNDS_MAX = 8
"""Looks in one step; a pod that is not settled then is looked at again in the next one."""
ADMISSION_RETRY_S = 0.1
"""Until the node knows itself as the API has it."""
APPARMOR_ENABLED = "/sys/module/apparmor/parameters/enabled"
DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"


@dataclass(frozen=True, slots=True)
class SyncTools:
    """The parts that act."""

    observer: PodObserver
    sandboxes: SandboxStarter
    containers: ContainerStarter
    killer: ContainerKiller
    terminator: PodTerminator
    volumes: VolumePreparer
    prober: Prober
    resizer: PodResizer
    statuses: StatusWriter
    node: NodeKnowledge
    cgroups: PodCgroups
    admission: NodeAdmission


class PodSync:
    """One for the kubelet; `step` is called by each pod's worker."""

    def __init__(self, config: KubeletConfig, ports: KubeletPorts, tools: SyncTools) -> None:
        self._config = config
        self._ports = ports
        self._tools = tools
        self._retry = BackoffPolicy(config.retry_initial_s, config.retry_max_s, 2 * config.retry_max_s)
        self._volume_retry = BackoffPolicy(
            config.retry_initial_s, config.volume_retry_max_s, 2 * config.volume_retry_max_s
        )

    async def step(self, state: PodState) -> float:
        """Do what is to be done for a pod now; return in how many seconds to look again unless woken."""
        try:
            if state.must_stop:
                await self._terminate(state)
                return 0.0
            delay_s = self._config.sync_frequency_s if state.over else await self._sync(state)
        except InterruptedByStopError:
            return 0.0
        except GroundError as error:
            self._record(state, "Warning", error.reason, error.message)
            return self._retry_later(state, error.reason == "FailedMount")
        except (ContainerRuntimeError, OSError, StatusError) as error:
            state.status_is_current = False
            log.warning("pod %s: %s", state.pod.key, error)
            if state.must_stop and isinstance(error, ContainerRuntimeError):
                self._record(state, "Warning", "FailedKillPod", f"error killing pod: {error.message}")
            return self._retry_later(state, False)
        return delay_s

    def _retry_later(self, state: PodState, for_volumes: bool) -> float:
        now_s = self._ports.clock.now_s()
        if for_volumes:
            state.volume_failures = next_backoff(self._volume_retry, state.volume_failures, now_s)
            return state.volume_failures.delay_s
        state.sync_failures = next_backoff(self._retry, state.sync_failures, now_s)
        return state.sync_failures.delay_s

    def _record(self, state: PodState, kind: str, reason: str, message: str, field_path: str = "") -> None:
        self._ports.recorder.record(
            state.pod.involved, "Normal" if kind == "Normal" else "Warning", reason, message, field_path
        )

    # A pod that is to run.

    async def _sync(self, state: PodState) -> float:
        for _ in range(ROUNDS_MAX):
            await self._tools.observer.observe(state)
            if state.must_stop:
                return 0.0
            if self._tools.statuses.latest(state.pod).get("phase") in TERMINAL:
                await self._finish(state)
                return self._config.sync_frequency_s
            if not self._tools.admission.admit(state):
                return ADMISSION_RETRY_S
            self._tools.prober.follow(state)
            self._check_deadline(state)
            await self._check_host(state)
            self._tools.resizer.decide(state)
            actions = compute_pod_actions(state.pod, state.status, self._tools.prober.lookup(state.pod.uid))
            await self._write_status(state, ended=False)
            over = state.failure is not None or (actions.kill_pod and not actions.create_sandbox)
            if over:
                await self._finish(state)
            if over or state.blocked is not None:
                return self._config.sync_frequency_s
            retry_s = await self._act(state, actions)
            if retry_s is not None:
                return retry_s
        return 0.0

    def _facts(self, state: PodState) -> PodFacts:
        return PodFacts(self._config.node_ip, state.pod_ip, self._tools.node.allocatable)

    def _check_deadline(self, state: PodState) -> None:
        deadline_s = state.pod.active_deadline_s
        if deadline_s is None or state.failure is not None:
            return
        if self._ports.clock.wall_s() >= self._start_time_s(state) + deadline_s:
            state.failure = PodFailure("DeadlineExceeded", DEADLINE_MESSAGE)
            self._record(state, "Normal", "DeadlineExceeded", DEADLINE_MESSAGE)

    async def _check_host(self, state: PodState) -> None:
        """Refuse what this host cannot or may not do for a pod that has not begun."""
        if state.failure is not None or state.status.containers:
            return
        why = check_sysctls(state.pod, self._config.allowed_unsafe_sysctls)
        if why:
            state.failure = PodFailure(FORBIDDEN, f"Pod was rejected: {why}")
            self._record(state, "Warning", FORBIDDEN, why)
        state.blocked = None
        if wants_apparmor(state.pod):
            enabled = await self._ports.files.read_file(APPARMOR_ENABLED, 8)
            if not enabled.startswith("Y"):
                state.blocked = PodFailure("AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host")
                for container in state.pod.all_containers:
                    state.waiting[container.name] = WaitingReason("Blocked", "")

    def _start_time_s(self, state: PodState) -> float:
        known = self._tools.statuses.latest(state.pod).get("startTime")
        return parse_time(known) if known else state.started_at_s

    async def _write_status(self, state: PodState, *, ended: bool) -> None:
        facts = StatusFacts(
            host_ip=self._config.node_ip,
            pod_ip=state.pod_ip,
            now_wall_s=self._ports.clock.wall_s(),
            start_time_s=state.started_at_s,
            previous=self._tools.statuses.latest(state.pod),
            waiting=dict(state.waiting),
            failure=state.failure,
            blocked=state.blocked,
            resize=resize_conditions(
                state.resize_pending.reason,
                state.resize_pending.message,
                in_progress=state.resizing,
                error=state.resize_error,
            ),
            ended=ended,
        )
        lookup = self._tools.prober.lookup(state.pod.uid)
        await self._tools.statuses.put(state.pod, generate_pod_status(state.pod, state.status, lookup, facts))

    async def _act(self, state: PodState, actions: PodActions) -> float | None:
        """Carry a plan out; None when the pod must be looked at again at once, else when."""
        if actions.create_sandbox:
            await self._replace_sandbox(state, actions)
        for kill in actions.containers_to_kill:
            await self._tools.killer.kill(state, kill, self._kill_grace_s(state, kill))
            state.status_is_current = False
        await self._ensure_ground(state)
        resized = await self._tools.resizer.apply(state)
        delay_s, acted = self._config.sync_frequency_s, resized or bool(actions.containers_to_kill)
        for container in actions.to_start:
            wait_s = await self._start(state, container, actions)
            acted = acted or wait_s is None
            delay_s = min(delay_s, delay_s if wait_s is None else wait_s)
        if acted:
            return None
        state.sync_failures = state.sync_failures if actions.to_start else None
        return self._next_look_s(state, delay_s)

    def _next_look_s(self, state: PodState, delay_s: float) -> float:
        if state.pod.active_deadline_s is not None:
            ends_at_s = self._start_time_s(state) + state.pod.active_deadline_s
            delay_s = min(delay_s, max(ends_at_s - self._ports.clock.wall_s(), 0.05))
        # Pods that were made together must not all be looked at together for ever.
        jitter = 1.0 + 0.5 * self._ports.random() if delay_s >= self._config.sync_frequency_s else 1.0
        return delay_s * jitter

    def _kill_grace_s(self, state: PodState, kill: ContainerKill) -> float:
        container = state.pod.container(kill.container.name)
        probe = None
        if container is not None and kill.reason is KillReason.LIVENESS:
            probe = container.liveness
        elif container is not None and kill.reason is KillReason.STARTUP:
            probe = container.startup
        if probe is not None and probe.termination_grace_s is not None:
            return probe.termination_grace_s
        return state.pod.termination_grace_s

    async def _replace_sandbox(self, state: PodState, actions: PodActions) -> None:
        if actions.attempt:
            self._record(state, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
        if actions.kill_pod:
            await self._tools.terminator.kill_containers(state, state.pod.termination_grace_s)
            await self._tools.terminator.stop_sandboxes(state)
            await self._write_status(state, ended=False)
            state.status_is_current = False
        await self._tools.cgroups.ensure(state.pod)
        ground = await self._start_sandbox(state, actions.attempt)
        # What was just made is known without asking for it.
        state.started.add(ground.sandbox.id)
        state.status = replace(state.status, sandboxes=(ground.sandbox, *state.status.sandboxes))

    async def _start_sandbox(self, state: PodState, attempt: int) -> Ground:
        state.starts_sandbox = True
        try:
            return await self._tools.sandboxes.start(state, attempt, self._facts(state), self._tools.node.traits)
        except BaseException:
            state.status_is_current = False  # there may be one that is not known
            raise
        finally:
            state.starts_sandbox = False

    async def _ensure_ground(self, state: PodState) -> None:
        """Connect a sandbox that has no network yet, and set up or refresh volumes."""
        sandbox = state.status.sandbox
        if sandbox is not None and sandbox.ready and not state.pod_ip:
            await self._tools.sandboxes.connect(state, sandbox)
        age_s = self._ports.clock.now_s() - state.volumes_checked_at_s
        if state.volumes_ready and not state.volumes_stale and age_s < self._config.sync_frequency_s * 0.9:
            return
        state.volumes_stale = False
        try:
            await self._tools.sandboxes.prepare_volumes(state, self._facts(state))
        except VolumeError as error:
            if not state.volumes_ready:
                raise GroundError("FailedMount", str(error)) from error
            # What runs goes on with what it has; the next look tries again.
            state.volumes_checked_at_s = self._ports.clock.now_s()
            self._record(state, "Warning", "FailedMount", str(error))
        else:
            state.volume_failures = None

    async def _start(self, state: PodState, container: Container, actions: PodActions) -> float | None:
        """Start a container if its back-off allows it; None when it was started, else when to try again."""
        wait_s = self._back_off(state, container)
        if wait_s is not None:
            return wait_s
        sandbox = state.status.sandbox
        if sandbox is None:
            return self._retry_later(state, False)
        failure = await self._tools.containers.start(
            state, container, sandbox.id, self._facts(state), self._tools.node.traits
        )
        if failure is None:
            state.waiting.pop(container.name, None)
            return None
        state.status_is_current = False
        state.waiting[container.name] = failure
        await self._tools.observer.observe(state)
        await self._write_status(state, ended=False)
        return self._failed_start_delay_s(state, container)

    def _failed_start_delay_s(self, state: PodState, container: Container) -> float:
        delay_s = self._retry_later(state, False)
        pull = min((b.ready_at_s() for b in state.pulls.values()), default=None)
        if pull is not None and container.name in state.waiting:
            return max(min(pull - self._ports.clock.now_s(), self._config.sync_frequency_s), delay_s)
        return delay_s

    def _back_off(self, state: PodState, container: Container) -> float | None:
        newest = state.status.newest(container.name)
        if newest is None or newest.phase is not ContainerPhase.EXITED:
            return None
        key = f"{container.name}/{container.hash}"
        now_s = self._ports.clock.wall_s()
        verdict = judge_restart(state.restarts.get(key), newest.finished_at_s or newest.created_at_s, now_s)
        state.restarts[key] = verdict.state
        if verdict.allowed:
            return None
        message = back_off_message(verdict.state, container.name, state.pod.full_name)
        before = state.waiting.get(container.name)
        state.waiting[container.name] = WaitingReason("CrashLoopBackOff", message)
        if before != state.waiting[container.name]:
            text = f"Back-off restarting failed container {container.name} in pod {state.pod.full_name}"
            self._record(state, "Warning", "BackOff", text, container.field_path)
            # Shown by the next look, which is at once.
            return 0.0
        return max(verdict.ready_at_s - now_s, 0.01)

    # A pod that is over, or is to be stopped.

    async def _finish(self, state: PodState) -> None:
        """Stop what a finished pod still has, and keep its records for logs."""
        if state.status.running:
            grace_s = state.failure_grace_s
            if grace_s is None:
                grace_s = self._tools.terminator.grace_s(state)
            await self._tools.terminator.kill_containers(state, grace_s)
            state.status_is_current = False
            await self._tools.observer.observe(state)
        self._tools.prober.drop(state.pod.uid)
        self._tools.resizer.forget(state.pod.uid)
        if self._tools.statuses.latest(state.pod).get("phase") not in TERMINAL or state.failure is not None:
            await self._write_status(state, ended=True)
        had_ground = any(sandbox.ready for sandbox in state.status.sandboxes)
        await self._tools.terminator.stop_sandboxes(state)
        if had_ground:
            state.status_is_current = False
            await self._tools.observer.observe(state)
            await self._write_status(state, ended=state.failure is not None)
        self._tools.volumes.release(state.pod)
        await self._tools.terminator.remove_files(state, self._tools.node.traits.cgroup_driver)
        state.over = True

    async def _terminate(self, state: PodState) -> None:
        terminator = self._tools.terminator
        self._tools.prober.follow(state)
        await self._tools.observer.observe(state)
        if state.status.running:
            await terminator.withdraw_endpoint(state)
            await terminator.kill_containers(state, terminator.grace_s(state))
            state.status_is_current = False
            await self._tools.observer.observe(state)
        self._tools.prober.drop(state.pod.uid)
        self._tools.resizer.forget(state.pod.uid)
        if not state.removed:
            await self._write_status(state, ended=True)
        await terminator.wait_unreachable(state)
        await terminator.stop_sandboxes(state)
        await self._clean_up(state)
        # Nothing is left on the host by now, however long the API server takes.
        if not state.removed:
            await self._tools.statuses.wait_written(state.pod.uid)
        await terminator.delete_object(state)
        self._tools.statuses.forget(state.pod.uid)
        state.ended = True

    async def _clean_up(self, state: PodState) -> None:
        await self._tools.terminator.remove_records(state)
        self._tools.volumes.release(state.pod)
        # Cgroups can go only after the last container.
        await self._tools.terminator.remove_files(state, self._tools.node.traits.cgroup_driver)
