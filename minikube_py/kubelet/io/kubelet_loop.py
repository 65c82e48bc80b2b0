"""The kubelet of one node: wires its parts together and feeds the pods' workers.

Order of a start: the engine answers; the runtime is listed once; the network adopts what runs; then the API's pods
are known; and only then anything may be stopped. What runs goes on meanwhile, and is the same containers afterwards.
An orderly stop leaves containers running.

Runtime events are hints that a pod should be looked at; a listing every few seconds finds what they missed.
Upstream: kubelet.go syncLoop, pleg/generic.go.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client.registry import Collector

from minikube_py.api.meta import Obj, ObjectKey, format_micro_time, uid_of
from minikube_py.api.resources import PODS, SERVICES
from minikube_py.client.interface import Change, Selection
from minikube_py.kit.backoff import BackoffPolicy, BackoffState, next_backoff
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerPhase, ContainerRuntimeError, PodIdentity, RuntimeListing
from minikube_py.kubelet.io.claim_reader import ClaimReader
from minikube_py.kubelet.io.container_gc import ContainerGc, DeadContainersReclaim
from minikube_py.kubelet.io.container_killer import ContainerKiller
from minikube_py.kubelet.io.container_starter import ContainerStarter, StartTools
from minikube_py.kubelet.io.eviction_loop import EvictionLoop, EvictionTools
from minikube_py.kubelet.io.hook_runner import HookRunner
from minikube_py.kubelet.io.image_folder import ImageFolder
from minikube_py.kubelet.io.image_gc import ImageGc, ImageGcTools
from minikube_py.kubelet.io.image_puller import ImagePuller
from minikube_py.kubelet.io.image_sources import ImageSources
from minikube_py.kubelet.io.leftover_sweep import LeftoverSweep
from minikube_py.kubelet.io.local_path_provisioner import LocalPathProvisioner
from minikube_py.kubelet.io.node_admission import NodeAdmission
from minikube_py.kubelet.io.node_knowledge import NodeKnowledge
from minikube_py.kubelet.io.node_loop import NodeLoop
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.kubelet.io.object_watches import ObjectWatches
from minikube_py.kubelet.io.pod_cgroups import PodCgroups
from minikube_py.kubelet.io.pod_observer import PodObserver
from minikube_py.kubelet.io.pod_resizer import PodResizer
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.io.pod_sync import PodSync, SyncTools
from minikube_py.kubelet.io.pod_terminator import PodTerminator
from minikube_py.kubelet.io.pod_workers import PodWorkers
from minikube_py.kubelet.io.prober import Prober
from minikube_py.kubelet.io.runtime_handlers import RuntimeHandlers
from minikube_py.kubelet.io.sandbox_starter import SandboxStarter
from minikube_py.kubelet.io.shutdown_loop import ShutdownLoop, ShutdownTools
from minikube_py.kubelet.io.static_pod_loop import StaticPods
from minikube_py.kubelet.io.statistics import NodeStatistics
from minikube_py.kubelet.io.status_writer import StatusWriter
from minikube_py.kubelet.io.volume_preparer import VolumePreparer
from minikube_py.kubelet.pod import Pod, parse_pod
from minikube_py.kubelet.pod_runtime_status import PodRuntimeStatus, group_by_pod
from minikube_py.kubelet.pod_sources import CONFIG_SEEN, received_from_api
from minikube_py.kubelet.ports import KubeletPorts

log = logging.getLogger("kubelet")

RELIST_OVERDUE_S = 180.0
"""Without a listing of the runtime for so long the kubelet is not healthy (upstream: PLEG's threshold)."""
RETRY = BackoffPolicy(initial_s=0.2, maximum_s=5.0, reset_after_s=30.0)


class Kubelet:
    """The node agent's pods: `run` until cancelled."""

    def __init__(self, config: KubeletConfig, ports: KubeletPorts) -> None:
        self._config = config
        self._ports = ports
        self._pods = ports.informers.informer(PODS, Selection(field_selector=f"spec.nodeName={config.node_name}"))
        self._services = ports.informers.informer(SERVICES)
        deletes = asyncio.Semaphore(config.delete_parallel)
        objects = ObjectReader(ports.client, ports.clock, config.object_ttl_s)
        self._watches = ObjectWatches(ports.client, ports.clock, ports.random, objects.learn)
        claims = ClaimReader(ports.client, config.node_name)
        volumes = VolumePreparer(config, ports.files, objects, self._watches, claims)
        self._local_path = LocalPathProvisioner(ports, config.node_name, config.local_path_dir)
        hooks = HookRunner(ports.runtime, ports.probe_network, ports.recorder, ports.clock, config.kubelet_version)
        self._hooks = hooks
        killer = ContainerKiller(ports.runtime, hooks, ports.recorder, ports.clock)
        sources = ImageSources(config, ports, objects)
        self._images = ImagePuller(config, ports, sources)
        self._image_folder = ImageFolder(config, ports, self._images.pull_for_node)
        self._handlers = RuntimeHandlers(ports.informers)
        observer = PodObserver(config, ports)
        start_tools = StartTools(observer, self._images, objects, volumes, hooks, killer, self._handlers)
        self._prober = Prober(ports, config.probe_exec_parallel, config.kubelet_version)
        self._statuses = StatusWriter(ports.client, self._pods, ports.clock)
        self._knowledge = NodeKnowledge()
        self.node = NodeLoop(config, ports, self._knowledge)
        self._cgroups = PodCgroups(config, ports.cgroups, self._knowledge, self._states)
        sync = PodSync(
            config,
            ports,
            SyncTools(
                observer=observer,
                sandboxes=SandboxStarter(config, ports, volumes, self._handlers),
                containers=ContainerStarter(config, ports, start_tools),
                killer=killer,
                terminator=PodTerminator(config, ports, killer, deletes),
                volumes=volumes,
                prober=self._prober,
                resizer=PodResizer(config, ports, self._knowledge, killer, self._cgroups),
                statuses=self._statuses,
                node=self._knowledge,
                cgroups=self._cgroups,
                admission=NodeAdmission(self._knowledge, ports.recorder, self._states),
            ),
        )
        self._workers = PodWorkers(sync, ports.clock)
        self._static = StaticPods(config, ports, self._workers, self._pods, self._statuses.write_again)
        self._gc = ContainerGc(config, ports)
        self._leftovers = LeftoverSweep(config, ports, self._knowledge, self._states)
        self.statistics = NodeStatistics(config, ports, self._states)
        gc_tools = ImageGcTools(self.statistics, sources, self._images, self._image_folder, self.node)
        self._image_gc = ImageGc(config, ports, gc_tools, self._states)
        reclaims = (DeadContainersReclaim(self._gc, self._states), self._image_gc)
        tools = EvictionTools(self.node, self.statistics, reclaims, ports.recorder, ports.clock)
        self._eviction = EvictionLoop(config, tools, self._states)
        self._adopted_ips: dict[str, str] = {}
        self._at_start: Mapping[str, PodRuntimeStatus] = {}
        self._follows_events = False
        """From then on what the runtime had at the start may not be so any more."""
        self._listed_at_s = ports.clock.now_s()
        self._listed: dict[str, frozenset[tuple[str, str, bool]]] = {}

    async def run(self) -> None:
        """Run the node's pods until cancelled; containers are left running then."""
        await self.node.learn()
        await self._adopt()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.node.run(), name="kubelet-node")
            group.create_task(self._statuses.run(), name="kubelet-status")
            self._prober.begin(group)
            self._watches.begin(group, self._workers.note_volume_change)
            self._workers.begin(group)
            await self._image_folder.begin()
            group.create_task(self._image_folder.run(), name="kubelet-image-folder")
            # Static pods wait for nobody: they run while the API server is away, or bring it up.
            await self._static.look()
            group.create_task(self._static.run(), name="kubelet-static-pods")
            await self._services.wait_synced()
            await self._handlers.wait_synced()
            await self._pods.wait_synced()
            self._pods.subscribe(self._on_change)
            self._static.api_is_known = True
            self._stop_orphans()
            group.create_task(self._follow_events(), name="kubelet-events")
            group.create_task(self._relist_forever(), name="kubelet-relist")
            group.create_task(self._collect_forever(), name="kubelet-gc")
            group.create_task(self._image_gc.run(), name="kubelet-image-gc")
            group.create_task(self._eviction.run(), name="kubelet-eviction")
            if self._config.local_path_dir:
                group.create_task(self._local_path.run(), name="kubelet-local-path")
            if self._ports.open_inhibitor is not None:
                tools = ShutdownTools(self._ports.open_inhibitor, self.node, self._states, self._ports.clock)
                group.create_task(ShutdownLoop(self._config, tools).run(), name="kubelet-shutdown")

    # What other parts of the node ask.

    def _states(self) -> Iterable[PodState]:
        return self._workers.states()

    def worker_uid(self, uid: str) -> str:
        """Return the uid that the runtime knows a pod of the API by: that of a mirror pod is another one."""
        return self._static.worker_uid(uid)

    def pods(self) -> Sequence[Obj]:
        """Return the pods of this node as the API has them."""
        return self._pods.list()

    def pod(self, namespace: str, name: str) -> Obj | None:
        """Return one of them, None when there is none of that name."""
        return self._pods.get(ObjectKey(namespace, name))

    def sync_fault(self) -> str:
        """Return why the runtime is not followed any more; empty while it is."""
        silent_s = self._ports.clock.now_s() - self._listed_at_s
        if silent_s <= RELIST_OVERDUE_S:
            return ""
        return f"sync loop: the runtime was last listed {silent_s:.0f} s ago; threshold is {RELIST_OVERDUE_S:.0f} s"

    def probe_counts(self) -> Mapping[tuple[str, ...], int]:
        """Return how many probes ended how, by the labels of upstream's prober_probe_total."""
        return self._prober.counts()

    @property
    def collectors(self) -> tuple[Collector, ...]:
        """Return what the kubelet's parts count, for `/metrics`."""
        return (self._hooks.http_fallbacks,)

    def waiting_reason(self, uid: str, container: str) -> str:
        """Return why a container waits, as its pod's status says it; empty when it does not."""
        return str((self._container_state(uid, container).get("waiting") or {}).get("reason") or "")

    def ended_id(self, uid: str, container: str) -> str:
        """Return the id of the container that a pod's status shows as ended; empty when it shows something else."""
        return str((self._container_state(uid, container).get("terminated") or {}).get("containerID") or "")

    def _container_state(self, uid: str, container: str) -> Obj:
        state = self._workers.state(self._static.worker_uid(uid))
        status = self._statuses.latest(state.pod) if state is not None else {}
        for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
            for entry in status.get(field) or ():
                if entry["name"] == container:
                    return dict(entry["state"])
        return {}

    # Start.

    async def _adopt(self) -> None:
        """List what runs, and let the network keep the links of it."""
        failures: BackoffState | None = None
        began_s = self._ports.clock.now_s()
        while True:
            try:
                self._at_start = group_by_pod(await self._ports.runtime.listing())
                self._listed = {uid: _signature(status) for uid, status in self._at_start.items()}
                live = await self._live_sandboxes(self._at_start)
                self._adopted_ips = await self._ports.network.adopt(live)
            except (ContainerRuntimeError, OSError) as error:
                failures = next_backoff(RETRY, failures, self._ports.clock.now_s())
                log.warning("running pods are not adopted yet: %s", error)
                await self._ports.clock.sleep(failures.delay_s)
                continue
            if self._at_start:
                log.info(
                    "found %d pods in the runtime, %d of them connected, in %.3f s",
                    len(self._at_start),
                    len(live),
                    self._ports.clock.now_s() - began_s,
                )
            return

    async def _live_sandboxes(self, by_pod: Mapping[str, PodRuntimeStatus]) -> dict[str, int]:
        live: dict[str, int] = {}
        for uid, status in by_pod.items():
            sandbox = status.sandbox
            if sandbox is None or not sandbox.ready or sandbox.host_network:
                continue
            pid = sandbox.pid
            if not pid:
                listing = await self._ports.runtime.listing(uid)
                pid = next((s.pid for s in listing.sandboxes if s.id == sandbox.id and s.ready), 0)
            if pid:
                live[uid] = pid
        return live

    def _on_change(self, change: Change) -> None:
        if self._static.is_mirror(change):
            return
        if change.new is None:
            old = change.old
            assert old is not None
            self._workers.remove(uid_of(old), parse_pod(old))
            return
        if change.old is not None and uid_of(change.old) != uid_of(change.new):
            # Deleted and made again while nobody looked: the old one is gone for good.
            self._workers.remove(uid_of(change.old), parse_pod(change.old))
        pod = self._received(change.new)
        pod_ip = self._config.node_ip if pod.host_network else self._adopted_ips.pop(pod.uid, "")
        self._workers.update(
            pod,
            pod_ip=pod_ip,
            runtime_has_some=pod.uid in self._at_start,
            at_start=None if self._follows_events else self._at_start.get(pod.uid),
        )

    def _received(self, obj: Obj) -> Pod:
        known = self._workers.state(uid_of(obj))
        seen = known.pod.annotations.get(CONFIG_SEEN) if known is not None else None
        return received_from_api(parse_pod(obj), seen or format_micro_time(self._ports.clock.wall_s()))

    def _stop_orphans(self) -> None:
        for uid, status in self._at_start.items():
            if self._workers.state(uid) is None:
                identity = _identity(status)
                log.warning(
                    "pod %s/%s runs here but is gone from the API: it is stopped", identity.namespace, identity.name
                )
                self._workers.adopt_orphan(orphan_pod(identity), pod_ip=self._adopted_ips.pop(uid, ""))

    # Following the runtime.

    async def _follow_events(self) -> None:
        # The stream begins with the first listing, so that its first `reconnected` means nothing that is not known.
        async for event in self._ports.runtime.events():
            if event.pod_uid or self._follows_events:
                self._workers.note_event(event)
            self._follows_events = True

    async def _relist_forever(self) -> None:
        while True:
            await self._ports.clock.sleep(self._config.relist_s)
            try:
                listing = await self._ports.runtime.listing()
            except ContainerRuntimeError as error:
                log.warning("the runtime is not listed: %s", error.message)
                self.node.set_faults((f"container runtime is down: {error.message}",))
                continue
            self._listed_at_s = self._ports.clock.now_s()
            self.node.set_faults(())
            self._compare(listing)

    def _compare(self, listing: RuntimeListing) -> None:
        """Have every pod looked at whose records differ from those of the last listing and from what is known."""
        by_pod = group_by_pod(listing)
        now = {uid: _signature(status) for uid, status in by_pod.items()}
        for uid in sorted(now.keys() | self._listed.keys()):
            state = self._workers.state(uid)
            known = _signature(state.status) if state is not None else None
            if now.get(uid) not in (self._listed.get(uid), known):
                self._workers.note_runtime_change(uid)
        for uid, status in by_pod.items():
            # Seen twice without a worker: not one that has just ended while this listing was on its way.
            if self._workers.state(uid) is None and status.running and uid in self._listed:
                self._workers.adopt_orphan(orphan_pod(_identity(status)), pod_ip="")
        self._listed = now

    async def _collect_forever(self) -> None:
        while True:
            await self._ports.clock.sleep(self._config.container_gc_s)
            await self._gc.collect(lambda: frozenset(state.pod.uid for state in self._workers.states()))
            await self._leftovers.sweep()
            await self._cgroups.refresh()


def _signature(status: PodRuntimeStatus) -> frozenset[tuple[str, str, bool]]:
    sandboxes: Iterable[tuple[str, str, bool]] = ((s.id, "sandbox", s.ready) for s in status.sandboxes)
    containers = ((c.id, c.phase.value, c.phase is ContainerPhase.RUNNING) for c in status.containers)
    return frozenset((*sandboxes, *containers))


def _identity(status: PodRuntimeStatus) -> PodIdentity:
    return status.sandboxes[0].pod if status.sandboxes else status.containers[0].pod


def orphan_pod(identity: PodIdentity) -> Pod:
    """Return a pod of which only the runtime knows: enough to stop it and to say so in events."""
    metadata = {"namespace": identity.namespace, "name": identity.name, "uid": identity.uid}
    obj: Obj = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    return Pod(identity.namespace, identity.name, identity.uid, obj)
