"""What the runtime is asked to create for a pod: sandbox and container configurations (upstream: kuberuntime).

Everything that is needed to stop a container properly without the API object is in its annotations: the hash of its
definition, the restart count, the grace period, the preStop hook.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from minikube_py.api.quantity import parse_quantity
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.container import FIELD_OF_KIND, Container, VolumeMount
from minikube_py.kubelet.cri import (
    ContainerConfig,
    ContainerId,
    ContainerResources,
    Device,
    ImageRecord,
    Mount,
    SandboxConfig,
)
from minikube_py.kubelet.environment import ConfigError, Environment, expand
from minikube_py.kubelet.hooks import encode_handler
from minikube_py.kubelet.hosts_file import kernel_hostname
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_runtime_status import (
    CONTAINER_HASH,
    GRACE_PERIOD,
    MESSAGE_PATH,
    MESSAGE_POLICY,
    PRE_STOP,
    RESTART_COUNT,
)
from minikube_py.kubelet.resources import cgroup_parent, container_resources
from minikube_py.kubelet.security import container_security

HOSTS_PATH = "/etc/hosts"
RESOLV_CONF_PATH = "/etc/resolv.conf"

_PROPAGATION: Mapping[str, Literal["rprivate", "rslave", "rshared"]] = {
    "None": "rprivate",
    "HostToContainer": "rslave",
    "Bidirectional": "rshared",
}


@dataclass(frozen=True, slots=True)
class NodeTraits:
    """What configurations need to know of this node."""

    memory_bytes: int
    cgroup_driver: str
    hostname: str
    cgroup_version: int = 1
    cpus: int = 1
    huge_pages: tuple[tuple[int, int], ...] = ()
    recursive_read_only: bool = False
    """The engine can make whole trees of mounts read-only."""


@dataclass(frozen=True, slots=True)
class ContainerParts:
    """What was prepared for one run of a container."""

    attempt: int
    image: ImageRecord
    environment: Environment
    mounts: tuple[Mount, ...]
    target: ContainerId | None = None
    devices: tuple[Device, ...] = ()
    seccomp_profile: str = ""
    """The text of a Localhost profile."""
    runtime_handler: str = ""


RECURSIVE_READ_ONLY_SINCE = ((1, 44), (5, 12))
"""Engine API and kernel from which on read-only mounts can be recursive."""


def can_mount_recursively_read_only(api_version: str, kernel: str) -> bool:
    """Return whether engine and kernel can make whole trees of mounts read-only."""
    api_needed, kernel_needed = RECURSIVE_READ_ONLY_SINCE
    return _numbers(api_version) >= api_needed and _numbers(kernel) >= kernel_needed


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def pod_wants_user_namespace(pod: Pod) -> bool:
    """Return whether a pod wants user ids of its own: Docker maps those of the whole engine, or none."""
    return (pod.object.get("spec") or {}).get("hostUsers") is False


def sandbox_config(
    pod: Pod, attempt: int, config: KubeletConfig, node: NodeTraits, runtime_handler: str = ""
) -> SandboxConfig:
    """Return the pause container's configuration.

    Raises:
        ValueError: the pod wants a host name that the kernel does not take.
    """
    return SandboxConfig(
        pod=pod.identity,
        attempt=attempt,
        hostname=kernel_hostname(pod, config.cluster_domain, node.hostname),
        host_network=pod.host_network,
        host_pid=pod.host_pid,
        host_ipc=pod.host_ipc,
        share_process_namespace=pod.share_process_namespace,
        sysctls={s["name"]: str(s["value"]) for s in pod.security.get("sysctls") or ()},
        runtime_handler=runtime_handler,
        labels=pod.labels,
        cgroup_parent=cgroup_parent(pod, config.cgroup_root, node.cgroup_driver),
    )


def container_config(
    pod: Pod, container: Container, parts: ContainerParts, config: KubeletConfig, node: NodeTraits
) -> ContainerConfig:
    """Return an app container's configuration.

    Raises:
        ConfigError: its security context cannot be had here.
    """
    variables = dict(parts.environment.variables)
    resources = container_resources(pod, container, node.memory_bytes, cpu_cfs_quota=config.cpu_cfs_quota)
    return ContainerConfig(
        pod=pod.identity,
        name=container.name,
        attempt=parts.attempt,
        image=container.image,
        image_id=parts.image.id,
        command=tuple(expand(word, variables) for word in container.command),
        args=tuple(expand(word, variables) for word in container.args),
        env=parts.environment.variables,
        working_dir=container.working_dir,
        mounts=parts.mounts,
        devices=parts.devices,
        tty=container.tty,
        stdin=container.stdin,
        stdin_once=container.stdin_once,
        share_process_namespace=pod.share_process_namespace,
        host_pid=pod.host_pid,
        host_network=pod.host_network,
        target_container=parts.target,
        resources=_with_pids_limit(resources, config.pod_pids_limit),
        security=container_security(pod, container, parts.seccomp_profile),
        stop_signal=container.stop_signal,
        runtime_handler=parts.runtime_handler,
        annotations=_annotations(pod, container, parts.attempt),
        cgroup_parent=cgroup_parent(pod, config.cgroup_root, node.cgroup_driver),
        log_path=config.log_path(pod.namespace, pod.name, pod.uid, container.name, parts.attempt),
        log_max_bytes=parse_quantity(config.container_log_max_size).value,
        log_files_max=config.container_log_max_files,
    )


def _with_pids_limit(resources: ContainerResources, limit: int) -> ContainerResources:
    return ContainerResources(
        resources.cpu_shares,
        resources.cpu_quota_us,
        resources.cpu_period_us,
        resources.memory_limit_bytes,
        resources.oom_score_adj,
        limit,
    )


def _annotations(pod: Pod, container: Container, attempt: int) -> Mapping[str, str]:
    annotations = {
        CONTAINER_HASH: container.hash,
        RESTART_COUNT: str(attempt),
        MESSAGE_PATH: container.termination_message_path,
        MESSAGE_POLICY: container.termination_message_policy,
        GRACE_PERIOD: str(int(pod.termination_grace_s)),
    }
    if container.pre_stop is not None:
        annotations[PRE_STOP] = encode_handler(_raw_pre_stop(pod, container))
    return annotations


def _raw_pre_stop(pod: Pod, container: Container) -> Mapping[str, Any]:
    for raw in (pod.object.get("spec") or {}).get(FIELD_OF_KIND[container.kind]) or ():
        if raw.get("name") == container.name:
            handler: Mapping[str, Any] = (raw.get("lifecycle") or {}).get("preStop") or {}
            return handler
    return {}


def container_mounts(
    container: Container,
    volume_paths: Sequence[tuple[int, str]],
    read_only_volumes: frozenset[str],
    pod_mounts: Sequence[Mount],
    node: NodeTraits,
) -> tuple[Mount, ...]:
    """Return all bind mounts of a container.

    Args:
        container: the container.
        volume_paths: index into `volume_mounts` and the host path that was prepared for it.
        read_only_volumes: volumes that nobody may write to (ConfigMap, Secret, downwardAPI, projected).
        pod_mounts: hosts file, resolv.conf and termination log; left out where a volume covers their path.
        node: what this node can do.

    Raises:
        ConfigError: a mount asks for what this node cannot do.
    """
    mounts: list[Mount] = []
    for index, host_path in volume_paths:
        wanted = container.volume_mounts[index]
        mounts.append(
            Mount(
                host_path=host_path,
                container_path=_absolute(wanted.mount_path),
                read_only=wanted.read_only or wanted.name in read_only_volumes,
                propagation=_PROPAGATION.get(wanted.propagation, "rprivate"),
                recursive_read_only=_is_recursive(wanted, node),
            )
        )
    covered = {mount.container_path for mount in mounts}
    mounts.extend(mount for mount in pod_mounts if mount.container_path not in covered)
    return tuple(mounts)


def _is_recursive(mount: VolumeMount, node: NodeTraits) -> bool:
    if mount.recursive_read_only == "Enabled" and not node.recursive_read_only:
        raise ConfigError(
            f'failed to resolve recursive read-only mode: volume "{mount.name}" requested recursive read-only mode, '
            "but it is not supported by the runtime"
        )
    return mount.recursive_read_only in ("Enabled", "IfPossible") and node.recursive_read_only


def _absolute(path: str) -> str:
    return (path if path.startswith("/") else "/" + path).rstrip("/") or "/"
