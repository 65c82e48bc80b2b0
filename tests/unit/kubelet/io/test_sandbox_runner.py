"""What SandboxRunner learns of a host, and from what it learns nothing."""

from dataclasses import replace

import pytest

from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kubelet.cri import ContainerRuntimeError, PodIdentity, RuntimeErrorKind, SandboxConfig
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_runtime import DockerRuntime, KernelPlaces
from minikube_py.kubelet.pause_image import build_pause_image
from minikube_py.testing.fake_docker import FakeDocker
from minikube_py.testing.sequential_ids import sequential_ids

SANDBOX = SandboxConfig(PodIdentity("default", "web", "u-1"), 0, hostname="web")
PAUSE = build_pause_image("amd64")
PAUSE_JSON = {"Id": PAUSE.id, "RepoTags": [PAUSE.tag], "RepoDigests": [], "Size": 1, "Config": {}}


@pytest.fixture
async def engine(tmp_path):
    fake = FakeDocker()
    fake.loadable = (PAUSE_JSON,)
    async with fake.serving(tmp_path) as host:
        fake.host = host
        yield fake


@pytest.fixture
async def runtime(engine):
    api = DockerApi(engine.host)
    kernel = KernelPlaces(engine.proc)
    yield DockerRuntime(api, node_name="n1", clock=SystemClock(), ids=sequential_ids(), kernel=kernel)
    await api.close()


def _network(engine, sandbox):
    return engine.containers[sandbox.id]["HostConfig"]["NetworkMode"]


async def test_a_pause_container_that_somebody_kills_says_nothing_of_the_host(engine, runtime):
    engine.start_exit_codes.append(137)
    with pytest.raises(ContainerRuntimeError, match="stopped while it started") as error:
        await runtime.run_pod_sandbox(SANDBOX)
    again = await runtime.run_pod_sandbox(SANDBOX)

    assert error.value.kind is RuntimeErrorKind.UNAVAILABLE
    assert _network(engine, again) == "host"
    assert list(engine.containers) == [again.id]


async def test_a_host_that_allowed_it_once_is_not_given_up_for_a_failure(engine, runtime, caplog):
    await runtime.run_pod_sandbox(SANDBOX)
    engine.start_exit_codes.append(1)
    with pytest.raises(ContainerRuntimeError, match="must leave the host's network"):
        await runtime.run_pod_sandbox(replace(SANDBOX, attempt=1))
    again = await runtime.run_pod_sandbox(replace(SANDBOX, attempt=2))

    assert _network(engine, again) == "host"
    assert "more slowly" not in caplog.text


async def test_an_image_of_the_users_own_has_no_such_program(engine):
    engine.images["sha256:mine"] = {**PAUSE_JSON, "Id": "sha256:mine", "RepoTags": ["mine:1"]}
    api = DockerApi(engine.host)
    runtime = DockerRuntime(
        api,
        node_name="n1",
        clock=SystemClock(),
        ids=sequential_ids(),
        pause_image="sha256:mine",
        kernel=KernelPlaces(engine.proc),
    )
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    await api.close()

    assert _network(engine, sandbox) == "none"
