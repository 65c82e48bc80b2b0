"""A host for the kubelet's tests: pod network, endpoint drain, files, probe connections and facts, all in memory.

Each fake behaves as its port in kubelet/ports.py says; `journal` (shared with FakeRuntime if wished) tells the order.
"""

import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.engine_leftovers import HostTraces, Shim
from minikube_py.kubelet.node_status import HostFacts
from minikube_py.kubelet.pod_volumes import NfsVolume
from minikube_py.kubelet.ports import VolumeRequest
from minikube_py.kubelet.probes import ProbeOutcome, ProbeResult
from minikube_py.kubelet.volume_ownership import ChangePolicy
from minikube_py.kubelet.volumes import ProjectedFile, VolumeError


class FakePodNetwork:
    """Gives out 10.244.0.2, .3, ...; remembers which sandbox process has which."""

    def __init__(self, journal: list[str] | None = None) -> None:
        self.journal = [] if journal is None else journal
        self.addresses: dict[str, str] = {}
        self.pids: dict[str, int] = {}
        self.failures: list[OSError] = []
        self._next = 2
        self._given: set[str] = set()

    async def attach(self, pod_uid: str, sandbox_pid: int, wanted_ip: str = "") -> str:
        """Connect a pod; the same address for the same pod, and the wanted one if it was never given away."""
        if self.failures:
            raise self.failures.pop(0)
        assert sandbox_pid, "a sandbox that does not run cannot be connected"
        if pod_uid not in self.addresses:
            if not wanted_ip or wanted_ip in self._given:
                wanted_ip = f"10.244.0.{self._next}"
                self._next += 1
            self.addresses[pod_uid] = wanted_ip
            self._given.add(wanted_ip)
        self.pids[pod_uid] = sandbox_pid
        self.journal.append(f"attach {self.addresses[pod_uid]}")
        return self.addresses[pod_uid]

    async def detach(self, pod_uid: str) -> None:
        """Disconnect a pod."""
        address = self.addresses.pop(pod_uid, None)
        self.pids.pop(pod_uid, None)
        if address is not None:
            self.journal.append(f"detach {address}")

    async def adopt(self, live: dict[str, int]) -> dict[str, str]:
        """Keep the connections of live pods, drop the rest."""
        self.addresses = {uid: ip for uid, ip in self.addresses.items() if self.pids[uid] == live.get(uid)}
        return dict(self.addresses)


class FakeLeftovers:
    """Shows what it is given; a shim that is ended is shown no more."""

    def __init__(self) -> None:
        self.traces = HostTraces()

    async def find(self, pods_cgroup: str) -> HostTraces:
        """Return what was given."""
        return self.traces

    async def end_shim(self, shim: Shim) -> None:
        """Forget a shim."""
        self.traces = replace(self.traces, shims=tuple(s for s in self.traces.shims if s != shim))


class FakeEndpointDrain:
    """Withdraws an endpoint `takes_s` after it is asked; None: never."""

    def __init__(self, clock: Clock, journal: list[str] | None = None) -> None:
        self._clock = clock
        self.journal = [] if journal is None else journal
        self.takes_s: float | None = 0.05

    async def wait_withdrawn(self, pod_ip: str, timeout_s: float) -> bool:
        """Wait for the rules."""
        if self.takes_s is None or self.takes_s > timeout_s:
            await self._clock.sleep(timeout_s)
            return False
        await self._clock.sleep(self.takes_s)
        self.journal.append(f"withdrawn {pod_ip}")
        return True

    async def wait_unreachable(self, pod_ip: str, timeout_s: float) -> bool:
        """Return whether the rules that are left go in time; they go by themselves."""
        self.journal.append(f"unreachable {pod_ip}")
        return self.takes_s is not None


class FakePodFiles:
    """Directories and files as a dict; `host` holds what was on the host before."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.volumes: dict[str, VolumeRequest] = {}
        self.has_noswap = True
        """This kernel keeps a tmpfs out of the swap space."""
        self.payloads: dict[str, tuple[ProjectedFile, ...]] = {}
        self.sub_paths: dict[str, str] = {}
        self.nfs: dict[str, tuple[NfsVolume, tuple[str, ...]]] = {}
        self.owners: dict[str, int] = {}
        """Volume -> the group that it was given to."""
        self.host: dict[str, int] = {"/": stat.S_IFDIR}
        """Path -> file type (S_IFDIR, S_IFREG, S_IFSOCK, ...)."""
        self.logs: dict[str, str] = {}
        self.removed_cgroups: list[str] = []

    async def set_up_volume(self, request: VolumeRequest) -> None:
        """Remember the volume and its newest payload."""
        self.volumes[request.path] = request
        if request.files is not None:
            self.payloads[request.path] = request.files

    async def has_unswapped_memory(self) -> bool:
        """Return what the test says."""
        return self.has_noswap

    async def own_volume(self, path: str, gid: int, policy: ChangePolicy) -> None:
        """Remember whose it is."""
        self.owners[path] = gid

    async def mount_nfs(self, volume: NfsVolume, path: str, options: Sequence[str]) -> None:
        """Remember what is mounted."""
        self.nfs[path] = (volume, tuple(options))

    async def make_directory(self, path: str) -> None:
        """Make a directory of the host."""
        self.host[path] = stat.S_IFDIR

    async def remove_directory(self, path: str) -> None:
        """Remove it."""
        self.host.pop(path, None)

    async def check_host_path(self, path: str, type: str) -> None:
        """Look in `host`, and make what may be made."""
        kinds = {"Directory": stat.S_IFDIR, "File": stat.S_IFREG, "Socket": stat.S_IFSOCK}
        kind = kinds.get(type.removesuffix("OrCreate"))
        if kind is None:
            return
        if path not in self.host and type.endswith("OrCreate"):
            self.host[path] = kind
        if self.host.get(path) != kind:
            word = type.removesuffix("OrCreate").lower()
            raise VolumeError(f"hostPath type check failed: {path} is not a {word}")

    async def set_up_sub_path(self, volume_path: str, sub_path: str, mount_point: str) -> str:
        """Remember it."""
        if ".." in sub_path.split("/"):
            raise OSError(22, "path leads out of the volume", sub_path)
        self.sub_paths[mount_point] = f"{volume_path}/{sub_path}"
        return mount_point

    async def write_file(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write."""
        self.texts[path] = text

    async def read_file(self, path: str, limit_bytes: int) -> str:
        """Read."""
        return self.texts.get(path, "")[:limit_bytes]

    async def log_tail(self, log_path: str) -> str:
        """Return what `logs` has."""
        return self.logs.get(log_path, "")

    async def remove_pod(self, pod_dir: str) -> None:
        """Forget everything below."""
        for held in (self.texts, self.volumes, self.payloads, self.sub_paths):
            for path in [p for p in held if p.startswith(pod_dir + "/")]:
                del held[path]

    async def remove_cgroup(self, parent: str) -> None:
        """Remember that it was asked for."""
        self.removed_cgroups.append(parent)

    async def log_uids(self) -> tuple[str, ...]:
        """Return the uids that have logs (`DIR/NS_POD_UID/…`)."""
        return tuple(sorted({_log_uid(path) for path in self.logs}))

    async def remove_logs(self, uids: Collection[str]) -> None:
        """Forget the logs of these pods."""
        self.logs = {path: text for path, text in self.logs.items() if _log_uid(path) not in uids}

    async def pod_uids(self) -> tuple[str, ...]:
        """Return the uids that have files."""
        paths = [*self.texts, *self.volumes]
        return tuple(sorted({p.partition("/pods/")[2].split("/")[0] for p in paths}))


def _log_uid(path: str) -> str:
    return path.split("/")[-3].rpartition("_")[2]


class FakeImageVolumes:
    """Directories with what images hold: path -> image id."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}

    async def set_up_image(self, image_id: str, path: str) -> None:
        """Show an image; what is shown stays."""
        self.shown.setdefault(path, image_id)


@dataclass(slots=True)
class FakeProbeNetwork:
    """Answers by URL or `host:port`; what is not listed is refused."""

    answers: dict[str, ProbeOutcome]
    tries: list[str]
    headers: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    """What each GET brought."""

    async def http_get(
        self, url: str, headers: tuple[tuple[str, str], ...], timeout_s: float, user_agent: str
    ) -> ProbeOutcome:
        """Answer a GET."""
        self.tries.append(url)
        self.headers.append(headers)
        host = url.split("/")[2]
        refused = ProbeOutcome(ProbeResult.FAILURE, f'Get "{url}": dial tcp {host}: connect: connection refused')
        return self.answers.get(url, refused)

    async def tcp_connect(self, host: str, port: int, timeout_s: float) -> ProbeOutcome:
        """Answer a connect."""
        self.tries.append(f"{host}:{port}")
        refused = ProbeOutcome(ProbeResult.FAILURE, f"dial tcp {host}:{port}: connect: connection refused")
        return self.answers.get(f"{host}:{port}", refused)

    async def grpc_check(self, host: str, port: int, service: str, timeout_s: float, user_agent: str) -> ProbeOutcome:
        """Answer a health check, by `host:port/service`."""
        where = f"{host}:{port}/{service}"
        self.tries.append(where)
        return self.answers.get(where, ProbeOutcome(ProbeResult.FAILURE, "timeout: failed to connect service"))


class FakeHost:
    """A host of two processors."""

    def __init__(self) -> None:
        self.facts = HostFacts(
            hostname="host1",
            architecture="amd64",
            kernel="6.1.0",
            os_image="Debian GNU/Linux 12 (bookworm)",
            machine_id="11111111111111111111111111111111",
            system_uuid="22222222-2222-2222-2222-222222222222",
            boot_id="33333333-3333-3333-3333-333333333333",
            cpus=2,
            memory_bytes=8 << 30,
            disk_bytes=100 << 30,
        )

    async def survey(self) -> HostFacts:
        """Return the facts."""
        return self.facts


@dataclass(slots=True)
class FakeEventSink:
    """Keeps what was said."""

    said: list[tuple[str, str, str]]
    """(type, reason, message), in order."""

    def record(self, involved: object, type: str, reason: str, message: str, field_path: str = "") -> None:
        """Keep it."""
        self.said.append((type, reason, message))

    def record_progress(self, involved: object, reason: str, message: str, field_path: str = "") -> None:
        """Keep it like the others."""
        self.said.append(("Normal", reason, message))

    def reasons(self) -> list[str]:
        """Return the reasons in order."""
        return [reason for _, reason, _ in self.said]
