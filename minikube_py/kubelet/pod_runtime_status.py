"""What the runtime has of one pod, sorted so that rules can ask for the newest run of a container.

Upstream: kubecontainer.PodStatus. Built from a RuntimeListing; dead sandboxes and containers are part of it, since
restart counts and last states come from them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from minikube_py.kubelet.cri import ContainerPhase, ContainerRecord, LinuxUser, RuntimeListing, SandboxRecord

RESTART_COUNT = "io.kubernetes.container.restartCount"
CONTAINER_HASH = "io.kubernetes.container.hash"
GRACE_PERIOD = "io.kubernetes.pod.terminationGracePeriod"
PRE_STOP = "io.kubernetes.container.preStopHandler"
MESSAGE_PATH = "io.kubernetes.container.terminationMessagePath"
MESSAGE_POLICY = "io.kubernetes.container.terminationMessagePolicy"


@dataclass(frozen=True, slots=True)
class PodRuntimeStatus:
    """The sandboxes and containers of one pod, newest first."""

    sandboxes: tuple[SandboxRecord, ...] = ()
    containers: tuple[ContainerRecord, ...] = ()

    @property
    def sandbox(self) -> SandboxRecord | None:
        """Return the newest sandbox."""
        return self.sandboxes[0] if self.sandboxes else None

    def runs(self, name: str) -> tuple[ContainerRecord, ...]:
        """Return all runs of a container, newest first."""
        return tuple(c for c in self.containers if c.name == name)

    def newest(self, name: str) -> ContainerRecord | None:
        """Return the newest run of a container."""
        return next((c for c in self.containers if c.name == name), None)

    def newest_in_sandbox(self, name: str) -> ContainerRecord | None:
        """Return the newest run of a container that belongs to the newest sandbox."""
        sandbox = self.sandbox
        if sandbox is None:
            return None
        return next((c for c in self.containers if c.name == name and c.sandbox_id == sandbox.id), None)

    @property
    def running(self) -> tuple[ContainerRecord, ...]:
        """Return every container that runs."""
        return tuple(c for c in self.containers if c.phase is ContainerPhase.RUNNING)


EMPTY = PodRuntimeStatus()


def pod_runtime_status(sandboxes: Iterable[SandboxRecord], containers: Iterable[ContainerRecord]) -> PodRuntimeStatus:
    """Return the status of one pod's records."""
    return PodRuntimeStatus(
        tuple(sorted(sandboxes, key=lambda s: (s.attempt, s.created_at_s, s.id), reverse=True)),
        tuple(sorted(containers, key=lambda c: (c.attempt, c.created_at_s, c.id), reverse=True)),
    )


def group_by_pod(listing: RuntimeListing) -> Mapping[str, PodRuntimeStatus]:
    """Return the status of each pod uid in a listing of the whole node, sorted by uid."""
    uids = sorted({r.pod.uid for r in listing.sandboxes} | {r.pod.uid for r in listing.containers})
    sandboxes: dict[str, list[SandboxRecord]] = {uid: [] for uid in uids}
    containers: dict[str, list[ContainerRecord]] = {uid: [] for uid in uids}
    for sandbox in listing.sandboxes:
        sandboxes[sandbox.pod.uid].append(sandbox)
    for container in listing.containers:
        containers[container.pod.uid].append(container)
    return {uid: pod_runtime_status(sandboxes[uid], containers[uid]) for uid in uids}


def restart_count_of(record: ContainerRecord) -> int:
    """Return which restart this run is: the label, or the attempt in its name."""
    text = record.annotations.get(RESTART_COUNT, "")
    return int(text) if text.isdigit() else record.attempt


def parse_process_user(status: str) -> LinuxUser | None:
    """Return the real ids of a process from its `/proc/PID/status`; None when the text does not say."""
    lines = dict(line.partition(":")[::2] for line in status.splitlines())
    uid, gid = lines.get("Uid", "").split(), lines.get("Gid", "").split()
    if not uid or not gid:
        return None
    return LinuxUser(int(uid[0]), int(gid[0]), tuple(int(group) for group in lines.get("Groups", "").split()))
