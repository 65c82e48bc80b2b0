"""Keeps this host's Node and Lease in the API: registers, heartbeats, reports what changed.

The Node is created or, when it is there, brought up to date; its status is computed every 10 s and written when it
changed, at least every 5 minutes; the Lease is renewed every 10 s. All three go on by themselves when the API server
is away. A Node that somebody deletes stays deleted until this agent is started again (or somebody makes it): who
deletes it wants the host out of the cluster.

Upstream: kubelet_node_status.go, component-helpers node lease controller.
"""

import asyncio
import logging
from typing import Literal

from minikube_py.api.errors import AlreadyExistsError, NotFoundError, StatusError
from minikube_py.api.meta import Obj, ObjectKey, uid_of
from minikube_py.api.resources import LEASES, NODES
from minikube_py.client.interface import Client
from minikube_py.kit.backoff import BackoffPolicy, BackoffState, next_backoff
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.container_config import NodeTraits, can_mount_recursively_read_only
from minikube_py.kubelet.cri import ContainerRuntimeError, ImageRecord, RuntimeVersion
from minikube_py.kubelet.io.node_knowledge import NodeKnowledge
from minikube_py.kubelet.node_status import (
    HostFacts,
    NodeHealth,
    NodeView,
    allocatable,
    node_events,
    node_lease,
    node_status,
    status_is_due,
)
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.kubelet.registration import missing_metadata, new_node
from minikube_py.kubelet.shutdown import NODE_FAULT

log = logging.getLogger("kubelet")

RETRY = BackoffPolicy(initial_s=0.2, maximum_s=7.0, reset_after_s=60.0)
HEARTBEAT_TIMEOUT_S = 10.0
"""What the API does not take in this time is tried again over another connection: this one may lead to nobody, and
the grace period runs (upstream: the heartbeat client's timeout)."""
NO_ANSWER = "the API server does not answer in time"


async def register_node(client: Client, config: KubeletConfig, host: HostFacts) -> Obj:
    """Return this host's Node, created with all that it is registered with when there is none.

    Raises:
        StatusError: the API server did not take it.
    """
    key = ObjectKey("", config.node_name)
    try:
        return await client.get(NODES, key)
    except NotFoundError:
        try:
            return await client.create(NODES, new_node(config, host))
        except AlreadyExistsError:
            return await client.get(NODES, key)


NO_NOSWAP = (
    "The tmpfs noswap option is not supported. Memory-backed volumes (e.g. secrets, emptyDirs, etc.) might be "
    "swapped to disk and should no longer be considered secure."
)


class NodeLoop:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, ports: KubeletPorts, knowledge: NodeKnowledge) -> None:
        self._config = config
        self._ports = ports
        self._knowledge = knowledge
        self._key = ObjectKey("", config.node_name)
        self._reported_at_s: float | None = None
        self._images: tuple[ImageRecord, ...] = ()
        self._images_at_s: float | None = None
        self._version: RuntimeVersion | None = None
        self._node: Obj = {}
        self._hurry = asyncio.Event()
        self._registered = False
        """Whether this process has done it."""
        self._present = asyncio.Event()
        """Whether the API has the Node, as far as we know: its Lease lives and dies with it."""
        self.ready = asyncio.Event()
        """Set once the API has this node as Ready."""
        self.faults: tuple[str, ...] = ("container runtime status check may not have completed yet",)
        """Why the node is not ready, as the Ready condition says it."""

    async def learn(self) -> None:
        """Survey the host and ask the engine who it is, until both answer; everything else needs to know."""
        failures: BackoffState | None = None
        while True:
            try:
                self._version = await self._ports.runtime.version()
                host = await self._ports.host.survey()
            except (ContainerRuntimeError, OSError) as error:
                failures = next_backoff(RETRY, failures, self._ports.clock.now_s())
                log.warning("container runtime is not ready: %s", error)
                await self._ports.clock.sleep(failures.delay_s)
                continue
            self._take(host, self._version)
            self.faults = ()
            await self._look_at_swap(host)
            return

    async def _look_at_swap(self, host: HostFacts) -> None:
        try:
            if host.has_swap and not await self._ports.files.has_unswapped_memory():
                self.warn("PossibleMemoryBackedVolumesOnDisk", NO_NOSWAP)
        except OSError as error:
            log.warning("it is not known whether volumes in memory stay out of the swap space: %s", error)

    def _take(self, host: HostFacts, version: RuntimeVersion) -> None:
        recursive = can_mount_recursively_read_only(version.api_version, host.kernel)
        self._knowledge.traits = NodeTraits(
            host.memory_bytes,
            version.cgroup_driver,
            host.hostname,
            version.cgroup_version,
            host.cpus,
            host.huge_pages,
            recursive,
        )
        self._knowledge.allocatable = allocatable(self._config, host)

    async def run(self) -> None:
        """Register, then report and renew until cancelled."""
        self._say("Starting", "Starting kubelet.")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report_forever(), name="node-status")
            group.create_task(self._renew_forever(), name="node-lease")

    def set_faults(self, faults: tuple[str, ...]) -> None:
        """Say why the node is not ready (nothing: it is); a change is reported at once."""
        if faults != self.faults:
            self.faults = faults
            self._hurry.set()

    def set_shutting_down(self, shutting_down: bool) -> None:
        """Say whether the host shuts down: then the node is not Ready and takes no pods; reported at once."""
        self._knowledge.shutting_down = shutting_down
        self._hurry.set()

    def _all_faults(self) -> tuple[str, ...]:
        return (*self.faults, NODE_FAULT) if self._knowledge.shutting_down else self.faults

    def set_pressures(self, pressures: tuple[str, ...]) -> None:
        """Say which resources run short; a change is reported at once."""
        if pressures != self._knowledge.pressures:
            self._knowledge.pressures = pressures
            self._hurry.set()

    async def _report_forever(self) -> None:
        failures: BackoffState | None = None
        while True:
            self._hurry.clear()
            delay_s = self._config.node_status_update_s
            try:
                await self._report()
                failures = None
            except NotFoundError:
                self._note_deleted()
            except (StatusError, OSError) as error:  # TimeoutError is an OSError
                failures = next_backoff(RETRY, failures, self._ports.clock.now_s())
                delay_s = failures.delay_s
                log.warning("node status is not written: %s", str(error) or NO_ANSWER)
            try:
                async with asyncio.timeout(delay_s):
                    await self._hurry.wait()
            except TimeoutError:
                continue

    async def _report(self) -> None:
        await self._check_runtime()
        host = await self._ports.host.survey()
        if self._version is not None:
            self._take(host, self._version)
        async with asyncio.timeout(HEARTBEAT_TIMEOUT_S):
            self._node = await self._find_node(host)
        self._knowledge.node = self._node
        old = self._node.get("status") or {}
        now_s = self._ports.clock.now_s()
        wall_s = self._ports.clock.wall_s()
        health, pressures = NodeHealth(self._all_faults()), self._knowledge.pressures
        view = NodeView(host, self._version, await self._list_images(), health, wall_s, pressures)
        status = node_status(self._config, view, old)
        since_s = (
            now_s - self._reported_at_s if self._reported_at_s is not None else self._config.node_status_report_s
        )
        if status_is_due(status, old, since_s, self._config.node_status_report_s):
            body = {"metadata": {"uid": uid_of(self._node)}, "status": status}
            async with asyncio.timeout(HEARTBEAT_TIMEOUT_S):
                self._node = await self._ports.client.patch(NODES, self._key, body, subresource="status")
            self._reported_at_s = now_s
            for reason in node_events(status, old):
                self._say(reason, f"Node {self._config.node_name} status is now: {reason}")
        if not self._all_faults():
            self.ready.set()

    def warn(self, reason: str, message: str) -> None:
        """Record a warning about this node."""
        self._say(reason, message, "Warning")

    def _say(self, reason: str, message: str, kind: Literal["Normal", "Warning"] = "Normal") -> None:
        # Upstream's events about nodes carry the name as uid: `kubectl describe node` looks for that.
        name = self._config.node_name
        involved = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name}}
        self._ports.recorder.record(involved, kind, reason, message)

    async def _check_runtime(self) -> None:
        try:
            self._version = await self._ports.runtime.version()
        except ContainerRuntimeError as error:
            self.faults = (f"container runtime is down: {error.message}",)
        else:
            self.faults = ()

    def _note_deleted(self) -> None:
        if self._present.is_set():
            log.warning("node %s was deleted: a restart of this agent registers it again", self._config.node_name)
        self._present.clear()

    async def _find_node(self, host: HostFacts) -> Obj:
        """Return the Node of the API, made if this process has not yet, and given what it lacks.

        Raises:
            NotFoundError: it was deleted since it was made.
        """
        if self._registered:
            node = await self._ports.client.get(NODES, self._key)
        else:
            node = await register_node(self._ports.client, self._config, host)
        self._registered = True
        self._present.set()
        missing = missing_metadata(self._config, host, node)
        if not missing:
            return node
        return await self._ports.client.patch(NODES, self._key, {"metadata": {"uid": uid_of(node), **missing}})

    async def _list_images(self) -> tuple[ImageRecord, ...]:
        now_s = self._ports.clock.now_s()
        if self._images_at_s is None or now_s - self._images_at_s >= self._config.node_images_s:
            try:
                self._images = await self._ports.images.list_images()
                self._images_at_s = now_s
            except ContainerRuntimeError as error:
                log.warning("images are not listed now: %s", error.message)
        return self._images

    async def _renew_forever(self) -> None:
        failures: BackoffState | None = None
        while True:
            await self._present.wait()
            delay_s = self._config.lease_renew_s
            try:
                async with asyncio.timeout(HEARTBEAT_TIMEOUT_S):
                    await self._renew()
                failures = None
            except (StatusError, TimeoutError) as error:
                failures = next_backoff(RETRY, failures, self._ports.clock.now_s())
                delay_s = failures.delay_s
                log.warning("lease is not renewed: %s", str(error) or NO_ANSWER)
            await self._ports.clock.sleep(delay_s)

    async def _renew(self) -> None:
        key = ObjectKey("kube-node-lease", self._config.node_name)
        lease = node_lease(self._config, self._ports.clock.wall_s(), uid_of(self._node))
        try:
            await self._ports.client.patch(LEASES, key, {"spec": lease["spec"]})
        except NotFoundError:
            try:
                await self._ports.client.create(LEASES, lease)
            except AlreadyExistsError:
                await self._ports.client.patch(LEASES, key, {"spec": lease["spec"]})
