from contextlib import aclosing

import pytest

from minikube_py.api.errors import BadRequestError, InternalError, TimeoutStatusError, UnavailableError
from minikube_py.api.streams import ContainerRef, ExecOptions, LogOptions
from minikube_py.kubelet.cri import (
    ContainerId,
    ContainerPhase,
    ContainerRecord,
    ContainerRuntimeError,
    PodIdentity,
    RuntimeErrorKind,
    RuntimeListing,
    SandboxId,
)
from minikube_py.kubelet.io.pod_streams import DockerPodStreams

REF = ContainerRef("default", "web", "u-1", "app")
LINE = '{"log":"%s\\n","stream":"stdout","time":"2026-11-24T06:00:00Z"}\n'


class Runtime:
    """One pod whose container answers an exec on both streams and dies when told."""

    def __init__(self, folder):
        self.folder = folder
        self.running = True
        self.phase = ContainerPhase.RUNNING
        self.error = None
        self.looks = 0

    async def listing(self, pod_uid=""):
        if self.error is not None:
            raise self.error
        pod = PodIdentity("default", "web", "u-1")
        record = ContainerRecord(ContainerId("c1"), SandboxId("s1"), pod, "app", 0, self.phase, "i", "", 100.0)
        return RuntimeListing((), (record,) if pod_uid == "u-1" else ())

    async def log_file(self, container):
        return str(self.folder / "log") if (self.folder / "log").exists() else ""

    async def is_running(self, container):
        self.looks += 1
        if self.error is not None:
            raise self.error
        return self.running

    async def wait_death(self, container, timeout_s):
        with (self.folder / "log").open("a") as file:
            file.write(LINE % "later")
        self.running = False
        return True

    async def exec_stream(self, container, command, *, tty, stdin, streams):
        await streams.write_stdout(" ".join(command).encode())
        await streams.write_stderr(b"complaint")
        return 3

    async def attach_stream(self, container, *, tty, stdin, streams):
        async for data in streams.stdin():
            await streams.write_stdout(data)


class Client:
    def __init__(self):
        self.out = self.err = b""

    async def stdin(self):
        yield b"typed"

    async def resizes(self):
        return
        yield

    async def write_stdout(self, data):
        self.out += data

    async def write_stderr(self, data):
        self.err += data


@pytest.fixture
def runtime(tmp_path):
    return Runtime(tmp_path)


def streams(runtime, waiting_reason=""):
    return DockerPodStreams(runtime, lambda uid, container: waiting_reason)


def options(*command, stdout=True, stderr=True):
    return ExecOptions(command, stdin=True, stdout=stdout, stderr=stderr, tty=False)


async def logs(runtime, waiting_reason="", **wanted):
    async with aclosing(streams(runtime, waiting_reason).logs(REF, LogOptions(**wanted))) as pieces:
        return b"".join([piece async for piece in pieces])


async def test_an_exec_gives_the_exit_code_and_only_the_streams_that_were_asked_for(runtime):
    both, out = Client(), Client()

    assert await streams(runtime).exec(REF, options("ls", "-l"), both) == 3
    assert (both.out, both.err) == (b"ls -l", b"complaint")
    await streams(runtime).exec(REF, options("ls", stderr=False), out)
    assert (out.out, out.err) == (b"ls", b"")


async def test_attach_joins_the_running_container(runtime):
    client = Client()
    await streams(runtime).attach(REF, options(), client)

    assert client.out == b"typed"


async def test_exec_in_a_dead_container_says_not_found(runtime):
    runtime.phase = ContainerPhase.EXITED
    with pytest.raises(InternalError) as error:
        await streams(runtime).exec(REF, options("ls"), Client())

    assert error.value.message == 'container not found ("app")'


async def test_a_log_is_read_from_the_engines_file(runtime, tmp_path):
    (tmp_path / "log").write_text(LINE % "one" + LINE % "two")

    assert await logs(runtime) == b"one\ntwo\n"
    assert runtime.looks == 0


async def test_a_container_that_was_never_started_has_an_empty_log(runtime):
    runtime.phase = ContainerPhase.EXITED

    assert await logs(runtime) == b""


async def test_following_ends_with_the_container_after_its_last_line(runtime, tmp_path):
    (tmp_path / "log").write_text(LINE % "one")

    assert await logs(runtime, follow=True) == b"one\nlater\n"


async def test_a_waiting_container_says_for_what(runtime):
    runtime.phase = ContainerPhase.CREATED
    with pytest.raises(BadRequestError, match="trying and failing to pull image"):
        await logs(runtime, "ImagePullBackOff")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (RuntimeErrorKind.UNAVAILABLE, UnavailableError),
        (RuntimeErrorKind.TIMEOUT, TimeoutStatusError),
        (RuntimeErrorKind.CONFLICT, InternalError),
    ],
)
async def test_the_runtimes_errors_reach_the_user_as_a_status(runtime, kind, status):
    runtime.error = ContainerRuntimeError(kind, "the engine's words")
    with pytest.raises(status, match="the engine's words"):
        await logs(runtime)


async def test_a_follower_outlasts_an_engine_that_is_away(runtime, tmp_path):
    (tmp_path / "log").write_text(LINE % "one")
    pieces = streams(runtime).logs(REF, LogOptions(follow=True))
    listing = await runtime.listing("u-1")

    async def listed(pod_uid=""):
        return listing

    runtime.listing = listed
    runtime.error = ContainerRuntimeError(RuntimeErrorKind.UNAVAILABLE, "gone")
    async with aclosing(pieces):
        assert b"".join([piece async for piece in pieces]) == b"one\nlater\n"
