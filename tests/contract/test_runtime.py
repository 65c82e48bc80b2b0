"""The runtime contract, held by Docker (real) and by the runtime in memory."""

from collections.abc import AsyncIterator

import pytest

from minikube_py.testing.contracts_runtime import Behaviour, RuntimeContract, RuntimeSubject
from minikube_py.testing.docker_subject import docker_subject

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


@pytest.mark.node
class TestDockerRuntime(RuntimeContract):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[RuntimeSubject]:
        async with docker_subject() as docker:
            yield RuntimeSubject(docker.runtime, docker.images, docker.image, docker.image_id, SHELL_COMMANDS)
