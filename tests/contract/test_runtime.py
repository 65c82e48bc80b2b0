"""The runtime contract, held by Docker (real) and by the runtime in memory."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest

from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kubelet.cri import (
    ContainerId,
    ContainerRecord,
    ContainerRuntimeError,
    ExecResult,
    PodIdentity,
    RuntimeErrorKind,
    SandboxId,
)
from minikube_py.testing.contracts_runtime import POD, Behaviour, RuntimeContract, RuntimeSubject
from minikube_py.testing.docker_subject import docker_subject
from minikube_py.testing.fake_runtime import FakeRuntime, Program

SHELL_COMMANDS = {
    Behaviour.RUNS: ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"),
    Behaviour.IGNORES_TERM: ("sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"),
    Behaviour.EXITS_0: ("true",),
    Behaviour.EXITS_3: ("sh", "-c", "exit 3"),
    Behaviour.MISSING: ("no-such-program",),
    Behaviour.EXEC_SAYS_HELLO: ("echo", "hello"),
    Behaviour.EXEC_EXITS_3: ("sh", "-c", "exit 3"),
    Behaviour.EXEC_HANGS: ("sleep", "1000"),
}

PROGRAMS = {
    Behaviour.RUNS: Program(term_exit_code=0),
    Behaviour.IGNORES_TERM: Program(term_after_s=None),
    Behaviour.EXITS_0: Program(runs_s=0.0),
    Behaviour.EXITS_3: Program(runs_s=0.0, exit_code=3),
    Behaviour.MISSING: Program(start_error='exec: "no-such-program": executable file not found in $PATH'),
}


@pytest.mark.node
class TestDockerRuntime(RuntimeContract):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[RuntimeSubject]:
        async with docker_subject() as docker:
            yield RuntimeSubject(docker.runtime, docker.images, docker.image, docker.image_id, SHELL_COMMANDS)


@dataclass(frozen=True, slots=True)
class FakeSubject(RuntimeSubject):
    """The runtime in memory knows programs by container name, not by command."""

    fake: FakeRuntime | None = None

    async def created(
        self, sandbox: SandboxId, behaviour: Behaviour, *, pod: PodIdentity = POD, name: str = "app", attempt: int = 0
    ) -> ContainerId:
        assert self.fake is not None
        self.fake.programs[name] = PROGRAMS[behaviour]
        return await RuntimeSubject.created(self, sandbox, behaviour, pod=pod, name=name, attempt=attempt)


def run_exec(record: ContainerRecord, command: Sequence[str]) -> ExecResult:
    if tuple(command) == SHELL_COMMANDS[Behaviour.EXEC_SAYS_HELLO]:
        return ExecResult(0, b"hello\n")
    if tuple(command) == SHELL_COMMANDS[Behaviour.EXEC_HANGS]:
        raise ContainerRuntimeError(RuntimeErrorKind.TIMEOUT, "command timed out")
    return ExecResult(3, b"")


class TestFakeRuntime(RuntimeContract):
    @pytest.fixture
    async def subject(self) -> RuntimeSubject:
        fake = FakeRuntime(SystemClock())
        fake.exec_handler = run_exec
        image = fake.add_image("web:1")
        return FakeSubject(fake, fake, "web:1", image.id, SHELL_COMMANDS, fake)
