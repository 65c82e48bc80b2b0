"""What the kubelet needs of its neighbours and of the host: declared here, wired by agent.py.

Network and proxy implement PodNetwork and EndpointDrain; `kubelet/io` implements the ports to the host (files, probe
connections, facts); `testing` has one that behaves for each.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from minikube_py.client.interface import Client, Informers
from minikube_py.kit.clock import Clock
from minikube_py.kubelet.cri import ContainerId, ImageService, RuntimeService
from minikube_py.kubelet.engine_leftovers import HostTraces, Shim
from minikube_py.kubelet.node_status import HostFacts
from minikube_py.kubelet.pod_cgroup import CgroupLimits
from minikube_py.kubelet.pod_volumes import NfsVolume
from minikube_py.kubelet.probes import ProbeOutcome
from minikube_py.kubelet.slice_properties import SliceProperty
from minikube_py.kubelet.statistics import CgroupSample, DiskUsage, FileSystem, InterfaceCounters, NodeSample
from minikube_py.kubelet.volume_ownership import ChangePolicy
from minikube_py.kubelet.volumes import ProjectedFile


class PodNetwork(Protocol):
    """Gives a pod's sandbox its address and its link (upstream: the CNI plugin)."""

    async def attach(self, pod_uid: str, sandbox_pid: int, wanted_ip: str = "") -> str:
        """Connect the network namespace of process `sandbox_pid` and return the pod's IP; idempotent per uid.

        The IP is `wanted_ip` if that is free.

        Raises:
            OSError: it could not be connected; nothing half-made is left.
        """
        ...

    async def detach(self, pod_uid: str) -> None:
        """Take the link away and set the address free (after its quarantine); fine when there is none."""
        ...

    async def adopt(self, live: dict[str, int]) -> dict[str, str]:
        """Tell which pods run (uid -> sandbox pid) after a start: keeps theirs, sweeps the rest.

        Returns:
            The pod IPs by uid of those whose connection stands; the others must be attached again.
        """
        ...


class EndpointDrain(Protocol):
    """Knows when the kernel of this node sends no new connections to a pod (implemented by the proxy)."""

    async def wait_withdrawn(self, pod_ip: str, timeout_s: float) -> bool:
        """Wait until no rule forwards new connections to `pod_ip`; False when `timeout_s` passes first.

        A pod that is only kept as the last resort (serving, terminating, no ready endpoint) counts as withdrawn.
        """
        ...

    async def wait_unreachable(self, pod_ip: str, timeout_s: float) -> bool:
        """Wait until no rule leads to `pod_ip`, not even as the last resort; False when `timeout_s` passes first."""
        ...


class EventSink(Protocol):
    """Says what happened to an object (client.io.event_recorder.EventRecorder)."""

    def record(
        self,
        involved: Mapping[str, Any],
        type: Literal["Normal", "Warning"],
        reason: str,
        message: str,
        field_path: str = "",
    ) -> None:
        """Note it; never waits and never fails."""
        ...

    def record_progress(self, involved: Mapping[str, Any], reason: str, message: str, field_path: str = "") -> None:
        """Note how far something is: the Event that says it gets this message."""
        ...


@dataclass(frozen=True, slots=True)
class VolumeRequest:
    """One volume to make: an empty directory, or `files` in it, on the host's disk or on a file system of its own."""

    path: str
    file_system: str = ""
    """`tmpfs` or `hugetlbfs`; empty: a directory where it stands."""
    mount_options: str = ""
    gid: int | None = None
    """fsGroup: the group that gets read and write access."""
    files: tuple[ProjectedFile, ...] | None = None
    """None: what the volume holds stays as it is."""


class PodFiles(Protocol):
    """The pods' directories on the host: volumes, hosts files, termination logs. Errors are OSError.

    What exists already is kept, so that everything can be done again after a restart of the kubelet.
    """

    async def set_up_volume(self, request: VolumeRequest) -> None:
        """Make (or bring up to date, atomically) a volume's directory."""
        ...

    async def has_unswapped_memory(self) -> bool:
        """Return whether volumes in memory are never swapped: whether the kernel can do that."""
        ...

    async def own_volume(self, path: str, gid: int, policy: ChangePolicy) -> None:
        """Give all that a volume holds to fsGroup; OnRootMismatch: only when its root is not the group's yet."""
        ...

    async def mount_nfs(self, volume: NfsVolume, path: str, options: Sequence[str]) -> None:
        """Mount an NFS export at `path`, unless it is mounted there.

        Raises:
            VolumeError: it cannot be mounted.
        """
        ...

    async def make_directory(self, path: str) -> None:
        """Make a directory that pods of every user may write to, unless it is there."""
        ...

    async def remove_directory(self, path: str) -> None:
        """Remove a directory with all that it holds; never through a mount, fine when there is none."""
        ...

    async def check_host_path(self, path: str, type: str) -> None:
        """Check a hostPath, making it for the `…OrCreate` types.

        Raises:
            VolumeError: what is found there is not what `type` asks for.
        """
        ...

    async def set_up_sub_path(self, volume_path: str, sub_path: str, mount_point: str) -> str:
        """Make `sub_path` inside a volume visible at `mount_point`, never following a link out of the volume.

        Returns:
            The path to mount.
        """
        ...

    async def write_file(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file in place (its inode stays: containers have it mounted)."""
        ...

    async def read_file(self, path: str, limit_bytes: int) -> str:
        """Return the first `limit_bytes` of a file, or nothing when it is not there."""
        ...

    async def log_tail(self, log_path: str) -> str:
        """Return the end of a container's log for terminationMessagePolicy FallbackToLogsOnError."""
        ...

    async def remove_pod(self, pod_dir: str) -> None:
        """Unmount what is mounted below, then remove the directory; a mount that stays is never deleted through."""
        ...

    async def remove_cgroup(self, parent: str) -> None:
        """Kill what is left in a cgroup of one pod or container, and remove it in every hierarchy."""
        ...

    async def log_uids(self) -> tuple[str, ...]:
        """Return the uids that have logs, sorted."""
        ...

    async def remove_logs(self, uids: Collection[str]) -> None:
        """Remove the logs of these pods, and links to logs that lead nowhere."""
        ...

    async def pod_uids(self) -> tuple[str, ...]:
        """Return the uids that have a directory, sorted."""
        ...


class ProbeNetwork(Protocol):
    """HTTP, TCP and gRPC tries of probes and hooks; all failures are outcomes, none is an exception."""

    async def http_get(
        self, url: str, headers: tuple[tuple[str, str], ...], timeout_s: float, user_agent: str
    ) -> ProbeOutcome:
        """GET `url`: 200 <= code < 400 is success; certificates are not checked, connections not reused."""
        ...

    async def tcp_connect(self, host: str, port: int, timeout_s: float) -> ProbeOutcome:
        """Open a connection and close it."""
        ...

    async def grpc_check(self, host: str, port: int, service: str, timeout_s: float, user_agent: str) -> ProbeOutcome:
        """Ask the gRPC health service about `service`."""
        ...


class HostSurvey(Protocol):
    """Reads what this host is (for the Node object)."""

    async def survey(self) -> HostFacts:
        """Return the facts as they are now."""
        ...


class HostStatistics(Protocol):
    """Reads the kernel's numbers; what is gone is None or empty, never an exception."""

    async def cgroups(
        self, paths: Sequence[str], version: int, *, detailed: bool = False
    ) -> tuple[CgroupSample | None, ...]:
        """Return a sample of each cgroup (paths below the hierarchies' roots), None for those that are not there."""
        ...

    async def interfaces(self, pids: Sequence[int]) -> tuple[tuple[InterfaceCounters, ...] | None, ...]:
        """Return the network counters of these processes' namespaces."""
        ...

    async def disk_usage(self, paths: Sequence[str]) -> tuple[DiskUsage, ...]:
        """Return what stands at and below each path; costs a walk."""
        ...

    async def file_systems(self, paths: Sequence[str]) -> tuple[FileSystem, ...]:
        """Return the file system that each path lies on."""
        ...

    async def node(self, version: int, node_dir: str, image_dir: str, pods_cgroup: str) -> NodeSample:
        """Return the host as a whole."""
        ...


@dataclass(frozen=True, slots=True)
class ContainerPlaces:
    """Where a container's data lies on the host; empty where the engine does not say."""

    writable_layer: str = ""
    logs: str = ""
    """The directory with its logs, rotated ones too."""


class DiskPlaces(Protocol):
    """Says where containers' data lies (DockerRuntime)."""

    async def places(self, container: ContainerId) -> ContainerPlaces:
        """Return the places of a container; empty ones when it is gone.

        Raises:
            ContainerRuntimeError: the engine does not answer.
        """
        ...


class CgroupWriter(Protocol):
    """Makes cgroups above those of containers."""

    async def write(self, name: str, limits: CgroupLimits, version: int) -> None:
        """Make a cgroup (as the engine names it) and write its limits; can be done again.

        Raises:
            OSError: the kernel refused.
        """
        ...

    async def die_together(self, path: str) -> None:
        """Let all processes of a container's cgroup of version 2 (a path below its root) end when memory kills one.

        Fine when it is not there any more, or when the kernel does not know how.
        """
        ...


class ImageVolumes(Protocol):
    """Shows what an image holds as a directory."""

    async def set_up_image(self, image_id: str, path: str) -> None:
        """Write what an image holds to `path`, unless it is there: whole or not at all.

        Raises:
            ContainerRuntimeError: the engine does not give it.
            OSError: it cannot be written.
        """
        ...


class EngineLeftovers(Protocol):
    """Sees what the engine may have left on the host of containers that it has forgotten."""

    async def find(self, pods_cgroup: str) -> HostTraces:
        """Return what the kernel shows of containers below the cgroup of all pods (as the engine names it).

        Raises:
            OSError: it cannot be read.
        """
        ...

    async def end_shim(self, shim: Shim) -> None:
        """Kill a shim; fine when it has ended.

        Raises:
            OSError: the kernel refused.
        """
        ...


class Slices(Protocol):
    """systemd, which owns all cgroups where the engine's driver is `systemd`."""

    async def apply(self, name: str, properties: Sequence[SliceProperty]) -> None:
        """Make a slice with these properties, or give them to the one that is there.

        Raises:
            OSError: there is no systemd, or it refuses.
        """
        ...

    async def stop(self, name: str) -> None:
        """Stop a slice with all that is in it; fine when it is not there.

        Raises:
            OSError: there is no systemd, or it refuses.
        """
        ...


class Reclaim(Protocol):
    """Frees what no pod needs, when a disk is nearly full: dead containers, unused images."""

    async def reclaim(self) -> None:
        """Free what can be freed; what cannot be freed now is logged, not raised."""
        ...


class ShutdownInhibitor(Protocol):
    """Who holds up shutdowns (kubelet.io.logind)."""

    async def lengthen_delay(self, grace_s: float) -> float:
        """Let it wait at least so long, and return how long it waits."""
        ...

    async def inhibit(self) -> int:
        """Return a lock: a file descriptor."""
        ...

    def release(self, lock: int) -> None:
        """Let the shutdown go on."""
        ...

    def shutdowns(self) -> AsyncIterator[bool]:
        """Yield True when a shutdown begins, False when it was called off."""
        ...


OpenInhibitor = Callable[[], AbstractAsyncContextManager[ShutdownInhibitor]]
"""Connects to who holds up shutdowns; entering raises OSError when there is nobody."""


@dataclass(frozen=True, slots=True)
class KubeletPorts:
    """Everything outside that a kubelet acts on; agent.py fills it with the real ones, tests with fakes."""

    client: Client
    informers: Informers
    runtime: RuntimeService
    images: ImageService
    image_volumes: ImageVolumes
    network: PodNetwork
    endpoint_drain: EndpointDrain
    files: PodFiles
    probe_network: ProbeNetwork
    host: HostSurvey
    statistics: HostStatistics
    places: DiskPlaces
    cgroups: CgroupWriter
    leftovers: EngineLeftovers
    recorder: EventSink
    clock: Clock
    random: Callable[[], float]
    """Uniform in [0, 1): phases of probes and waits."""
    open_inhibitor: OpenInhibitor | None = None
    """None: shutdowns of the host are not held up."""
