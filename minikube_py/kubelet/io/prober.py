"""Runs the probes of all pods: one task for each (container, kind), results that the workers look up.

The rules are in probes.py; this is when they are asked and how a try is made. After a restart of the kubelet a
container that the API holds as ready (started) stays so until its probe says otherwise, so that Services do not stop
answering, and first tries are spread over one period. Upstream: kubelet/prober prober_manager.go, worker.go.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.container_status import CONTAINER_ID_PREFIX
from minikube_py.kubelet.cri import ContainerId, ContainerRecord, ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.handlers import (
    ExecAction,
    GrpcAction,
    Handler,
    HttpGetAction,
    Probe,
    SleepAction,
    TcpSocketAction,
)
from minikube_py.kubelet.hooks import hook_url
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.pod_actions import ProbeLookup
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.kubelet.probes import (
    INITIAL_RESULT,
    PROBE_KINDS,
    ProbeKind,
    ProbeOutcome,
    ProbeResult,
    ProbeState,
    ProbeStep,
    initial_state,
    observe,
    probe_event,
    record,
)

log = logging.getLogger("kubelet")

TRIES_MAX = 3
"""A probe that could not be made at all is tried again this often in the same period."""

_RESULT_LABELS = {
    ProbeResult.SUCCESS: "successful",
    ProbeResult.FAILURE: "failed",
    ProbeResult.UNKNOWN: "unknown",
}
_Key = tuple[str, ProbeKind]


class _PodProbes:
    """The probe tasks of one pod."""

    def __init__(self, state: PodState) -> None:
        self.state = state
        self.results: dict[_Key, ProbeState] = {}
        self.tasks: dict[_Key, asyncio.Task[None]] = {}
        self.kicks: dict[_Key, asyncio.Event] = {}
        self.exec_locks: dict[str, asyncio.Lock] = {}
        self.seen: dict[str, tuple[ContainerId, bool]] = {}
        self.counts: Counter[tuple[str, str, str]] = Counter()


def probe_of(container: Container, kind: ProbeKind) -> Probe | None:
    """Return a container's probe of one kind."""
    by_kind = {"startup": container.startup, "liveness": container.liveness, "readiness": container.readiness}
    return by_kind[kind]


class Prober:
    """One for the kubelet; its tasks live in the group given to `begin`."""

    def __init__(self, ports: KubeletPorts, exec_parallel: int, version: str) -> None:
        self._ports = ports
        self._clock: Clock = ports.clock
        self._exec_slots = asyncio.Semaphore(exec_parallel)
        self._user_agent = f"kube-probe/{version}"
        self._pods: dict[str, _PodProbes] = {}
        self._group: asyncio.TaskGroup | None = None
        self._began_s = self._clock.now_s()

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Run probes in `group` from now on."""
        self._group = group

    def lookup(self, uid: str) -> ProbeLookup:
        """Return how the probes of a pod stand."""
        pod = self._pods.get(uid)

        def result(run: ContainerRecord, kind: ProbeKind) -> ProbeResult:
            state = pod.results.get((run.name, kind)) if pod is not None else None
            if state is None or state.container_id != run.id:
                return INITIAL_RESULT[kind]
            return state.result

        return result

    def follow(self, state: PodState) -> None:
        """Run the probes that the pod has; tell those whose container changed."""
        pod = self._pods.get(state.pod.uid)
        if pod is None or pod.state is not state:
            pod = self._pods[state.pod.uid] = _PodProbes(state)
        for container in state.pod.init_containers + state.pod.containers:
            for kind in PROBE_KINDS:
                if probe_of(container, kind) is not None and (container.name, kind) not in pod.tasks:
                    self._start(pod, container, kind)
            self._kick_if_changed(pod, container)

    def _kick_if_changed(self, pod: _PodProbes, container: Container) -> None:
        run = pod.state.status.newest(container.name)
        if run is None:
            return
        now = (run.id, run.finished_at_s == 0)
        if pod.seen.get(container.name) != now:
            pod.seen[container.name] = now
            self._kick(pod, container.name)

    def _kick(self, pod: _PodProbes, name: str) -> None:
        for (container, _), kick in pod.kicks.items():
            if container == name:
                kick.set()

    def counts(self) -> Mapping[tuple[str, ...], int]:
        """Return how many probes of the present pods ended how: (kind, result, container, pod, namespace, uid)."""
        counted: dict[tuple[str, ...], int] = {}
        for uid, pod in self._pods.items():
            key = pod.state.pod.key
            for labels, count in pod.counts.items():
                counted[(*labels, key.name, key.namespace, uid)] = count
        return counted

    def drop(self, uid: str) -> None:
        """Stop the probes of a pod and forget their results."""
        pod = self._pods.pop(uid, None)
        if pod is not None:
            for task in pod.tasks.values():
                task.cancel()

    def _start(self, pod: _PodProbes, container: Container, kind: ProbeKind) -> None:
        assert self._group is not None, "begin comes first"
        key = (container.name, kind)
        pod.results[key] = self._seed(pod.state, container, kind)
        pod.kicks[key] = asyncio.Event()
        name = f"probe-{pod.state.pod.key}-{container.name}-{kind}"
        pod.tasks[key] = self._group.create_task(self._probe_forever(pod, container.name, kind), name=name)

    def _seed(self, state: PodState, container: Container, kind: ProbeKind) -> ProbeState:
        initial = initial_state(kind)
        run = state.status.newest(container.name)
        if run is None:
            return initial
        known = state.pod.object.get("status") or {}
        for field in ("containerStatuses", "initContainerStatuses"):
            for entry in known.get(field) or ():
                if entry.get("containerID") != CONTAINER_ID_PREFIX + run.id:
                    continue
                passed = entry.get("started") if kind == "startup" else entry.get("ready")
                if passed and kind != "liveness":
                    return replace(initial, container_id=run.id, result=ProbeResult.SUCCESS)
        return initial

    async def _probe_forever(self, pod: _PodProbes, name: str, kind: ProbeKind) -> None:
        key = (name, kind)
        kick = pod.kicks[key]
        first = pod.state.pod.container(name)
        probe = probe_of(first, kind) if first is not None else None
        if (
            probe is not None
            and self._clock.now_s() - self._began_s < probe.period_s
            and pod.results[key].container_id
        ):
            await self._clock.sleep(self._ports.random() * probe.period_s)
        while True:
            kick.clear()
            container = pod.state.pod.container(name)
            probe = probe_of(container, kind) if container is not None else None
            if container is None or probe is None:
                return
            wait_s = await self._tick(pod, container, kind, probe)
            try:
                async with asyncio.timeout(wait_s):
                    await kick.wait()
            except TimeoutError:
                continue

    async def _tick(self, pod: _PodProbes, container: Container, kind: ProbeKind, probe: Probe) -> float:
        """Try the probe once if it is time; return how long to wait for the next tick."""
        key, state = (container.name, kind), pod.state
        run = state.status.newest(container.name)
        started = container.startup is None or (
            run is not None and self.lookup(state.pod.uid)(run, "startup") is ProbeResult.SUCCESS
        )
        before = pod.results[key]
        # What was so for another run says nothing of this one.
        shown = before.result if run is not None and before.container_id == run.id else INITIAL_RESULT[kind]
        now_s = self._clock.wall_s()
        after, step = observe(before, probe, run, started=started, deleting=state.must_stop, now_wall_s=now_s)
        pod.results[key] = after
        if step is ProbeStep.RUN and run is not None:
            outcome = await self._try(pod, container, run, probe)
            if pod.results[key].container_id == run.id:
                pod.results[key] = record(pod.results[key], probe, outcome)
            self._tell(pod, container, kind, outcome)
        if pod.results[key].result is not shown or pod.results[key].on_hold != before.on_hold:
            state.wake.set()
            if kind == "startup":
                self._kick(pod, container.name)
        if run is not None and step is ProbeStep.REST and not after.on_hold:
            until_s = run.started_at_s + probe.initial_delay_s - now_s
            if 0 < until_s < probe.period_s:
                return until_s
        return probe.period_s

    def _tell(self, pod: _PodProbes, container: Container, kind: ProbeKind, outcome: ProbeOutcome) -> None:
        pod.counts[kind.capitalize(), _RESULT_LABELS[outcome.result], container.name] += 1
        said = probe_event(kind, outcome)
        if said is not None:
            self._ports.recorder.record(pod.state.pod.involved, "Warning", *said, container.field_path)

    async def _try(self, pod: _PodProbes, container: Container, run: ContainerRecord, probe: Probe) -> ProbeOutcome:
        outcome = ProbeOutcome(ProbeResult.UNKNOWN)
        for _ in range(TRIES_MAX):
            outcome = await self._try_once(pod, container, run, probe)
            if outcome.result is not ProbeResult.UNKNOWN:
                break
        return outcome

    async def _try_once(
        self, pod: _PodProbes, container: Container, run: ContainerRecord, probe: Probe
    ) -> ProbeOutcome:
        handler: Handler = probe.handler
        match handler:
            case ExecAction():
                return await self._exec(pod, run, handler, probe.timeout_s)
            case HttpGetAction() | TcpSocketAction():
                if container.port_number(handler.port) is None:
                    words = f'strconv.Atoi: parsing "{handler.port}": invalid syntax'
                    return ProbeOutcome(ProbeResult.UNKNOWN, words)
                return await self._connect(pod.state.pod_ip, container, handler, probe.timeout_s)
            case GrpcAction():
                return await self._ports.probe_network.grpc_check(
                    pod.state.pod_ip, handler.port, handler.service, probe.timeout_s, self._user_agent
                )
            case SleepAction():
                return ProbeOutcome(ProbeResult.UNKNOWN, "missing probe handler")

    async def _connect(
        self, pod_ip: str, container: Container, handler: HttpGetAction | TcpSocketAction, timeout_s: float
    ) -> ProbeOutcome:
        if isinstance(handler, TcpSocketAction):
            port = container.port_number(handler.port) or 0
            return await self._ports.probe_network.tcp_connect(handler.host or pod_ip, port, timeout_s)
        url = hook_url(handler, pod_ip, container) or ""
        return await self._ports.probe_network.http_get(url, handler.headers, timeout_s, self._user_agent)

    async def _exec(
        self, pod: _PodProbes, run: ContainerRecord, handler: ExecAction, timeout_s: float
    ) -> ProbeOutcome:
        # One exec in a container at a time: more of them would queue up in a container that hangs.
        lock = pod.exec_locks.setdefault(run.name, asyncio.Lock())
        async with lock, self._exec_slots:
            try:
                result = await self._ports.runtime.exec_sync(run.id, handler.command, timeout_s)
            except ContainerRuntimeError as error:
                if error.kind is RuntimeErrorKind.TIMEOUT:
                    words = " ".join(handler.command)
                    return ProbeOutcome(
                        ProbeResult.FAILURE, f'command timed out: "{words}" timed out after {timeout_s:g}s'
                    )
                log.debug("exec probe of %s in pod %s: %s", run.name, pod.state.pod.key, error.message)
                return ProbeOutcome(ProbeResult.UNKNOWN, error.message)
        passed = result.exit_code == 0
        text = result.output.decode(errors="replace")
        return ProbeOutcome(ProbeResult.SUCCESS if passed else ProbeResult.FAILURE, text)
