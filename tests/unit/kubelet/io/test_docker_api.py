import asyncio
from pathlib import Path

import pytest

from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.io import docker_api
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.testing.other_user import as_nobody


@pytest.fixture
async def api(engine):
    opened = DockerApi(engine.host)
    yield opened
    await opened.close()


async def test_no_engine_is_said_plainly(tmp_path):
    api = DockerApi(f"unix://{tmp_path}/none.sock")
    with pytest.raises(ContainerRuntimeError) as error:
        await api.version()

    assert error.value.kind is RuntimeErrorKind.UNAVAILABLE
    assert error.value.message == f"cannot reach Docker at unix://{tmp_path}/none.sock: is it running?"


async def test_an_engine_that_this_user_may_not_use_is_told_from_one_that_does_not_run(engine):
    Path(engine.host.removeprefix("unix://")).chmod(0)
    api = DockerApi(engine.host)
    with as_nobody(), pytest.raises(ContainerRuntimeError) as error:
        await api.version()

    assert error.value.message == f"cannot reach Docker at {engine.host}: this user may not use it, run this as root"


async def test_calls_go_to_the_newest_version_that_both_speak(engine, api):
    engine.version["ApiVersion"] = "1.52"
    await api.version()

    assert api.api_version == "1.44"
    assert engine.requests == ["/version", "/v1.44/version"]


async def test_an_engine_that_is_too_old_is_refused(engine, api):
    engine.version["ApiVersion"] = "1.26"
    with pytest.raises(ContainerRuntimeError, match="speaks API 1.26; 1.40 is needed"):
        await api.version()


async def test_an_error_carries_the_engines_words(api):
    with pytest.raises(ContainerRuntimeError) as error:
        await api.inspect_container("nobody")

    assert (error.value.kind, error.value.message) == (RuntimeErrorKind.NOT_FOUND, "No such container: nobody")


async def test_an_engine_that_hangs_is_a_timeout(engine, api, monkeypatch):
    monkeypatch.setattr(docker_api, "READ_TIMEOUT_S", 0.05)
    engine.hang.clear()
    with pytest.raises(ContainerRuntimeError, match="did not answer within 0.05 s") as error:
        await api.inspect_container("anybody")

    assert error.value.kind is RuntimeErrorKind.TIMEOUT


async def test_a_stream_that_is_left_gives_its_connection_back(engine, api):
    engine.send_line(b"{}")
    for _ in range(3):
        async with api.stream("events", params={}) as chunks:
            assert await anext(chunks) == b"{}\n"

    assert not api._streams.connector._acquired


async def test_calls_at_the_same_time_agree_on_one_version(engine, api):
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(api.version())

    assert engine.requests.count("/version") == 1
