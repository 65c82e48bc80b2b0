"""The node's statistics, made when somebody asks: /stats/summary, /metrics/resource, /metrics/cadvisor.

One reading serves everybody for `statistics_age_s` (upstream's housekeeping interval), so that a metrics scraper,
a dashboard and an autoscaler together cost no more than one of them. Which containers run is known from the pods'
workers: the engine is asked for nothing but, once for each container, where its writable layer lies. Directories are
walked only for the summary, at most once a minute, and longer apart when walks take long.

Upstream: stats/cri_stats_provider.go, server/stats/fs_resource_analyzer.go.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from minikube_py.api.meta import Obj
from minikube_py.kubelet.cadvisor_metrics import MachineFacts, render_cadvisor_metrics
from minikube_py.kubelet.cgroup_names import cgroup_path, container_path, pod_cgroup, tier_cgroup
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerId, ContainerRecord, ContainerRuntimeError, RuntimeVersion
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.pod_volumes import EmptyDirVolume, ProjectedVolume, Volume
from minikube_py.kubelet.ports import ContainerPlaces, HostStatistics, KubeletPorts
from minikube_py.kubelet.resource_metrics import render_resource_metrics
from minikube_py.kubelet.resources import qos_class
from minikube_py.kubelet.statistics import (
    CgroupSample,
    ContainerSample,
    DiskUsage,
    InterfaceCounters,
    NodeSample,
    PodSample,
    Snapshot,
    VolumeSample,
    with_rate,
)
from minikube_py.kubelet.stats_summary import render_summary
from minikube_py.kubelet.volumes import volume_directory

DISK_AGE_S = 60.0
WALK_SHARE = 50
"""Walks over directories take at most one part in this of the time."""
PLACES_MAX = 2000
"""Containers whose places are remembered; over it all are forgotten and asked for again."""


@dataclass(frozen=True, slots=True)
class _Disks:
    """One walk over the disks of one pod."""

    walked_at_s: float
    took_s: float
    rootfs: Mapping[str, DiskUsage]
    logs: Mapping[str, DiskUsage]
    volumes: tuple[VolumeSample, ...]


class NodeStatistics:
    """One for the kubelet."""

    def __init__(
        self,
        config: KubeletConfig,
        ports: KubeletPorts,
        states: Callable[[], Iterable[PodState]],
    ) -> None:
        self._config = config
        self._ports = ports
        self._host: HostStatistics = ports.statistics
        self._states = states
        self._reading = asyncio.Lock()
        self._engine: RuntimeVersion | None = None
        self._snapshot: Snapshot | None = None
        self._read_at_s = 0.0
        self._before: dict[str, CgroupSample] = {}
        self._disks: dict[str, _Disks] = {}
        self._places: dict[ContainerId, ContainerPlaces] = {}

    async def summary(self) -> Obj:
        """Return the document of /stats/summary.

        Raises:
            ContainerRuntimeError: the engine does not answer.
        """
        snapshot = await self.snapshot()
        return render_summary(await self.with_disks(snapshot))

    async def resource_metrics(self) -> str:
        """Return the text of /metrics/resource; a failure is one of its metrics."""
        try:
            return render_resource_metrics(await self.snapshot())
        except ContainerRuntimeError:
            return render_resource_metrics(None)

    async def cadvisor_metrics(self) -> str:
        """Return the text of /metrics/cadvisor.

        Raises:
            ContainerRuntimeError: the engine does not answer.
        """
        version = await self._version()
        async with self._reading:
            snapshot = await self._read(version, detailed=True)
        host = await self._ports.host.survey()
        machine = MachineFacts(
            cpus=host.cpus,
            memory_bytes=host.memory_bytes,
            boot_id=host.boot_id,
            machine_id=host.machine_id,
            system_uuid=host.system_uuid,
            kernel=host.kernel,
            os_image=host.os_image,
            docker_version=version.version,
        )
        return render_cadvisor_metrics(await self.with_disks(snapshot), machine)

    async def node(self) -> NodeSample:
        """Return the host's own numbers as they are now.

        Raises:
            ContainerRuntimeError: the engine does not answer.
        """
        version = await self._version()
        pods_cgroup = cgroup_path(tier_cgroup("Guaranteed", self._config.cgroup_root, version.cgroup_driver))
        return await self._host.node(version.cgroup_version, self._config.root_dir, version.root_dir, pods_cgroup)

    async def _version(self) -> RuntimeVersion:
        """Return what the engine said of itself once: drivers do not change under running containers."""
        if self._engine is None:
            self._engine = await self._ports.runtime.version()
        return self._engine

    async def snapshot(self, age_s: float | None = None) -> Snapshot:
        """Return CPU, memory and network of the node and its pods, at most `age_s` old (None: as configured).

        Raises:
            ContainerRuntimeError: the engine does not answer.
        """
        async with self._reading:
            limit_s = self._config.statistics_age_s if age_s is None else age_s
            if self._snapshot is None or self._ports.clock.now_s() - self._read_at_s >= limit_s:
                version = await self._version()
                self._snapshot = await self._read(version, detailed=False)
                self._read_at_s = self._ports.clock.now_s()
            return self._snapshot

    async def _read(self, version: RuntimeVersion, *, detailed: bool) -> Snapshot:
        pods = [(state, self._cgroup_name(state, version.cgroup_driver)) for state in self._running()]
        paths: list[str] = []
        for state, name in pods:
            paths.append(cgroup_path(name))
            paths += [container_path(name, c.id) for c in state.status.running]
        pods_cgroup = cgroup_path(tier_cgroup("Guaranteed", self._config.cgroup_root, version.cgroup_driver))
        samples = dict(
            zip(
                paths,
                await self._host.cgroups(paths, version.cgroup_version, detailed=detailed),
                strict=True,
            )
        )
        pids = [_some_pid(state) for state, _ in pods]
        interfaces = await self._host.interfaces(pids)
        node = await self._host.node(version.cgroup_version, self._config.root_dir, version.root_dir, pods_cgroup)
        rated = {path: self._rated(path, sample) for path, sample in samples.items() if sample is not None}
        node = replace(node, cgroup=self._rated("", node.cgroup))
        if node.pods_cgroup is not None:
            node = replace(node, pods_cgroup=self._rated(pods_cgroup, node.pods_cgroup))
        for gone in self._before.keys() - rated.keys() - {"", pods_cgroup}:
            del self._before[gone]
        found = (
            self._pod(state, name, rated, counters) for (state, name), counters in zip(pods, interfaces, strict=True)
        )
        return Snapshot(self._config.node_name, node, tuple(pod for pod in found if pod is not None))

    def _running(self) -> list[PodState]:
        return [state for state in self._states() if state.status.running]

    def _cgroup_name(self, state: PodState, driver: str) -> str:
        return pod_cgroup(state.pod.uid, qos_class(state.pod), self._config.cgroup_root, driver)

    def _rated(self, path: str, sample: CgroupSample) -> CgroupSample:
        before = self._before.get(path)
        if before is not None and before.at_s == sample.at_s:
            return before
        rated = with_rate(sample, before)
        self._before[path] = rated
        return rated

    def _pod(
        self,
        state: PodState,
        name: str,
        samples: Mapping[str, CgroupSample],
        interfaces: Sequence[InterfaceCounters] | None,
    ) -> PodSample | None:
        own = samples.get(cgroup_path(name))
        if own is None:
            return None
        containers = tuple(
            ContainerSample(record.name, record.id, record.image, record.started_at_s, sample)
            for record in _in_order(state.status.running)
            if (sample := samples.get(container_path(name, record.id))) is not None
        )
        counters = None if state.pod.host_network or interfaces is None else tuple(interfaces)
        return PodSample(
            state.pod.identity, state.started_at_s, own, cgroup_path(name), containers, interfaces=counters
        )

    # Disks.

    async def with_disks(
        self, snapshot: Snapshot, age_s: float = DISK_AGE_S, uids: frozenset[str] | None = None
    ) -> Snapshot:
        """Return the snapshot with what its pods (of `uids`, all when None) have on disk, at most `age_s` old.

        Raises:
            ContainerRuntimeError: the engine does not answer.
        """
        states = {state.pod.uid: state for state in self._states()}
        for uid in self._disks.keys() - states.keys():
            del self._disks[uid]
        pods = []
        for pod in snapshot.pods:
            uid = pod.pod.uid
            if uid not in states or (uids is not None and uid not in uids):
                pods.append(pod)
                continue
            pods.append(_with_disks(pod, await self._disks_of(states[uid], age_s)))
        return replace(snapshot, pods=tuple(pods))

    async def _disks_of(self, state: PodState, age_s: float) -> _Disks:
        known = self._disks.get(state.pod.uid)
        now_s = self._ports.clock.now_s()
        if known is not None and now_s - known.walked_at_s < max(age_s, known.took_s * WALK_SHARE):
            return known
        disks = await self._walk(state)
        self._disks[state.pod.uid] = disks
        return disks

    async def _walk(self, state: PodState) -> _Disks:
        began_s = self._ports.clock.now_s()
        records = state.status.running
        places = [await self._places_of(record.id) for record in records]
        directory = self._config.pod_dir(state.pod.uid)
        volumes = [v for v in state.pod.volumes if isinstance(v.source, EmptyDirVolume | ProjectedVolume)]
        folders = [volume_directory(directory, volume) for volume in volumes]
        layers = [place.writable_layer for place in places]
        logs = [place.logs for place in places]
        found = await self._host.disk_usage([*layers, *logs, *folders])
        systems = await self._host.file_systems(folders)
        count = len(records)
        return _Disks(
            walked_at_s=began_s,
            took_s=self._ports.clock.now_s() - began_s,
            rootfs={r.id: used for r, used, path in zip(records, found, layers, strict=False) if path},
            logs={r.id: used for r, used, path in zip(records, found[count:], logs, strict=False) if path},
            volumes=tuple(
                VolumeSample(volume.name, used, system, _on_disk(volume), isinstance(volume.source, EmptyDirVolume))
                for volume, used, system in zip(volumes, found[2 * count :], systems, strict=True)
            ),
        )

    async def _places_of(self, container: ContainerId) -> ContainerPlaces:
        known = self._places.get(container)
        if known is None:
            known = await self._ports.places.places(container)
            if len(self._places) >= PLACES_MAX:
                self._places.clear()
            self._places[container] = known
        return known


def _on_disk(volume: Volume) -> bool:
    source = volume.source
    if isinstance(source, EmptyDirVolume):
        return not source.medium
    return isinstance(source, ProjectedVolume) and not source.in_memory


def _with_disks(pod: PodSample, disks: _Disks) -> PodSample:
    containers = tuple(
        replace(container, rootfs=disks.rootfs.get(container.id), logs=disks.logs.get(container.id))
        for container in pod.containers
    )
    return replace(pod, containers=containers, volumes=disks.volumes, disks_known=True)


def _in_order(records: Iterable[ContainerRecord]) -> list[ContainerRecord]:
    return sorted(records, key=lambda record: record.name)


def _some_pid(state: PodState) -> int:
    """Return a process in the pod's network namespace, 0 when none is known."""
    return next((record.pid for record in state.status.running if record.pid), 0)
