"""Brings a pod's ground up: volumes beside the sandbox, then its network, then hosts file and resolv.conf.

Volumes are set up while the pause container starts, since that is where the time goes. Upstream: kuberuntime
createPodSandbox with dockershim's RunPodSandbox, and the volume manager's WaitForAttachAndMount.
"""

import asyncio
from dataclasses import dataclass

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.container_config import NodeTraits, pod_wants_user_namespace, sandbox_config
from minikube_py.kubelet.cri import ContainerRuntimeError, SandboxRecord
from minikube_py.kubelet.downward import PodFacts
from minikube_py.kubelet.hosts_file import render_host_network_hosts, render_hosts
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.io.runtime_handlers import RuntimeHandlers
from minikube_py.kubelet.io.volume_preparer import VolumePreparer
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.kubelet.resolv_conf import (
    compute_resolv_conf,
    parse_resolv_conf,
    render_resolv_conf,
    resolv_conf_notes,
)
from minikube_py.kubelet.volumes import VolumeError

HOST_FILE_BYTES_MAX = 1 << 20


class GroundError(Exception):
    """The pod has no sandbox, network or volumes yet; `reason` is the event's."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Ground:
    """What containers are put into."""

    sandbox: SandboxRecord
    pod_ip: str


class SandboxStarter:
    """One for the kubelet."""

    def __init__(
        self,
        config: KubeletConfig,
        ports: KubeletPorts,
        volumes: VolumePreparer,
        handlers: RuntimeHandlers,
    ) -> None:
        self._config = config
        self._ports = ports
        self._volumes = volumes
        self._handlers = handlers

    async def start(self, state: PodState, attempt: int, facts: PodFacts, node: NodeTraits) -> Ground:
        """Make a sandbox of `attempt`, connect it, and set up volumes meanwhile.

        Raises:
            GroundError: one of them failed; what was made stays for the next try.
        """
        try:
            async with asyncio.TaskGroup() as group:
                volumes = group.create_task(self._prepare_volumes(state, facts))
                ground = group.create_task(self._make(state, attempt, node))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if volumes.result() is not None:
            raise GroundError("FailedMount", str(volumes.result()))
        return ground.result()

    async def _prepare_volumes(self, state: PodState, facts: PodFacts) -> str | None:
        """Return why volumes are not ready: the sandbox that starts meanwhile is not given up for it."""
        try:
            await self.prepare_volumes(state, facts)
        except VolumeError as error:
            return str(error)
        return None

    async def prepare_volumes(self, state: PodState, facts: PodFacts) -> None:
        """Set up or refresh the pod's volumes.

        Raises:
            VolumeError: one of them cannot be had now.
        """
        await self._volumes.prepare(state.pod, facts)
        state.volumes_ready = True
        state.volumes_checked_at_s = self._ports.clock.now_s()

    async def _make(self, state: PodState, attempt: int, node: NodeTraits) -> Ground:
        try:
            if pod_wants_user_namespace(state.pod):
                raise ValueError('RuntimeClass handler "" does not support user namespaces')
            wanted = sandbox_config(state.pod, attempt, self._config, node, self._handlers.handler(state.pod))
            sandbox = await self._ports.runtime.run_pod_sandbox(wanted)
        except (ContainerRuntimeError, ValueError) as error:
            raise GroundError("FailedCreatePodSandBox", f"Failed to create pod sandbox: {error}") from error
        return await self.connect(state, sandbox)

    async def connect(self, state: PodState, sandbox: SandboxRecord) -> Ground:
        """Connect a running sandbox to the network (once more is fine) and write the pod's own files.

        Raises:
            GroundError: it could not be connected.
        """
        pod = state.pod
        try:
            if pod.host_network:
                pod_ip = self._config.node_ip
            else:
                pod_ip = await self._ports.network.attach(pod.uid, sandbox.pid, pod.last_ip)
            await self._write_files(state, pod_ip)
        except OSError as error:
            raise GroundError(
                "FailedCreatePodSandBox",
                f'Failed to create pod sandbox: failed to set up network for sandbox "{sandbox.id}": {error}',
            ) from error
        state.pod_ip = pod_ip
        return Ground(sandbox, pod_ip)

    async def _write_files(self, state: PodState, pod_ip: str) -> None:
        pod, config, files = state.pod, self._config, self._ports.files
        if pod.host_network:
            host_file = await files.read_file("/etc/hosts", HOST_FILE_BYTES_MAX)
            hosts = render_host_network_hosts(pod, host_file)
        else:
            hosts = render_hosts(pod, pod_ip, config.cluster_domain)
        host_conf = parse_resolv_conf(await files.read_file(config.resolv_conf, HOST_FILE_BYTES_MAX))
        conf = compute_resolv_conf(pod, host_conf, config.cluster_dns, config.cluster_domain)
        for reason, message in resolv_conf_notes(pod, host_conf, config.cluster_dns, config.cluster_domain):
            self._ports.recorder.record(pod.involved, "Warning", reason, message)
        pod_dir = config.pod_dir(pod.uid)
        await files.write_file(f"{pod_dir}/etc-hosts", hosts)
        await files.write_file(f"{pod_dir}/resolv.conf", render_resolv_conf(conf))
