"""Starts one container: image, configuration, create, start, postStart; says each step in an event.

Upstream: kuberuntime startContainer. What fails is returned as the waiting reason that the status shows.
"""

from dataclasses import dataclass

from minikube_py.api.errors import StatusError
from minikube_py.api.resources import SERVICES
from minikube_py.kubelet.cgroup_names import container_path
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.container_config import (
    HOSTS_PATH,
    RESOLV_CONF_PATH,
    ContainerParts,
    NodeTraits,
    container_config,
    container_mounts,
)
from minikube_py.kubelet.container_status import WaitingReason
from minikube_py.kubelet.cri import (
    ContainerId,
    ContainerPhase,
    ContainerRecord,
    ContainerRuntimeError,
    ImageRecord,
    Mount,
    RuntimeErrorKind,
    SandboxId,
)
from minikube_py.kubelet.downward import PodFacts
from minikube_py.kubelet.environment import ConfigError, Environment, make_environment, referenced_objects
from minikube_py.kubelet.images import ImageWanted
from minikube_py.kubelet.io.container_killer import ContainerKiller
from minikube_py.kubelet.io.hook_runner import HOOK_S_MAX, HookError, HookRunner
from minikube_py.kubelet.io.image_puller import ImageError, ImagePuller
from minikube_py.kubelet.io.interrupt import run_unless
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.kubelet.io.pod_observer import PodObserver
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.io.runtime_handlers import RuntimeHandlers
from minikube_py.kubelet.io.volume_preparer import VolumePreparer
from minikube_py.kubelet.pod_actions import ContainerKill, KillReason
from minikube_py.kubelet.pod_runtime_status import restart_count_of
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.kubelet.resources import cgroup_parent
from minikube_py.kubelet.security import check_non_root, missing_seccomp_profile, seccomp_profile_name
from minikube_py.kubelet.service_environment import service_environment
from minikube_py.kubelet.volumes import VolumeError

PROFILE_BYTES_MAX = 1 << 20
"""Docker's own profile has some 13 KB."""


@dataclass(frozen=True, slots=True)
class StartTools:
    """What a starter works with besides the ports."""

    observer: PodObserver
    images: ImagePuller
    objects: ObjectReader
    volumes: VolumePreparer
    hooks: HookRunner
    killer: ContainerKiller
    handlers: RuntimeHandlers


class ContainerStarter:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, ports: KubeletPorts, tools: StartTools) -> None:
        self._config = config
        self._ports = ports
        self._tools = tools
        self._services = ports.informers.informer(SERVICES)

    async def start(
        self, state: PodState, container: Container, sandbox: SandboxId, facts: PodFacts, node: NodeTraits
    ) -> WaitingReason | None:
        """Start a container; None when it runs, else why it does not.

        Raises:
            InterruptedByStopError: the pod is to be stopped.
        """
        try:
            image, mounted = await self._images(state, container)
        except ImageError as error:
            self._say(state, container, "Failed", f"Error: {error.reason}")
            return WaitingReason(error.reason, error.message)
        try:
            for image_id, path in mounted:
                await self._ports.image_volumes.set_up_image(image_id, path)
            parts = await self._parts(state, container, image, facts, node)
            config = container_config(state.pod, container, parts, self._config, node)
        except (ConfigError, VolumeError, OSError, StatusError) as error:
            self._say(state, container, "Failed", f"Error: {error}")
            return WaitingReason("CreateContainerConfigError", str(error))
        except ContainerRuntimeError as error:
            self._say(state, container, "Failed", f"Error: {error.message}")
            return WaitingReason("CreateContainerError", error.message)
        try:
            made = await self._ports.runtime.create_container(sandbox, config)
        except ContainerRuntimeError as error:
            self._say(state, container, "Failed", f"Error: {error.message}")
            return WaitingReason("CreateContainerError", error.message)
        self._say(state, container, "Created", "Container created")
        state.started.add(made)
        try:
            started = await self._ports.runtime.start_container(made)
        except ContainerRuntimeError as error:
            state.started.discard(made)
            self._say(state, container, "Failed", f"Error: {error.message}")
            return WaitingReason("RunContainerError", error.message)
        if node.cgroup_version == 2:
            parent = cgroup_parent(state.pod, self._config.cgroup_root, node.cgroup_driver)
            await self._ports.cgroups.die_together(container_path(parent, made))
        await self._tools.observer.add_started(state, started)
        self._say(state, container, "Started", "Container started")
        return await self._post_start(state, container, made)

    async def _post_start(self, state: PodState, container: Container, made: ContainerId) -> WaitingReason | None:
        if container.post_start is None:
            return None
        hook = self._tools.hooks.run(container.post_start, made, container, state, HOOK_S_MAX)
        try:
            await run_unless(state.stop, hook)
        except HookError as error:
            self._say(state, container, "FailedPostStartHook", "PostStartHook failed")
            record = await self._record(state, made)
            if record is not None:
                kill = ContainerKill(record, KillReason.POD_KILLED, "FailedPostStartHook")
                await self._tools.killer.kill(state, kill, state.pod.termination_grace_s)
            return WaitingReason("PostStartHookError", str(error))
        return None

    async def _record(self, state: PodState, made: ContainerId) -> ContainerRecord | None:
        listing = await self._ports.runtime.listing(state.pod.uid)
        return next((c for c in listing.containers if c.id == made), None)

    async def _parts(
        self, state: PodState, container: Container, image: ImageRecord, facts: PodFacts, node: NodeTraits
    ) -> ContainerParts:
        check_non_root(state.pod, container, image.user)
        environment = await self._environment(state, container, facts)
        attempt = await self._attempt(state, container)
        paths = await self._tools.volumes.mount_paths(state.pod, container, dict(environment.variables))
        mounts = container_mounts(
            container,
            paths,
            self._tools.volumes.read_only(state.pod),
            await self._pod_mounts(state, container, attempt),
            node,
        )
        return ContainerParts(
            attempt,
            image,
            environment,
            mounts,
            self._target(state, container),
            self._tools.volumes.devices(state.pod, container),
            await self._seccomp_profile(state, container),
            self._tools.handlers.handler(state.pod),
        )

    async def _images(self, state: PodState, container: Container) -> tuple[ImageRecord, list[tuple[str, str]]]:
        """Return a container's image, and of each image that it mounts the id and the directory."""
        images = self._tools.images
        wanted = ImageWanted(container.image, container.image_pull_policy, container.field_path)
        image = await images.ensure(state, wanted)
        mounted = []
        for source, path in self._tools.volumes.image_volumes(state.pod, container):
            found = await images.ensure(state, ImageWanted(source.reference, source.pull_policy))
            mounted.append((found.id, path))
        return image, mounted

    async def _seccomp_profile(self, state: PodState, container: Container) -> str:
        name = seccomp_profile_name(state.pod, container)
        if not name:
            return ""
        path = f"{self._config.seccomp_dir}/{name}"
        text = await self._ports.files.read_file(path, PROFILE_BYTES_MAX)
        if not text:
            raise ContainerRuntimeError(RuntimeErrorKind.REFUSED, missing_seccomp_profile(container.name, path))
        return text

    async def _environment(self, state: PodState, container: Container, facts: PodFacts) -> Environment:
        pod = state.pod
        objects = await self._tools.objects.read(pod.namespace, referenced_objects(container))
        own = self._services.list(pod.namespace)
        master = () if pod.namespace == "default" else self._services.list("default")
        variables = service_environment(pod.namespace, [*own, *master], service_links=pod.enable_service_links)
        environment = make_environment(pod, container, facts, variables, objects)
        for source, keys in environment.skipped.items():
            message = (
                f"Keys [{', '.join(keys)}] from the EnvFrom {source} were skipped since they are considered "
                "invalid environment variable names."
            )
            self._ports.recorder.record(pod.involved, "Warning", "InvalidEnvironmentVariableNames", message)
        return environment

    async def _attempt(self, state: PodState, container: Container) -> int:
        newest = state.status.newest(container.name)
        if newest is None:
            return _known_restarts(state, container)
        if newest.phase is ContainerPhase.CREATED:
            # Made but never started, since the kubelet was stopped in between: take its place.
            await self._ports.runtime.remove_container(newest.id)
            return restart_count_of(newest)
        return restart_count_of(newest) + 1

    async def _pod_mounts(self, state: PodState, container: Container, attempt: int) -> list[Mount]:
        pod_dir = self._config.pod_dir(state.pod.uid)
        log = f"{pod_dir}/containers/{container.name}/{attempt}"
        await self._ports.files.write_file(log, "", 0o666)
        return [
            Mount(f"{pod_dir}/etc-hosts", HOSTS_PATH),
            Mount(f"{pod_dir}/resolv.conf", RESOLV_CONF_PATH),
            Mount(log, container.termination_message_path),
        ]

    def _target(self, state: PodState, container: Container) -> ContainerId | None:
        if not container.target_container:
            return None
        target = state.status.newest(container.target_container)
        if target is None:
            raise ConfigError(f"unable to find target container {container.target_container}")
        return target.id

    def _say(self, state: PodState, container: Container, reason: str, message: str) -> None:
        normal = reason in ("Created", "Started")
        kind = "Normal" if normal else "Warning"
        self._ports.recorder.record(
            state.pod.involved, "Normal" if kind == "Normal" else "Warning", reason, message, container.field_path
        )


def _known_restarts(state: PodState, container: Container) -> int:
    """Return the restart count to go on from when the runtime has no run of a container any more."""
    status = state.pod.object.get("status") or {}
    for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for entry in status.get(field) or ():
            if entry.get("name") == container.name and entry.get("containerID"):
                return int(entry.get("restartCount") or 0) + 1
    return 0
