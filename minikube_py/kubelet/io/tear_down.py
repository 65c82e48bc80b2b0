"""Takes every pod of this node off the host, with no API server: what `minikube-py down` does.

Works from the runtime's listing alone: containers stop (all at once, with one short grace period), sandboxes
go, mounts, directories and cgroups are removed (links are the network's business). Can be done again.
"""

import asyncio
import logging
from collections.abc import Mapping

from minikube_py.kubelet.cgroup_names import DRIVERS, tier_cgroup
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeService
from minikube_py.kubelet.io.pod_files import HostPodFiles
from minikube_py.kubelet.io.systemd_slices import SystemdSlices
from minikube_py.kubelet.pod_runtime_status import PodRuntimeStatus, group_by_pod
from minikube_py.kubelet.ports import PodFiles
from minikube_py.kubelet.resources import cgroup_parents

log = logging.getLogger("kubelet")

PARALLEL = 4
GRACE_S = 5.0
"""What each container has between TERM and KILL."""


async def tear_down_node(config: KubeletConfig, runtime: RuntimeService) -> dict[str, int]:
    """Stop and remove all pods of the node; return how much of what was removed.

    Raises:
        ContainerRuntimeError: the runtime does not answer.
        OSError: something is still in use; the message lists all of it.
    """
    return await take_pods_down(config, runtime, HostPodFiles(config, SystemdSlices()))


async def take_pods_down(config: KubeletConfig, runtime: RuntimeService, files: PodFiles) -> dict[str, int]:
    """Do what tear_down_node does, on any files.

    Raises:
        ContainerRuntimeError: the runtime does not answer.
        OSError: something is still in use.
    """
    by_pod = group_by_pod(await runtime.listing())
    busy = await _take_all_down(runtime, by_pod, PARALLEL)
    # An engine that had too much to do for an answer in time is asked again, for one pod at a time.
    faults = [*(await _take_all_down(runtime, {uid: by_pod[uid] for uid in busy}, 1)).values()]
    uids = sorted({*by_pod, *await files.pod_uids()})
    for uid in uids:
        try:
            await files.remove_pod(config.pod_dir(uid))
            for driver in DRIVERS:
                for parent in cgroup_parents(uid, config.cgroup_root, driver):
                    await files.remove_cgroup(parent)
        except OSError as error:
            faults.append(f"directory of pod {uid}: {error}")
    # Of both drivers: the engine may have had the other one when some of the cgroups were made.
    for driver in DRIVERS:
        await files.remove_cgroup(tier_cgroup("Guaranteed", config.cgroup_root, driver))
    if faults:
        raise OSError("; ".join(sorted(faults)))
    sandboxes = sum(len(status.sandboxes) for status in by_pod.values())
    containers = sum(len(status.containers) for status in by_pod.values())
    return {"pods": len(uids), "containers": sandboxes + containers}


async def _take_all_down(
    runtime: RuntimeService, by_pod: Mapping[str, PodRuntimeStatus], parallel: int
) -> dict[str, str]:
    """Take pods down, so many at once; return what was wrong with which."""
    faults: dict[str, str] = {}
    slots = asyncio.Semaphore(parallel)

    async def take_down(uid: str, status: PodRuntimeStatus) -> None:
        async with slots:
            try:
                await _take_down(runtime, status)
            except* (ContainerRuntimeError, OSError) as group:
                faults[uid] = f"pod {uid}: {'; '.join(map(str, group.exceptions))}"

    async with asyncio.TaskGroup() as group:
        for uid, status in by_pod.items():
            group.create_task(take_down(uid, status))
    return faults


async def _take_down(runtime: RuntimeService, status: PodRuntimeStatus) -> None:
    async with asyncio.TaskGroup() as group:
        for container in status.running:
            group.create_task(runtime.stop_container(container.id, GRACE_S))
    for sandbox in status.sandboxes:
        await runtime.stop_pod_sandbox(sandbox.id)
    for container in status.containers:
        await runtime.remove_container(container.id)
    for sandbox in status.sandboxes:
        await runtime.remove_pod_sandbox(sandbox.id)
