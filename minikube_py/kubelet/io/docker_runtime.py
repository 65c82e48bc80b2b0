"""CRI's verbs on Docker.

Every verb can be cut off at any await and done again: names are unique at the engine, labels say what is what, and
nothing is remembered here but caches. What needs care:

- **A name that is taken.** A retried create meets its own container. A running one of the same pod is adopted, any
  other is removed. Docker sometimes keeps the name of a container that is gone: then the name gets a random end.
- **Sandboxes** have ways of their own (`sandbox_runner`).
- **Stopping** runs on our own timers (`container_stopper`).
- **Removing** always takes anonymous volumes along, or images with VOLUME fill the disk.
- Starting takes CPU of the engine: more than one start for each processor at a time only makes all of them slower.
  Creating has as many slots of its own, so that what is to start next is made by then.

Upstream: dockershim docker_sandbox.go, docker_container.go; cri-dockerd core.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import dirname
from pathlib import Path
from typing import Any

from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids
from minikube_py.kubelet.container_spec import render_container, render_update
from minikube_py.kubelet.cri import (
    ContainerConfig,
    ContainerId,
    ContainerRecord,
    ContainerResources,
    ContainerRuntimeError,
    ExecResult,
    PodIdentity,
    RemoteStreams,
    RuntimeErrorKind,
    RuntimeEvent,
    RuntimeListing,
    RuntimeVersion,
    SandboxConfig,
    SandboxId,
    SandboxRecord,
)
from minikube_py.kubelet.docker_names import (
    CONTAINER_LOG_PATH,
    CONTAINER_NAME,
    SANDBOX_ID,
    container_name,
    pod_of,
)
from minikube_py.kubelet.docker_records import as_listed, conflicting_container, sandbox_from_listed
from minikube_py.kubelet.io.container_stopper import ContainerStopper, is_running
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_events import DockerEvents
from minikube_py.kubelet.io.docker_listing import DockerListing
from minikube_py.kubelet.io.exec_streams import attach_stream, exec_stream, exec_sync
from minikube_py.kubelet.io.kernel_log import KernelLog
from minikube_py.kubelet.io.log_links import link_log, unlink_log
from minikube_py.kubelet.io.pause_network import PauseNetwork
from minikube_py.kubelet.io.pause_source import PauseSource
from minikube_py.kubelet.io.sandbox_runner import SandboxRunner
from minikube_py.kubelet.ports import ContainerPlaces

log = logging.getLogger("kubelet.docker")

SANDBOX_GRACE_S = 10.0
"""The pause process ends at once on SIGTERM; only a frozen host needs the kill."""
NAME_TRIES_MAX = 4
REMOVALS_MAX = 4
"""Removals at a time, beside the starts: a crowd of dead containers must not hold up a new pod."""

Inspected = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KernelPlaces:
    """Where the kernel shows what it knows."""

    proc: Path = Path("/proc")
    log: Path = Path("/dev/kmsg")


KERNEL = KernelPlaces()


class DockerRuntime:
    """One node's containers at one engine (cri.RuntimeService)."""

    def __init__(
        self,
        api: DockerApi,
        *,
        node_name: str,
        clock: Clock,
        ids: Ids,
        pause_image: str = "",
        starts_max: int = 2,
        kernel: KernelPlaces = KERNEL,
    ) -> None:
        """Make a runtime; nothing is asked of the engine yet.

        Args:
            api: the engine.
            node_name: whose containers these are.
            clock: the time.
            ids: for names.
            pause_image: empty for the one that the program makes.
            starts_max: one for each processor, at least 2.
            kernel: where the kernel shows what it knows of the engine's processes.
        """
        self._api = api
        self._node_name = node_name
        self._clock = clock
        self._ids = ids
        self._events = DockerEvents(api, node_name, clock)
        self._listing = DockerListing(api, node_name, self._events, KernelLog(kernel.log))
        self._stopper = ContainerStopper(api, self._events, clock)
        self._creates = asyncio.Semaphore(starts_max)
        self._starts = asyncio.Semaphore(starts_max)
        self._removals = asyncio.Semaphore(REMOVALS_MAX)
        self._sandboxes = SandboxRunner(
            api, node_name, PauseSource(api, pause_image), PauseNetwork(clock, kernel.proc), self._create, self._start
        )
        self._version: RuntimeVersion | None = None

    async def version(self) -> RuntimeVersion:
        """Return what the engine says of itself; asks it each time, so that it serves as the health check."""
        said = await self._api.version()
        if self._version is None or self._version.version != said["Version"]:
            info = await self._api.info()
            self._version = RuntimeVersion(
                name="docker",
                version=str(said["Version"]),
                api_version=self._api.api_version,
                cgroup_driver=str(info.get("CgroupDriver") or "cgroupfs"),
                cgroup_version=int(info.get("CgroupVersion") or 1),
                os=str(info.get("OperatingSystem", "")),
                kernel=str(said.get("KernelVersion", "")),
                architecture=str(said.get("Arch", "")),
                root_dir=str(info.get("DockerRootDir", "")),
            )
        return self._version

    async def run_pod_sandbox(self, config: SandboxConfig) -> SandboxRecord:
        """Create and start the pause container; one of the same pod and attempt that runs is adopted."""
        document = await self._sandboxes.run(config)
        self._listing.keep(document)
        return sandbox_from_listed(as_listed(document), document)

    async def stop_pod_sandbox(self, sandbox: SandboxId) -> None:
        """Stop the pause container."""
        await self._stopper.stop(sandbox, SANDBOX_GRACE_S)
        self._listing.forget(sandbox)

    async def remove_pod_sandbox(self, sandbox: SandboxId) -> None:
        """Remove the app containers that are left in the sandbox, then the pause container."""
        for member in await self._listing.sandbox_members(sandbox):
            await self.remove_container(ContainerId(member))
        await self._remove(sandbox)
        self._sandboxes.forget(sandbox)

    async def create_container(self, sandbox: SandboxId, config: ContainerConfig) -> ContainerId:
        """Create an app container in the sandbox; one of the same name that runs in it is adopted."""
        await self._sandboxes.require_departure(sandbox)
        if config.resources.oom_score_adj < 0 and await self._sandboxes.refuses_scores(sandbox):
            config = replace(config, resources=replace(config.resources, oom_score_adj=0))
        body = render_container(sandbox, config, node_name=self._node_name)
        name = container_name(config.pod, config.name, config.attempt)
        return ContainerId(await self._create(name, body, lambda other: _label(other, SANDBOX_ID) == sandbox))

    async def start_container(self, container: ContainerId) -> ContainerRecord | None:
        """Start it, and make its log findable."""
        try:
            await self._start(container)
        finally:
            self._listing.forget(container)
        started = await self._api.find_container(container)
        if started is None:
            return None
        self._listing.keep(started)
        log_path = _label(started, CONTAINER_LOG_PATH)
        if log_path and started.get("LogPath"):
            try:
                await asyncio.to_thread(link_log, log_path, str(started["LogPath"]), *_whose(started))
            except OSError as error:
                # The pod runs and `kubectl logs` does not need the link: only log shippers miss it.
                log.warning("cannot link the log of container %s at %s: %s", container, log_path, error)
        return await self._listing.container(as_listed(started), started)

    async def update_container(self, container: ContainerId, resources: ContainerResources) -> None:
        """Give a running container other resources."""
        await self._api.update_container(container, render_update(resources))
        self._listing.forget(container)

    async def stop_container(self, container: ContainerId, grace_s: float) -> None:
        """Send the image's stop signal, wait up to `grace_s`, then kill."""
        await self._stopper.stop(container, grace_s)
        self._listing.forget(container)

    async def remove_container(self, container: ContainerId) -> None:
        """Remove a container with its log and its anonymous volumes."""
        document = await self._api.find_container(container)
        if document is None:
            return
        if log_path := _label(document, CONTAINER_LOG_PATH):
            await asyncio.to_thread(unlink_log, log_path, *_whose(document))
        await self._remove(container)

    async def listing(self, pod_uid: str = "") -> RuntimeListing:
        """Return all sandboxes and containers of this node, or of one pod."""
        return await self._listing.listing(pod_uid)

    async def has_container(self, container: ContainerId) -> bool:
        """Return whether the engine has such a container, whoever made it."""
        return await self._api.find_container(container) is not None

    async def events(self) -> AsyncIterator[RuntimeEvent]:
        """Yield hints for ever."""
        async for event in self._events.read():
            self._listing.note(event)
            yield event

    async def exec_sync(self, container: ContainerId, command: Sequence[str], timeout_s: float) -> ExecResult:
        """Run a command to its end."""
        return await exec_sync(self._api, container, command, timeout_s)

    async def exec_stream(
        self, container: ContainerId, command: Sequence[str], *, tty: bool, stdin: bool, streams: RemoteStreams
    ) -> int:
        """Run a command connected to a client and return its exit code."""
        return await exec_stream(self._api, container, command, tty=tty, stdin=stdin, streams=streams)

    async def attach_stream(self, container: ContainerId, *, tty: bool, stdin: bool, streams: RemoteStreams) -> None:
        """Connect a client to the container's own process until either ends."""
        await attach_stream(self._api, container, tty=tty, stdin=stdin, streams=streams)

    async def log_file(self, container: ContainerId) -> str:
        """Return where the engine writes the container's log; empty when it was never started."""
        document = await self._api.inspect_container(container)
        return str(document.get("LogPath") or "")

    async def places(self, container: ContainerId) -> ContainerPlaces:
        """Return where a container's writable layer and log lie; empty where this engine does not say."""
        document = await self._api.find_container(container)
        if document is None:
            return ContainerPlaces()
        driver = (document.get("GraphDriver") or {}).get("Data") or {}
        return ContainerPlaces(str(driver.get("UpperDir") or ""), dirname(str(document.get("LogPath") or "")))

    async def is_running(self, container: ContainerId) -> bool:
        """Return whether its process runs (False when it is gone)."""
        return is_running(await self._api.find_container(container))

    async def wait_death(self, container: ContainerId, timeout_s: float) -> bool:
        """Wait for an event of its death for at most `timeout_s` (while `events` is read): whether it came."""
        return await self._events.wait_death(container, timeout_s)

    async def _start(self, container: str) -> None:
        async with self._starts:
            await self._api.start_container(container)

    async def _create(self, name: str, body: dict[str, Any], may_adopt: Callable[[Inspected], bool]) -> str:
        wanted = name
        for _ in range(NAME_TRIES_MAX):
            try:
                async with self._creates:
                    return await self._api.create_container(wanted, body)
            except ContainerRuntimeError as error:
                taken_by = conflicting_container(error.message)
                if error.kind is not RuntimeErrorKind.CONFLICT or taken_by is None:
                    raise
            other = await self._api.find_container(taken_by)
            if other is None:
                wanted = f"{name}_{self._ids.new_suffix(8)}"  # the name of a container that is gone
            elif is_running(other) and may_adopt(other):
                return str(other["Id"])
            else:
                await self._remove(taken_by)
        raise ContainerRuntimeError(RuntimeErrorKind.CONFLICT, f"the container name {name} stays taken")

    async def _remove(self, container: str) -> None:
        async with self._removals:
            try:
                await self._api.remove_container(container)
            except ContainerRuntimeError as error:
                under_way = error.kind is RuntimeErrorKind.CONFLICT and "already in progress" in error.message
                if error.kind is not RuntimeErrorKind.NOT_FOUND and not under_way:
                    raise
        self._listing.forget(container)


def _label(document: Inspected, key: str) -> str:
    return str((document["Config"].get("Labels") or {}).get(key, ""))


def _whose(document: Inspected) -> tuple[PodIdentity, str, str]:
    labels = document["Config"].get("Labels") or {}
    return pod_of(labels), str(labels.get(CONTAINER_NAME, "")), str(document["Id"])
