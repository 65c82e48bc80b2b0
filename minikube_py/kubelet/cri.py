"""What the kubelet asks of a container runtime: CRI's verbs (upstream: cri-api RuntimeService, ImageService).

`io/docker_runtime.py` implements them on Docker, `testing.fake_runtime` in memory; both pass one contract suite.
All verbs are idempotent and keyed by labels, so that a kubelet that was killed at any await can do them again.
The runtime keeps no state of its own: names and labels in Docker are the truth.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, NewType, Protocol

from minikube_py.api.streams import RemoteStreams, TerminalSize
from minikube_py.kubelet.pull_progress import PullWatcher

__all__ = ["RemoteStreams", "TerminalSize"]

ContainerId = NewType("ContainerId", str)
"""Docker's 64 hex digits, without `docker://`."""
SandboxId = NewType("SandboxId", str)


class RuntimeErrorKind(Enum):
    """What kind of trouble the runtime reports."""

    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    REFUSED = "refused"
    """The runtime understood and said no (bad mount, bad command, not enough memory)."""
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"


class ContainerRuntimeError(Exception):
    """The one error type of a runtime; `message` is what users see in events and statuses."""

    def __init__(self, kind: RuntimeErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class RuntimeVersionError(ContainerRuntimeError):
    """The runtime answers, and no version of its API is spoken here; `remedy` says which side has to change."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(RuntimeErrorKind.REFUSED, message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class PodIdentity:
    """Which pod a sandbox or container belongs to."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """What the pause container needs (CRI PodSandboxConfig)."""

    pod: PodIdentity
    attempt: int
    hostname: str
    host_network: bool = False
    host_pid: bool = False
    host_ipc: bool = False
    share_process_namespace: bool = False
    """The app containers see the pause process."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    runtime_handler: str = ""
    """The engine's runtime (RuntimeClass handler); empty: its default."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    cgroup_parent: str = ""


@dataclass(frozen=True, slots=True)
class Mount:
    """A bind mount: the source exists before the container is made."""

    host_path: str
    container_path: str
    read_only: bool = False
    propagation: Literal["rprivate", "rslave", "rshared"] = "rprivate"
    recursive_read_only: bool = False
    """What is mounted below the source is read-only too."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the host, as the container sees it."""

    host_path: str
    container_path: str
    permissions: str = "mrw"


@dataclass(frozen=True, slots=True)
class ContainerResources:
    """Docker's resource numbers; 0 means not set."""

    cpu_shares: int = 0
    cpu_quota_us: int = 0
    cpu_period_us: int = 100_000
    memory_limit_bytes: int = 0
    oom_score_adj: int = 0
    pids_limit: int = 0


@dataclass(frozen=True, slots=True)
class ContainerSecurity:
    """The security context as the runtime needs it, pod and container level already merged."""

    user: str = ""
    """`uid[:gid]`, or empty for the image's own."""
    supplemental_groups: tuple[int, ...] = ()
    privileged: bool = False
    read_only_root: bool = False
    capabilities_add: tuple[str, ...] = ()
    capabilities_drop: tuple[str, ...] = ()
    no_new_privileges: bool = False
    seccomp: str = ""
    """Empty: the runtime's default; `unconfined`; or a profile's JSON text."""
    apparmor: str = ""
    unmasked_proc: bool = False
    """procMount Unmasked: nothing of /proc is hidden or read-only."""
    selinux: tuple[tuple[str, str], ...] = ()
    """Parts of the SELinux label: (user|role|type|level, value)."""


@dataclass(frozen=True, slots=True)
class ContainerConfig:
    """What an app container needs (CRI ContainerConfig)."""

    pod: PodIdentity
    name: str
    attempt: int
    image: str
    """The image as the pod names it."""
    image_id: str
    """The id that the image service resolved; the container is made from this."""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    working_dir: str = ""
    devices: tuple[Device, ...] = ()
    mounts: tuple[Mount, ...] = ()
    tty: bool = False
    stdin: bool = False
    stdin_once: bool = False
    share_process_namespace: bool = False
    host_pid: bool = False
    host_network: bool = False
    """Same value as the sandbox's: the container then keeps the host's name."""
    target_container: ContainerId | None = None
    """Ephemeral containers: join this container's process namespace."""
    resources: ContainerResources = ContainerResources()
    security: ContainerSecurity = ContainerSecurity()
    labels: Mapping[str, str] = field(default_factory=dict)
    """The pod's labels; the runtime adds io.kubernetes.*."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Kill-relevant facts (hash, restartCount, grace period, preStop): kept as labels `annotation.*`."""
    cgroup_parent: str = ""
    stop_signal: str = ""
    """Empty: the image's own."""
    runtime_handler: str = ""
    log_path: str = ""
    """`/var/log/pods/NS_NAME_UID/CONTAINER/ATTEMPT.log`: the runtime makes it lead to the log."""
    log_max_bytes: int = 10 << 20
    """The log is rotated at this size, ..."""
    log_files_max: int = 5
    """... and so many files of it stay, the newest included."""


class ContainerPhase(Enum):
    """CRI's container states."""

    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SandboxRecord:
    """One pause container as the runtime shows it."""

    id: SandboxId
    pod: PodIdentity
    attempt: int
    ready: bool
    """The process runs."""
    pid: int
    """0 when it does not run, or when it was only listed (a listing of one pod has it)."""
    created_at_s: float
    """Wall clock."""
    host_network: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LinuxUser:
    """Who a container's first process is."""

    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ContainerRecord:
    """One app container as the runtime shows it."""

    id: ContainerId
    sandbox_id: SandboxId
    pod: PodIdentity
    name: str
    attempt: int
    phase: ContainerPhase
    image: str
    image_id: str
    """As a status shows it: `docker-pullable://repo@sha256:…` or `docker://sha256:…`."""
    created_at_s: float
    started_at_s: float = 0.0
    finished_at_s: float = 0.0
    exit_code: int = 0
    reason: str = ""
    """Completed, Error, OOMKilled, ContainerCannotRun; empty while it runs."""
    message: str = ""
    pid: int = 0
    log_path: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    resources: ContainerResources | None = None
    """What it has now; None when it was only listed."""
    user: LinuxUser | None = None
    """None: not known (it does not run, or only just)."""


@dataclass(frozen=True, slots=True)
class RuntimeListing:
    """Everything of this node that the runtime knows, at one moment (dead ones too)."""

    sandboxes: tuple[SandboxRecord, ...]
    containers: tuple[ContainerRecord, ...]


@dataclass(frozen=True, slots=True)
class RuntimeEvent:
    """A hint that something of a pod changed; the listing is the truth. `pod_uid` empty: relist everything."""

    pod_uid: str
    action: str
    """start, die, oom, destroy, …; `reconnected` after the stream was lost."""
    container: str = field(default="", compare=False)
    """Which sandbox or container; empty when it is not one."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How a command in a container ended."""

    exit_code: int
    output: bytes
    """stdout and stderr as they came, at most 10 KiB."""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image on the host."""

    id: str
    repo_tags: tuple[str, ...]
    repo_digests: tuple[str, ...]
    size_bytes: int
    user: str = ""
    """The image's USER, for runAsNonRoot."""
    pinned: bool = False
    """Never collected, used or not: the pause image."""


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """What the engine says of itself."""

    name: str
    version: str
    api_version: str
    cgroup_driver: str
    cgroup_version: int
    os: str
    """The distribution's name, as the engine shows it."""
    kernel: str
    architecture: str = ""
    """As Go names it: amd64, arm64."""
    root_dir: str = ""
    """Where images and writable layers lie; the image file system of eviction and node status."""


@dataclass(frozen=True, slots=True)
class RegistryAuth:
    """Credentials for one pull."""

    username: str
    password: str = field(repr=False)
    server: str
    identity_token: str = field(default="", repr=False)
    """Instead of a password: what a registry's login gave."""


class RuntimeService(Protocol):
    """Containers. Every method raises ContainerRuntimeError; NOT_FOUND on stop and remove counts as success."""

    async def version(self) -> RuntimeVersion:
        """Return the engine's version; also the health check (bounded to some seconds)."""
        ...

    async def run_pod_sandbox(self, config: SandboxConfig) -> SandboxRecord:
        """Create and start the pause container (network not yet connected); adopts one of the same name."""
        ...

    async def stop_pod_sandbox(self, sandbox: SandboxId) -> None:
        """Stop the pause container."""
        ...

    async def remove_pod_sandbox(self, sandbox: SandboxId) -> None:
        """Remove the pause container and whatever app containers are left in it."""
        ...

    async def create_container(self, sandbox: SandboxId, config: ContainerConfig) -> ContainerId:
        """Create (not start) an app container in the sandbox."""
        ...

    async def start_container(self, container: ContainerId) -> ContainerRecord | None:
        """Start it and return its record from just after; None when it is gone by then.

        REFUSED carries the runtime's text (`exec: "x": executable file not found in $PATH`).
        """
        ...

    async def update_container(self, container: ContainerId, resources: ContainerResources) -> None:
        """Give a running container other resources. REFUSED: less memory than it uses, or more than there is."""
        ...

    async def stop_container(self, container: ContainerId, grace_s: float) -> None:
        """Send the stop signal, wait up to `grace_s`, then kill; returns when it is dead."""
        ...

    async def remove_container(self, container: ContainerId) -> None:
        """Remove a dead container, its log and its anonymous volumes."""
        ...

    async def listing(self, pod_uid: str = "") -> RuntimeListing:
        """Return all sandboxes and containers of this node (of one pod when given), full records for that pod."""
        ...

    async def has_container(self, container: ContainerId) -> bool:
        """Return whether there is such a container or sandbox, whoever made it."""
        ...

    def events(self) -> AsyncIterator[RuntimeEvent]:
        """Yield hints until cancelled, from the first listing on; reconnects by itself and says so."""
        ...

    async def exec_sync(self, container: ContainerId, command: Sequence[str], timeout_s: float) -> ExecResult:
        """Run a command to its end. TIMEOUT when it did not end: its process is killed then."""
        ...

    async def exec_stream(
        self, container: ContainerId, command: Sequence[str], *, tty: bool, stdin: bool, streams: RemoteStreams
    ) -> int:
        """Run a command connected to a client and return its exit code."""
        ...

    async def attach_stream(self, container: ContainerId, *, tty: bool, stdin: bool, streams: RemoteStreams) -> None:
        """Connect a client to the container's own process until either ends."""
        ...


class ImageService(Protocol):
    """Images. Every method raises ContainerRuntimeError."""

    async def image_status(self, image: str) -> ImageRecord | None:
        """Return the image by name or id, or None when it is not on the host."""
        ...

    async def pull_image(self, image: str, auth: RegistryAuth | None, told: PullWatcher) -> ImageRecord:
        """Pull it; REFUSED/NOT_FOUND carry the registry's words, TIMEOUT: it did not get on."""
        ...

    async def tag_image(self, image: str, name: str) -> None:
        """Give an image (by name or id) one more name, which another image may lose by that."""
        ...

    async def list_images(self) -> tuple[ImageRecord, ...]:
        """Return all images."""
        ...

    async def remove_image(self, image_id: str) -> None:
        """Remove an image with all its tags and digests; CONFLICT, and all are left, while a container needs it."""
        ...

    async def load_image(self, archive: bytes) -> None:
        """Load a `docker save` archive."""
        ...

    async def load_archive(self, path: str) -> tuple[str, ...]:
        """Load a `docker save` archive from a file (plain or compressed), and return its images' names or ids.

        Raises:
            OSError: the file cannot be read.
        """
        ...
