"""What every container runtime must do: one suite for Docker and for the one in memory.

A test module derives a class from RuntimeContract and gives a fixture `subject`: a RuntimeSubject whose runtime
knows no container yet. What commands do differs between runtimes, so the subject says which command shows which
Behaviour. Method names are the sentences that must be true.
"""

# ruff: noqa: D102

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import pytest

from minikube_py.kubelet.cri import (
    ContainerConfig,
    ContainerId,
    ContainerPhase,
    ContainerRecord,
    ContainerResources,
    ContainerRuntimeError,
    ExecResult,
    ImageService,
    PodIdentity,
    RuntimeErrorKind,
    RuntimeEvent,
    RuntimeService,
    SandboxConfig,
    SandboxId,
    SandboxRecord,
)
from minikube_py.testing.images import FURTHER_TAG

POD = PodIdentity("default", "web-1", "11111111-2222-4333-8444-555555555555")
OTHER_POD = PodIdentity("kube-system", "dns", "99999999-2222-4333-8444-555555555555")
NO_CONTAINER = ContainerId("f" * 64)
SOON_S = 10.0


class Behaviour(Enum):
    """What a container or an exec does when it runs a command."""

    RUNS = "runs until SIGTERM, then exits with 0 at once"
    IGNORES_TERM = "runs until SIGKILL"
    EXITS_0 = "exits with 0 at once"
    EXITS_3 = "exits with 3 at once"
    MISSING = "there is no such program"
    EXEC_SAYS_HELLO = "as an exec: writes hello and a newline to standard output, exits with 0"
    EXEC_EXITS_3 = "as an exec: exits with 3"
    EXEC_HANGS = "as an exec: never ends"


@dataclass(frozen=True, slots=True)
class RuntimeSubject:
    """A runtime under test."""

    runtime: RuntimeService
    images: ImageService
    image: str
    """The name of an image that is on the host."""
    image_id: str
    commands: Mapping[Behaviour, tuple[str, ...]] = field(default_factory=dict)

    async def sandbox(self, pod: PodIdentity = POD, attempt: int = 0) -> SandboxRecord:
        """Run a sandbox."""
        labels = {"app": "web"}
        return await self.runtime.run_pod_sandbox(SandboxConfig(pod, attempt, hostname=pod.name, labels=labels))

    async def created(
        self, sandbox: SandboxId, behaviour: Behaviour, *, pod: PodIdentity = POD, name: str = "app", attempt: int = 0
    ) -> ContainerId:
        """Create a container that will behave so."""
        config = ContainerConfig(
            pod=pod,
            name=name,
            attempt=attempt,
            image=self.image,
            image_id=self.image_id,
            command=self.commands[behaviour],
            labels={"app": "web"},
            annotations={"io.kubernetes.container.hash": "abc"},
        )
        return await self.runtime.create_container(sandbox, config)

    async def started(
        self, sandbox: SandboxId, behaviour: Behaviour, *, pod: PodIdentity = POD, name: str = "app", attempt: int = 0
    ) -> ContainerId:
        """Create and start a container that behaves so."""
        container = await self.created(sandbox, behaviour, pod=pod, name=name, attempt=attempt)
        await self.runtime.start_container(container)
        return container

    async def record(self, container: ContainerId, pod: PodIdentity = POD) -> ContainerRecord:
        """Return a container's record."""
        listing = await self.runtime.listing(pod.uid)
        return next(record for record in listing.containers if record.id == container)

    async def record_when(
        self, container: ContainerId, is_so: Callable[[ContainerRecord], bool], pod: PodIdentity = POD
    ) -> ContainerRecord:
        """Return a container's record as soon as it is so."""
        async with asyncio.timeout(SOON_S):
            while True:
                record = await self.record(container, pod)
                if is_so(record):
                    return record
                await asyncio.sleep(0.02)


def has_exited(record: ContainerRecord) -> bool:
    """Return whether the container's process has ended."""
    return record.phase is ContainerPhase.EXITED


class RuntimeContract:
    """Sentences about RuntimeService and ImageService."""

    async def test_the_version_names_engine_and_cgroup_driver(self, subject: RuntimeSubject) -> None:
        version = await subject.runtime.version()

        assert version.name
        assert version.version
        assert version.cgroup_driver in ("cgroupfs", "systemd")
        assert version.cgroup_version in (1, 2)

    async def test_a_sandbox_that_was_run_is_ready_and_says_whose_it_is(self, subject: RuntimeSubject) -> None:
        made = await subject.sandbox(attempt=2)

        (listed,) = (await subject.runtime.listing(POD.uid)).sandboxes
        for sandbox in (made, listed):
            assert (sandbox.pod, sandbox.attempt, sandbox.ready) == (POD, 2, True)
            assert sandbox.pid > 0
            assert dict(sandbox.labels) == {"app": "web"}
            assert not sandbox.host_network
        assert listed.id == made.id

    async def test_running_a_sandbox_twice_gives_the_same_one(self, subject: RuntimeSubject) -> None:
        first = await subject.sandbox()
        second = await subject.sandbox()

        assert second.id == first.id
        assert second.pid == first.pid

    async def test_a_sandbox_whose_attempt_is_dead_is_made_anew(self, subject: RuntimeSubject) -> None:
        first = await subject.sandbox()
        await subject.runtime.stop_pod_sandbox(first.id)
        second = await subject.sandbox()

        assert second.id != first.id
        assert [(s.id, s.ready) for s in (await subject.runtime.listing(POD.uid)).sandboxes] == [(second.id, True)]

    async def test_a_stopped_sandbox_is_listed_and_not_ready(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        await subject.runtime.stop_pod_sandbox(sandbox.id)
        await subject.runtime.stop_pod_sandbox(sandbox.id)

        (listed,) = (await subject.runtime.listing(POD.uid)).sandboxes
        assert (listed.id, listed.ready, listed.pid) == (sandbox.id, False, 0)

    async def test_a_removed_sandbox_takes_its_containers_along(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        await subject.started(sandbox.id, Behaviour.RUNS)
        await subject.runtime.remove_pod_sandbox(sandbox.id)
        await subject.runtime.remove_pod_sandbox(sandbox.id)

        listing = await subject.runtime.listing(POD.uid)
        assert (listing.sandboxes, listing.containers) == ((), ())

    async def test_a_created_container_waits_and_keeps_labels_and_annotations(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.created(sandbox.id, Behaviour.RUNS, attempt=4)

        record = await subject.record(container)
        assert (record.pod, record.name, record.attempt, record.sandbox_id) == (POD, "app", 4, sandbox.id)
        assert record.phase is ContainerPhase.CREATED
        assert dict(record.labels) == {"app": "web"}
        assert dict(record.annotations) == {"io.kubernetes.container.hash": "abc"}
        assert record.created_at_s > 0
        assert (record.started_at_s, record.finished_at_s) == (0.0, 0.0)

    async def test_a_started_container_runs(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.RUNS)

        record = await subject.record(container)
        assert record.phase is ContainerPhase.RUNNING
        assert record.pid > 0
        assert record.started_at_s >= record.created_at_s
        assert (record.finished_at_s, record.exit_code, record.reason) == (0.0, 0, "")
        assert record.image == subject.image

    async def test_starting_a_running_container_again_changes_nothing(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.RUNS)
        before = await subject.record(container)

        assert await subject.runtime.start_container(container) == before
        assert await subject.record(container) == before

    @pytest.mark.parametrize(
        ("behaviour", "exit_code", "reason"),
        [(Behaviour.EXITS_0, 0, "Completed"), (Behaviour.EXITS_3, 3, "Error")],
        ids=["success", "failure"],
    )
    async def test_an_ended_container_says_how_it_ended(
        self, subject: RuntimeSubject, behaviour: Behaviour, exit_code: int, reason: str
    ) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, behaviour)

        record = await subject.record_when(container, has_exited)
        assert (record.exit_code, record.reason) == (exit_code, reason)
        assert record.finished_at_s >= record.started_at_s > 0

    async def test_a_missing_program_is_refused_at_start_and_the_container_cannot_run(
        self, subject: RuntimeSubject
    ) -> None:
        sandbox = await subject.sandbox()
        container = await subject.created(sandbox.id, Behaviour.MISSING)

        with pytest.raises(ContainerRuntimeError, match="not found") as refusal:
            await subject.runtime.start_container(container)
        assert refusal.value.kind is RuntimeErrorKind.REFUSED
        record = await subject.record(container)
        assert (record.phase, record.reason) == (ContainerPhase.EXITED, "ContainerCannotRun")
        assert record.exit_code in (126, 127, 128)
        assert record.started_at_s == record.finished_at_s == record.created_at_s
        assert record.message

    async def test_an_updated_container_has_other_resources_and_runs_on(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.RUNS)
        before = await subject.record(container)
        numbers = ContainerResources(cpu_shares=61, cpu_quota_us=20_000, memory_limit_bytes=64 << 20)
        await subject.runtime.update_container(container, numbers)
        after = await subject.record(container)

        assert (after.pid, after.phase) == (before.pid, ContainerPhase.RUNNING)
        assert after.resources is not None
        assert (after.resources.cpu_shares, after.resources.cpu_quota_us) == (61, 20_000)
        assert after.resources.memory_limit_bytes == 64 << 20

    async def test_a_stopped_container_gets_the_time_to_end_by_itself(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.RUNS)
        async with asyncio.timeout(SOON_S):
            await subject.runtime.stop_container(container, grace_s=30)

        record = await subject.record(container)
        assert (record.phase, record.exit_code) == (ContainerPhase.EXITED, 0)

    async def test_a_container_that_ignores_the_signal_is_killed_after_its_grace(
        self, subject: RuntimeSubject
    ) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.IGNORES_TERM)
        begun = asyncio.get_running_loop().time()
        await subject.runtime.stop_container(container, grace_s=0.4)

        assert asyncio.get_running_loop().time() - begun >= 0.4
        record = await subject.record(container)
        assert (record.phase, record.exit_code, record.reason) == (ContainerPhase.EXITED, 137, "Error")

    async def test_without_grace_a_container_is_killed_at_once(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.RUNS)
        await subject.runtime.stop_container(container, grace_s=0)

        assert (await subject.record(container)).exit_code == 137

    async def test_stopping_and_removing_what_is_gone_is_success(self, subject: RuntimeSubject) -> None:
        await subject.runtime.stop_container(NO_CONTAINER, grace_s=1)
        await subject.runtime.remove_container(NO_CONTAINER)
        await subject.runtime.stop_pod_sandbox(SandboxId(NO_CONTAINER))
        await subject.runtime.remove_pod_sandbox(SandboxId(NO_CONTAINER))

    async def test_a_removed_container_is_not_listed(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.EXITS_0)
        await subject.record_when(container, has_exited)
        await subject.runtime.remove_container(container)
        await subject.runtime.remove_container(container)

        assert (await subject.runtime.listing(POD.uid)).containers == ()

    async def test_what_was_made_is_known_until_it_is_removed(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.created(sandbox.id, Behaviour.RUNS)
        assert await subject.runtime.has_container(container)
        assert await subject.runtime.has_container(ContainerId(sandbox.id))
        await subject.runtime.remove_container(container)
        assert not await subject.runtime.has_container(container)

    async def test_a_running_container_of_the_same_name_is_adopted(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.RUNS)

        assert await subject.created(sandbox.id, Behaviour.RUNS) == container

    async def test_a_dead_container_of_the_same_name_is_replaced(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        dead = await subject.started(sandbox.id, Behaviour.EXITS_0)
        await subject.record_when(dead, has_exited)
        container = await subject.created(sandbox.id, Behaviour.RUNS)

        assert container != dead
        assert [record.id for record in (await subject.runtime.listing(POD.uid)).containers] == [container]

    async def test_a_listing_of_one_pod_shows_no_other(self, subject: RuntimeSubject) -> None:
        mine, other = await subject.sandbox(), await subject.sandbox(OTHER_POD)
        container = await subject.started(mine.id, Behaviour.RUNS)
        another = await subject.started(other.id, Behaviour.RUNS, pod=OTHER_POD)

        one, everything = await subject.runtime.listing(POD.uid), await subject.runtime.listing()
        assert ([s.id for s in one.sandboxes], [c.id for c in one.containers]) == ([mine.id], [container])
        assert {s.id for s in everything.sandboxes} == {mine.id, other.id}
        assert {c.id for c in everything.containers} == {container, another}

    async def test_events_hint_at_the_pod_whose_container_started_and_died(self, subject: RuntimeSubject) -> None:
        seen: list[RuntimeEvent] = []
        listening, died = asyncio.Event(), asyncio.Event()

        async def listen() -> None:
            async for event in subject.runtime.events():
                seen.append(event)
                listening.set()
                if event.action == "die":
                    died.set()

        async with asyncio.TaskGroup() as group:
            listener = group.create_task(listen())
            async with asyncio.timeout(SOON_S):
                await listening.wait()  # the first hint says: list everything, from now on you are told
                sandbox = await subject.sandbox()
                container = await subject.started(sandbox.id, Behaviour.RUNS)
                await subject.runtime.stop_container(container, grace_s=5)
                await died.wait()
            listener.cancel()

        assert seen[0] == RuntimeEvent("", "reconnected")
        assert RuntimeEvent(POD.uid, "die") in seen
        assert seen.count(RuntimeEvent(POD.uid, "start")) == 2

    async def test_an_exec_gives_output_and_exit_code(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.RUNS)
        hello = await _exec(subject, container, Behaviour.EXEC_SAYS_HELLO)
        failed = await _exec(subject, container, Behaviour.EXEC_EXITS_3)

        assert (hello.exit_code, hello.output) == (0, b"hello\n")
        assert failed.exit_code == 3

    async def test_an_exec_that_hangs_is_given_up(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.RUNS)

        with pytest.raises(ContainerRuntimeError) as given_up:
            await subject.runtime.exec_sync(container, subject.commands[Behaviour.EXEC_HANGS], 0.3)
        assert given_up.value.kind is RuntimeErrorKind.TIMEOUT

    async def test_an_exec_in_a_dead_container_is_a_conflict(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.EXITS_0)
        await subject.record_when(container, has_exited)

        with pytest.raises(ContainerRuntimeError) as conflict:
            await _exec(subject, container, Behaviour.EXEC_SAYS_HELLO)
        assert conflict.value.kind is RuntimeErrorKind.CONFLICT

    async def test_an_image_is_found_by_name_and_by_id(self, subject: RuntimeSubject) -> None:
        by_name = await subject.images.image_status(subject.image)
        by_id = await subject.images.image_status(subject.image_id)

        assert by_name is not None
        assert by_name == by_id
        assert subject.image in by_name.repo_tags
        assert subject.image_id in [image.id for image in await subject.images.list_images()]

    async def test_an_unknown_image_is_none_and_its_removal_success(self, subject: RuntimeSubject) -> None:
        assert await subject.images.image_status("minikube-py/no-such-image:1") is None
        await subject.images.remove_image("minikube-py/no-such-image:1")

    async def test_an_image_gets_one_more_name(self, subject: RuntimeSubject) -> None:
        name = FURTHER_TAG
        await subject.images.tag_image(subject.image_id, name)

        named = await subject.images.image_status(name)
        assert named is not None
        assert named.id == subject.image_id
        with pytest.raises(ContainerRuntimeError) as unknown:
            await subject.images.tag_image("minikube-py/no-such-image:1", name)
        assert unknown.value.kind is RuntimeErrorKind.NOT_FOUND

    async def test_an_image_that_a_container_was_made_from_keeps_all_its_names(self, subject: RuntimeSubject) -> None:
        sandbox = await subject.sandbox()
        container = await subject.started(sandbox.id, Behaviour.EXITS_0)
        await subject.record_when(container, has_exited)
        before = await subject.images.image_status(subject.image_id)

        with pytest.raises(ContainerRuntimeError) as needed:
            await subject.images.remove_image(subject.image_id)
        assert needed.value.kind is RuntimeErrorKind.CONFLICT
        assert await subject.images.image_status(subject.image_id) == before

    async def test_an_archive_that_is_not_there_is_an_error_of_the_file(self, subject: RuntimeSubject) -> None:
        with pytest.raises(OSError, match="no-such-archive"):
            await subject.images.load_archive("/no-such-archive.tar")


async def _exec(subject: RuntimeSubject, container: ContainerId, behaviour: Behaviour) -> ExecResult:
    command: Sequence[str] = subject.commands[behaviour]
    return await subject.runtime.exec_sync(container, command, SOON_S)
