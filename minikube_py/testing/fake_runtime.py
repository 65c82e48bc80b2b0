"""A container runtime in memory: what the kubelet's tests run pods on (cri.RuntimeService and cri.ImageService).

It behaves: sandboxes and containers are adopted or replaced by name, containers run their program (a Program says
how long and how it ends), TERM and KILL take effect after the program's own delay, events are sent, images must be
there. Time is the loop's, so that with looptime an hour of crash loops takes milliseconds. `journal` tells in which
order the outside saw things happen; `fail_next` makes a verb fail once.
"""

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from minikube_py.kit.clock import Clock
from minikube_py.kit.io.mailbox import Mailbox, OnFull
from minikube_py.kubelet.cri import (
    ContainerConfig,
    ContainerId,
    ContainerPhase,
    ContainerRecord,
    ContainerResources,
    ContainerRuntimeError,
    ExecResult,
    ImageRecord,
    RegistryAuth,
    RemoteStreams,
    RuntimeErrorKind,
    RuntimeEvent,
    RuntimeListing,
    RuntimeVersion,
    SandboxConfig,
    SandboxId,
    SandboxRecord,
)
from minikube_py.kubelet.pull_progress import PullProgress, PullWatcher

EVENTS_MAX = 10_000
KILLED = 137


def unwatched(progress: PullProgress) -> None:
    """Let a pull say how far it is to nobody."""


@dataclass(frozen=True, slots=True)
class Program:
    """What a container does: runs for ever, or `runs_s` seconds and then ends with `exit_code`."""

    runs_s: float | None = None
    exit_code: int = 0
    term_after_s: float | None = 0.0
    """How long it takes to end after TERM (with `term_exit_code`); None: it ignores TERM."""
    term_exit_code: int = 143
    start_error: str = ""
    oom: bool = False
    uses_bytes: int = 0
    """Memory that it holds on to."""


@dataclass(slots=True)
class _Container:
    record: ContainerRecord
    config: ContainerConfig
    program: Program
    died: asyncio.Event = field(default_factory=asyncio.Event)
    timer: asyncio.TimerHandle | None = None


ExecHandler = Callable[[ContainerRecord, Sequence[str]], ExecResult]


class FakeRuntime:
    """One engine; `programs` maps image or container names to what they do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._containers: dict[ContainerId, _Container] = {}
        self._sandboxes: dict[SandboxId, SandboxRecord] = {}
        self._subscribers: list[Mailbox[RuntimeEvent]] = []
        self._untold: deque[RuntimeEvent] | None = None
        """What happened since a listing that nobody has subscribed after yet."""
        self._failures: list[tuple[str, ContainerRuntimeError]] = []
        self._count = 0
        self.programs: dict[str, Program] = {}
        self.about = RuntimeVersion(
            "docker", "20.10.24", "1.41", "cgroupfs", 1, "Debian", "6.1", "amd64", "/var/lib/docker"
        )
        self.images: dict[str, ImageRecord] = {}
        self.registry: dict[str, ImageRecord] = {}
        """What can be pulled."""
        self.registry_logins: dict[str, tuple[str, str]] = {}
        """Images that only this user with this password can pull."""
        self.foreign: set[str] = set()
        """Containers at the engine that are not this node's."""
        self.pulls: list[tuple[str, str]] = []
        """(image, user), in order; the user is empty without credentials."""
        self.exec_handler: ExecHandler = lambda record, command: ExecResult(0, b"")
        self.exec_takes_s = 0.0
        self.journal: list[str] = []
        self.verbs: Counter[str] = Counter()
        """How often each verb was called."""
        self.up = True
        self.deaf = False
        """Events are lost."""

    # What a test does.

    def add_image(self, name: str, user: str = "") -> ImageRecord:
        """Put an image on the host."""
        image = _image(name, user)
        self.images[name] = image
        return image

    def fail_next(self, verb: str, error: ContainerRuntimeError) -> None:
        """Make the next call of `verb` fail."""
        self._failures.append((verb, error))

    def exit_container(self, container: ContainerId, exit_code: int) -> None:
        """End a container's process, as if by itself."""
        self._end(self._containers[container], exit_code, "Completed" if exit_code == 0 else "Error")

    def kill_sandbox(self, sandbox: SandboxId) -> None:
        """End a pause process, as a restart of the engine does."""
        record = self._sandboxes[sandbox]
        self._sandboxes[sandbox] = replace(record, ready=False, pid=0)
        self._tell(record.pod.uid, "die", record.id)

    def records(self, name: str = "") -> list[ContainerRecord]:
        """Return the app containers (of one name), oldest first."""
        return [c.record for c in self._containers.values() if name in ("", c.record.name)]

    def config_of(self, container: ContainerId) -> ContainerConfig:
        """Return what a container was created from."""
        return self._containers[container].config

    # cri.RuntimeService.

    async def version(self) -> RuntimeVersion:
        """Return a version, or fail while the engine is down."""
        await self._enter("version")
        return self.about

    async def run_pod_sandbox(self, config: SandboxConfig) -> SandboxRecord:
        """Create and start a sandbox; the same one again is adopted."""
        await self._enter("run_pod_sandbox")
        for record in list(self._sandboxes.values()):
            if record.pod.uid == config.pod.uid and record.attempt == config.attempt:
                if record.ready:
                    return record
                del self._sandboxes[record.id]
        identity = SandboxId(self._new_id())
        record = SandboxRecord(
            id=identity,
            pod=config.pod,
            attempt=config.attempt,
            ready=True,
            pid=1000 + self._count,
            created_at_s=self._clock.wall_s(),
            host_network=config.host_network,
            labels=config.labels,
            annotations=config.annotations,
        )
        self._sandboxes[identity] = record
        self.journal.append(f"run sandbox {config.pod.name}/{config.attempt}")
        self._tell(config.pod.uid, "start", identity)
        return record

    async def stop_pod_sandbox(self, sandbox: SandboxId) -> None:
        """Stop a sandbox."""
        await self._enter("stop_pod_sandbox")
        record = self._sandboxes.get(sandbox)
        if record is not None and record.ready:
            self._sandboxes[sandbox] = replace(record, ready=False, pid=0)
            self.journal.append(f"stop sandbox {record.pod.name}/{record.attempt}")
            self._tell(record.pod.uid, "die", record.id)

    async def remove_pod_sandbox(self, sandbox: SandboxId) -> None:
        """Remove a sandbox and what is left in it."""
        await self._enter("remove_pod_sandbox")
        for container in [c for c in self._containers.values() if c.record.sandbox_id == sandbox]:
            self._end(container, KILLED, "Error")
            del self._containers[container.record.id]
        record = self._sandboxes.pop(sandbox, None)
        if record is not None:
            self.journal.append(f"remove sandbox {record.pod.name}/{record.attempt}")

    async def create_container(self, sandbox: SandboxId, config: ContainerConfig) -> ContainerId:
        """Create a container; its name must be free and its image on the host."""
        await self._enter("create_container")
        if sandbox not in self._sandboxes:
            raise ContainerRuntimeError(RuntimeErrorKind.NOT_FOUND, f"No such container: {sandbox}")
        if not any(image.id == config.image_id for image in self.images.values()):
            raise ContainerRuntimeError(RuntimeErrorKind.NOT_FOUND, f"No such image: {config.image}")
        namesake = self._namesake(config)
        if namesake is not None and namesake.record.phase is ContainerPhase.RUNNING:
            return namesake.record.id
        if namesake is not None:
            del self._containers[namesake.record.id]
        identity = ContainerId(self._new_id())
        program = self.programs.get(config.name) or self.programs.get(config.image) or Program()
        record = ContainerRecord(
            id=identity,
            sandbox_id=sandbox,
            pod=config.pod,
            name=config.name,
            attempt=config.attempt,
            phase=ContainerPhase.CREATED,
            image=config.image,
            image_id=f"docker://{config.image_id}",
            created_at_s=self._clock.wall_s(),
            log_path=config.log_path,
            labels=config.labels,
            annotations=config.annotations,
            resources=config.resources,
        )
        self._containers[identity] = _Container(record, config, program)
        self.journal.append(f"create {config.name}/{config.attempt}")
        return identity

    async def start_container(self, container: ContainerId) -> ContainerRecord | None:
        """Start it; its program begins."""
        await self._enter("start_container")
        held = self._find(container)
        if held.record.phase is ContainerPhase.RUNNING:
            return held.record
        if held.program.start_error:
            now_s = held.record.created_at_s
            held.record = replace(
                held.record,
                phase=ContainerPhase.EXITED,
                exit_code=127,
                reason="ContainerCannotRun",
                message=held.program.start_error,
                started_at_s=now_s,
                finished_at_s=now_s,
            )
            raise ContainerRuntimeError(RuntimeErrorKind.REFUSED, held.program.start_error)
        held.record = replace(
            held.record, phase=ContainerPhase.RUNNING, started_at_s=self._clock.wall_s(), pid=2000 + self._count
        )
        self.journal.append(f"start {held.record.name}/{held.record.attempt}")
        self._tell(held.record.pod.uid, "start", container)
        if held.program.runs_s is not None:
            program = held.program
            reason = "OOMKilled" if program.oom else ("Completed" if program.exit_code == 0 else "Error")
            held.timer = asyncio.get_running_loop().call_later(
                held.program.runs_s, self._end, held, program.exit_code, reason
            )
        return held.record

    async def update_container(self, container: ContainerId, resources: ContainerResources) -> None:
        """Give a container other resources; less memory than it `uses_bytes` is refused."""
        await self._enter("update_container")
        held = self._find(container)
        if 0 < resources.memory_limit_bytes < held.program.uses_bytes:
            raise ContainerRuntimeError(RuntimeErrorKind.REFUSED, "device or resource busy")
        held.record = replace(held.record, resources=resources)
        self.journal.append(f"update {held.record.name}/{held.record.attempt}")
        self._tell(held.record.pod.uid, "update", container)

    async def stop_container(self, container: ContainerId, grace_s: float) -> None:
        """Send TERM, wait, then KILL."""
        await self._enter("stop_container")
        held = self._containers.get(container)
        if held is None or held.record.phase is not ContainerPhase.RUNNING:
            return
        self.journal.append(f"term {held.record.name}/{held.record.attempt}")
        if held.program.term_after_s is not None and grace_s > 0:
            asyncio.get_running_loop().call_later(
                held.program.term_after_s, self._end, held, held.program.term_exit_code, "Error"
            )
        try:
            async with asyncio.timeout(grace_s):
                await held.died.wait()
        except TimeoutError:
            self.journal.append(f"kill {held.record.name}/{held.record.attempt}")
            self._end(held, KILLED, "Error")

    async def remove_container(self, container: ContainerId) -> None:
        """Remove a dead container."""
        await self._enter("remove_container")
        held = self._containers.get(container)
        if held is None:
            return
        if held.record.phase is ContainerPhase.RUNNING:
            raise ContainerRuntimeError(RuntimeErrorKind.CONFLICT, "You cannot remove a running container")
        del self._containers[container]
        self.journal.append(f"remove {held.record.name}/{held.record.attempt}")
        self._tell(held.record.pod.uid, "destroy", held.record.id)

    async def listing(self, pod_uid: str = "") -> RuntimeListing:
        """Return the records."""
        await self._enter("listing")
        if self._untold is None and not self._subscribers:
            self._untold = deque(maxlen=EVENTS_MAX)
        sandboxes = tuple(record for record in self._sandboxes.values() if pod_uid in ("", record.pod.uid))
        containers = tuple(c.record for c in self._containers.values() if pod_uid in ("", c.record.pod.uid))
        return RuntimeListing(sandboxes, containers)

    async def has_container(self, container: ContainerId) -> bool:
        """Return whether there is such a record."""
        await self._enter("has_container")
        known: set[str] = {*self._containers, *self._sandboxes, *self.foreign}
        return container in known

    async def events(self) -> AsyncIterator[RuntimeEvent]:
        """Yield what happened since the first listing, and what happens from now on."""
        mailbox: Mailbox[RuntimeEvent] = Mailbox(EVENTS_MAX, OnFull.DROP_OLDEST)
        self._subscribers.append(mailbox)
        mailbox.put_nowait(RuntimeEvent("", "reconnected"))
        for event in self._untold or ():
            mailbox.put_nowait(event)
        self._untold = None
        try:
            while True:
                yield await mailbox.get()
        finally:
            self._subscribers.remove(mailbox)

    async def exec_sync(self, container: ContainerId, command: Sequence[str], timeout_s: float) -> ExecResult:
        """Run a command as `exec_handler` says."""
        await self._enter("exec_sync")
        held = self._find(container)
        if held.record.phase is not ContainerPhase.RUNNING:
            raise ContainerRuntimeError(RuntimeErrorKind.CONFLICT, f"Container {container} is not running")
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.sleep(self.exec_takes_s)
        except TimeoutError:
            raise ContainerRuntimeError(RuntimeErrorKind.TIMEOUT, "command timed out") from None
        self.journal.append(f"exec {held.record.name} {' '.join(command)}")
        return self.exec_handler(held.record, command)

    async def exec_stream(
        self, container: ContainerId, command: Sequence[str], *, tty: bool, stdin: bool, streams: RemoteStreams
    ) -> int:
        """Run a command as `exec_handler` says and send its output as stdout."""
        result = await self.exec_sync(container, command, 60.0)
        await streams.write_stdout(result.output)
        return result.exit_code

    async def attach_stream(self, container: ContainerId, *, tty: bool, stdin: bool, streams: RemoteStreams) -> None:
        """Wait until the container ends."""
        await self._enter("attach_stream")
        await self._find(container).died.wait()

    # cri.ImageService.

    async def image_status(self, image: str) -> ImageRecord | None:
        """Return an image by name or id."""
        await self._enter("image_status")
        by_id = {record.id: record for record in self.images.values()}
        return self.images.get(image) or by_id.get(image)

    async def pull_image(self, image: str, auth: RegistryAuth | None, told: PullWatcher) -> ImageRecord:
        """Pull what the registry has."""
        await self._enter("pull_image")
        told(PullProgress())
        self.pulls.append((image, auth.username if auth else ""))
        login = self.registry_logins.get(image)
        if login is not None and (auth is None or (auth.username, auth.password) != login):
            words = f"pull access denied for {image}: unauthorized: authentication required"
            raise ContainerRuntimeError(RuntimeErrorKind.REFUSED, words)
        if image not in self.registry:
            message = f"manifest for {image} not found: manifest unknown: manifest unknown"
            raise ContainerRuntimeError(RuntimeErrorKind.NOT_FOUND, message)
        self.images[image] = self.registry[image]
        return self.registry[image]

    async def list_images(self) -> tuple[ImageRecord, ...]:
        """Return all images, sorted by name."""
        await self._enter("list_images")
        distinct = {self.images[name].id: self.images[name] for name in sorted(self.images)}
        return tuple(distinct.values())

    async def remove_image(self, image_id: str) -> None:
        """Remove an image."""
        await self._enter("remove_image")
        if any(c.config.image_id == image_id for c in self._containers.values()):
            raise ContainerRuntimeError(RuntimeErrorKind.CONFLICT, f"image {image_id} is used by a container")
        self.images = {name: image for name, image in self.images.items() if image.id != image_id}
        self.journal.append(f"remove image {image_id}")

    async def tag_image(self, image: str, name: str) -> None:
        """Give an image one more name."""
        await self._enter("tag_image")
        found = next((record for key, record in self.images.items() if image in (key, record.id)), None)
        if found is None:
            raise ContainerRuntimeError(RuntimeErrorKind.NOT_FOUND, f"No such image: {image}")
        self.images[name] = replace(found, repo_tags=(*found.repo_tags, name))

    async def load_image(self, archive: bytes) -> None:
        """Load an archive: here its text is the image's name."""
        await self._enter("load_image")
        self.add_image(archive.decode())

    async def load_archive(self, path: str) -> tuple[str, ...]:
        """Load an archive: here each line of it is an image's name."""
        await self._enter("load_archive")
        names = tuple((await asyncio.to_thread(Path(path).read_text)).split())
        if not names:
            raise ContainerRuntimeError(RuntimeErrorKind.REFUSED, f"{path} holds no image")
        for name in names:
            self.add_image(name)
        self.journal.append(f"load {Path(path).name}")
        return names

    # Inside.

    async def _enter(self, verb: str) -> None:
        self.verbs[verb] += 1
        await asyncio.sleep(0)
        if not self.up:
            raise ContainerRuntimeError(RuntimeErrorKind.UNAVAILABLE, "Cannot connect to the Docker daemon")
        for index, (wanted, error) in enumerate(self._failures):
            if wanted == verb:
                del self._failures[index]
                raise error

    def _find(self, container: ContainerId) -> _Container:
        held = self._containers.get(container)
        if held is None:
            raise ContainerRuntimeError(RuntimeErrorKind.NOT_FOUND, f"No such container: {container}")
        return held

    def _namesake(self, config: ContainerConfig) -> _Container | None:
        name = (config.pod.uid, config.name, config.attempt)
        held = self._containers.values()
        return next((c for c in held if (c.config.pod.uid, c.config.name, c.config.attempt) == name), None)

    def _new_id(self) -> str:
        self._count += 1
        return hashlib.sha256(str(self._count).encode()).hexdigest()

    def _end(self, held: _Container, exit_code: int, reason: str) -> None:
        if held.record.phase is not ContainerPhase.RUNNING:
            return
        if held.timer is not None:
            held.timer.cancel()
        held.record = replace(
            held.record,
            phase=ContainerPhase.EXITED,
            exit_code=exit_code,
            reason="Completed" if exit_code == 0 and reason == "Error" else reason,
            finished_at_s=self._clock.wall_s(),
            pid=0,
        )
        held.died.set()
        self.journal.append(f"end {held.record.name}/{held.record.attempt} {exit_code}")
        self._tell(held.record.pod.uid, "die", held.record.id)

    def _tell(self, pod_uid: str, action: str, container: str) -> None:
        event = RuntimeEvent(pod_uid, action, container)
        if self._untold is not None:
            self._untold.append(event)
        for mailbox in () if self.deaf else self._subscribers:
            mailbox.put_nowait(event)


def _image(name: str, user: str) -> ImageRecord:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return ImageRecord(f"sha256:{digest}", (name,), (), 1_234_567, user)
