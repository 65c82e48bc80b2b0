"""What only a real engine and a real kernel can show about pods on Docker."""

import asyncio
import json
import os
import struct
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from minikube_py.api.streams import ContainerRef, ExecOptions, LogOptions, TerminalSize
from minikube_py.kubelet.container_spec import SANDBOX_OOM_SCORE_ADJ
from minikube_py.kubelet.cri import (
    ContainerConfig,
    ContainerPhase,
    ContainerResources,
    ContainerRuntimeError,
    Mount,
    PodIdentity,
    RuntimeErrorKind,
    RuntimeEvent,
    SandboxConfig,
)
from minikube_py.kubelet.io import docker_runtime
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_images import DockerImages
from minikube_py.kubelet.io.image_import import build_pause, import_archive, list_images
from minikube_py.kubelet.io.pod_streams import DockerPodStreams
from minikube_py.kubelet.pause_image import PAUSE_TAG, build_pause_image
from minikube_py.testing.docker_subject import DOCKER_HOST, PULL_STALL_S, docker_subject
from minikube_py.testing.images import busybox_image, host_busybox_image

pytestmark = pytest.mark.node

POD = PodIdentity("default", "web", "0d0c0e0r-test")
REF = ContainerRef(POD.namespace, POD.name, POD.uid, "app")
SLEEP = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
CAP_SYS_RESOURCE = 24


async def a_sandbox(docker, attempt=0, **changes):
    return await docker.runtime.run_pod_sandbox(SandboxConfig(POD, attempt, hostname="web-host", **changes))


async def a_container(docker, sandbox, command=SLEEP, *, name="app", attempt=0, **changes):
    config = ContainerConfig(POD, name, attempt, docker.image, docker.image_id, command=command, **changes)
    container = await docker.runtime.create_container(sandbox.id, config)
    await docker.runtime.start_container(container)
    return container


async def ended(docker, container):
    async with asyncio.timeout(60):
        while True:
            record = next(c for c in (await docker.runtime.listing(POD.uid)).containers if c.id == container)
            if record.phase is ContainerPhase.EXITED:
                return record
            await asyncio.sleep(0.02)


def netns(pid):
    return os.readlink(f"/proc/{pid}/ns/net")


class Client:
    """The other side of an exec: types `typed`, and keeps what it gets."""

    def __init__(self, typed=(), sizes=(), *, stays=False, gone_after=None):
        self.typed, self.sizes, self.stays, self.gone_after = typed, sizes, stays, gone_after
        self.out = self.err = b""
        self.answered = asyncio.Event()

    async def stdin(self):
        for data in self.typed:
            yield data
        if self.stays:
            await asyncio.Event().wait()

    async def resizes(self):
        for size in self.sizes:
            yield size
        await asyncio.Event().wait()

    async def write_stdout(self, data):
        self.out += data
        if self.gone_after is not None and len(self.out) > self.gone_after:
            raise ConnectionResetError("the client is gone")

    async def write_stderr(self, data):
        self.err += data


# The pause process.


async def test_the_pause_process_ends_at_once_on_term(docker):
    sandbox = await a_sandbox(docker)
    begun = asyncio.get_running_loop().time()
    await docker.runtime.stop_pod_sandbox(sandbox.id)

    assert asyncio.get_running_loop().time() - begun < docker_runtime.SANDBOX_GRACE_S / 2
    assert (await docker.api.inspect_container(sandbox.id))["State"]["ExitCode"] == 0


def process_state(pid):
    """Return the kernel's letter for what a process does, "" for one that has ended meanwhile."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


async def test_the_pause_process_leaves_no_zombies_of_a_shared_process_namespace(docker):
    sandbox = await a_sandbox(docker)
    orphans = "for i in 1 2 3 4 5; do (sh -c 'sleep 0.1 &') ; done; exec sleep 100"
    await a_container(docker, sandbox, ("sh", "-c", orphans), share_process_namespace=True)

    async with asyncio.timeout(60):
        while True:
            children = Path(f"/proc/{sandbox.pid}/task/{sandbox.pid}/children").read_text().split()
            if not children:
                break
            assert "Z" not in [process_state(child) for child in children]
            await asyncio.sleep(0.05)


async def test_the_image_id_is_what_the_program_says(docker):
    record = await build_pause(docker.api)

    architecture = (await docker.api.version())["Arch"]
    assert (record.id, record.user) == (build_pause_image(architecture).id, "65535:65535")
    assert PAUSE_TAG in record.repo_tags
    assert PAUSE_TAG in [tag for image in await list_images(docker.api) for tag in image.repo_tags]


async def test_a_refused_oom_score_is_remembered_for_the_host(docker):
    sandbox = await a_sandbox(docker)
    guaranteed = await a_container(docker, sandbox, resources=ContainerResources(oom_score_adj=-997))

    bound = int(Path("/proc/self/status").read_text().partition("CapBnd:")[2].split()[0], 16)
    allowed = bool(bound >> CAP_SYS_RESOURCE & 1)
    score = (await docker.api.inspect_container(sandbox.id))["HostConfig"]["OomScoreAdj"]
    assert score == (SANDBOX_OOM_SCORE_ADJ if allowed else 0)
    assert Path(f"/proc/{sandbox.pid}/oom_score_adj").read_text().strip() == str(score)
    app = (await docker.api.inspect_container(guaranteed))["HostConfig"]["OomScoreAdj"]
    assert app == (-997 if allowed else 0)
    assert [s.attempt for s in (await docker.runtime.listing(POD.uid)).sandboxes] == [0]


# Namespaces, mounts, resources.


async def test_app_containers_share_network_and_host_name_of_their_sandbox(docker):
    sandbox = await a_sandbox(docker)
    container = await a_container(docker, sandbox)
    (record,) = (await docker.runtime.listing(POD.uid)).containers

    assert netns(record.pid) == netns(sandbox.pid) != netns(os.getpid())
    assert (await docker.runtime.exec_sync(container, ("hostname",), 5)).output == b"web-host\n"
    assert (await docker.runtime.exec_sync(container, ("ls", "/sys/class/net"), 5)).output == b"lo\n"


async def test_a_host_network_pod_lives_in_the_hosts_namespace(docker):
    sandbox = await a_sandbox(docker, host_network=True)
    container = await a_container(docker, sandbox, host_network=True)

    assert sandbox.host_network
    assert netns(sandbox.pid) == netns(os.getpid())
    assert (
        await docker.runtime.exec_sync(container, ("hostname",), 5)
    ).output.decode().strip() == os.uname().nodename


async def test_mounts_are_bound_and_read_only_ones_cannot_be_written(docker, tmp_path):
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
    (tmp_path / "data").mkdir(mode=0o777)
    mounts = (
        Mount(str(tmp_path / "hosts"), "/etc/hosts", read_only=True),
        Mount(str(tmp_path / "data"), "/data"),
    )
    container = await a_container(docker, await a_sandbox(docker), mounts=mounts)
    refused = await docker.runtime.exec_sync(container, ("sh", "-c", "echo x >/etc/hosts"), 5)
    await docker.runtime.exec_sync(container, ("sh", "-c", "cat /etc/hosts >/data/copy"), 5)

    assert refused.exit_code != 0
    assert b"Read-only" in refused.output
    assert (tmp_path / "data/copy").read_text() == "127.0.0.1 localhost\n"


async def test_a_mount_without_source_is_refused_at_creation(docker, tmp_path):
    with pytest.raises(ContainerRuntimeError, match="source path does not exist") as refusal:
        await a_container(docker, await a_sandbox(docker), mounts=(Mount(str(tmp_path / "none"), "/x"),))

    assert refusal.value.kind is RuntimeErrorKind.REFUSED
    assert not (tmp_path / "none").exists()


async def test_a_container_over_its_memory_limit_is_oom_killed(docker):
    limit = ContainerResources(memory_limit_bytes=16 << 20, oom_score_adj=999)
    grow = ("sh", "-c", "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done")
    record = await ended(docker, await a_container(docker, await a_sandbox(docker), grow, resources=limit))

    assert (record.exit_code, record.reason) == (137, "OOMKilled")


async def test_containers_have_a_cgroup_below_the_pods(docker):
    parent = f"/mkpy-{docker.node_name}/pod{POD.uid}"
    sandbox = await a_sandbox(docker, cgroup_parent=parent)
    container = await a_container(docker, sandbox, cgroup_parent=parent)
    (record,) = (await docker.runtime.listing(POD.uid)).containers

    assert f"{parent}/{container}" in Path(f"/proc/{record.pid}/cgroup").read_text()
    await docker.runtime.remove_pod_sandbox(sandbox.id)
    for folder in Path("/sys/fs/cgroup").glob(f"*/mkpy-{docker.node_name}"):
        (folder / f"pod{POD.uid}").rmdir()
        folder.rmdir()


# Two nodes, names, removal.


async def test_two_nodes_on_one_engine_do_not_see_one_another(docker):
    await a_container(docker, await a_sandbox(docker))
    async with docker_subject() as other:
        listing = await other.runtime.listing()

        assert (listing.sandboxes, listing.containers) == ((), ())


async def test_removal_takes_anonymous_volumes_along(docker):
    sandbox = await a_sandbox(docker)
    body = {"Image": docker.image_id, "Cmd": ["true"], "Volumes": {"/cache": {}}}
    made = await docker.api.create_container(f"{docker.node_name}-volume", body)
    (mount,) = (await docker.api.inspect_container(made))["Mounts"]
    await docker.runtime.remove_container(made)

    assert not Path(mount["Source"]).exists()
    await docker.runtime.remove_pod_sandbox(sandbox.id)


async def test_a_dead_pod_starts_anew_after_the_engine_kept_its_names(docker):
    sandbox = await a_sandbox(docker)
    await a_container(docker, sandbox)
    await docker.api.kill_container(sandbox.id, "SIGKILL")
    async with asyncio.timeout(60):
        while await docker.runtime.is_running(sandbox.id):
            await asyncio.sleep(0.02)
    again = await a_sandbox(docker)
    container = await a_container(docker, again)

    listing = await docker.runtime.listing(POD.uid)
    assert [s.id for s in listing.sandboxes] == [again.id]
    assert [(c.id, c.sandbox_id, c.phase) for c in listing.containers] == [
        (container, again.id, ContainerPhase.RUNNING)
    ]


async def test_a_sandbox_has_a_network_of_its_own_and_no_power_when_it_is_handed_out(docker):
    host = os.readlink("/proc/self/ns/net")
    for attempt in range(5):
        sandbox = await docker.runtime.run_pod_sandbox(SandboxConfig(POD, attempt, hostname="web-host"))
        fields = dict(
            line.split(":", 1) for line in Path(f"/proc/{sandbox.pid}/status").read_text().splitlines() if ":" in line
        )
        assert os.readlink(f"/proc/{sandbox.pid}/ns/net") != host
        assert (int(fields["CapPrm"], 16), int(fields["CapEff"], 16), int(fields["CapAmb"], 16)) == (0, 0, 0)
        assert fields["Uid"].split() == ["65535"] * 4
        assert not sandbox.host_network
        document = await docker.api.inspect_container(sandbox.id)
        assert document["HostConfig"]["NetworkMode"] == "host", "this host did not allow the quick way"


async def test_an_app_container_shares_the_sandboxs_network_and_name_not_the_hosts(docker):
    sandbox = await a_sandbox(docker)
    container = await a_container(docker, sandbox)
    pid = next(c.pid for c in (await docker.runtime.listing(POD.uid)).containers if c.id == container)

    assert os.readlink(f"/proc/{pid}/ns/net") == os.readlink(f"/proc/{sandbox.pid}/ns/net")
    said = await docker.runtime.exec_sync(container, ("hostname",), 10)
    assert said.output == b"web-host\n"
    links = await docker.runtime.exec_sync(container, ("ls", "/sys/class/net"), 10)
    assert links.output == b"lo\n"


async def test_a_start_takes_up_where_another_agent_stopped(docker):
    sandbox = await a_sandbox(docker)
    container = await a_container(docker, sandbox, resources=ContainerResources(oom_score_adj=-997))
    before = await docker.runtime.listing(POD.uid)

    api = DockerApi(DOCKER_HOST)
    successor = docker_runtime.DockerRuntime(
        api, node_name=docker.node_name, clock=docker.runtime._clock, ids=docker.runtime._ids
    )
    try:
        assert await successor.listing(POD.uid) == before
        assert (await successor.run_pod_sandbox(SandboxConfig(POD, 0, hostname="web-host"))).pid == sandbox.pid
        await successor.stop_container(container, 10)
    finally:
        await api.close()
    assert (await ended(docker, container)).exit_code == 0


# Logs.


def streams_of(docker, waiting_reason=""):
    return DockerPodStreams(docker.runtime, lambda uid, container: waiting_reason)


async def log_of(docker, **options):
    pieces = streams_of(docker).logs(REF, LogOptions(**options))
    async with aclosing(pieces):
        return b"".join([piece async for piece in pieces])


async def test_following_a_log_ends_with_the_container_and_misses_nothing(docker):
    count = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 0.02; done; printf end"
    await a_container(docker, await a_sandbox(docker), ("sh", "-c", count))
    async with asyncio.timeout(60):
        log = (await log_of(docker, follow=True)).decode()

    assert [line for line in log.splitlines() if line.startswith("out")] == [f"out {n}" for n in range(1, 41)]
    assert [line for line in log.splitlines() if line.startswith("err")] == [f"err {n}" for n in range(1, 41)]
    assert log.endswith("end")


async def test_a_rotated_log_is_followed_without_a_gap(docker):
    await a_container(docker, await a_sandbox(docker), ("sh", "-c", "sleep 0.3; seq 1 200000"))
    async with asyncio.timeout(60):
        log = await log_of(docker, follow=True)

    container = (await docker.runtime.listing(POD.uid)).containers[0].id
    assert Path(await docker.runtime.log_file(container) + ".1").exists(), "the log did not rotate"
    assert log == b"".join(b"%d\n" % number for number in range(1, 200001))
    assert await log_of(docker, tail_lines=2) == b"199999\n200000\n"


async def test_logs_of_the_previous_container(docker):
    sandbox = await a_sandbox(docker)
    await ended(docker, await a_container(docker, sandbox, ("echo", "first")))
    await a_container(docker, sandbox, ("sh", "-c", "echo second; exec sleep 100"), attempt=1)

    assert await log_of(docker, previous=True) == b"first\n"
    assert await log_of(docker, tail_lines=5, follow=False) == b"second\n"


async def test_the_log_is_linked_where_kubernetes_tools_look(docker, tmp_path):
    log_path = tmp_path / "pods/default_web_uid/app/0.log"
    container = await a_container(
        docker, await a_sandbox(docker), ("sh", "-c", "echo hello; exec sleep 100"), log_path=str(log_path)
    )
    async with asyncio.timeout(60):
        while not log_path.read_text():
            await asyncio.sleep(0.02)

    assert json.loads(log_path.read_text())["log"] == "hello\n"
    assert (tmp_path / f"containers/web_default_app-{container}.log").read_text() == log_path.read_text()
    await docker.runtime.remove_container(container)
    assert not list(tmp_path.glob("pods/*"))
    assert not list(tmp_path.glob("containers/*"))


# Exec and attach.


def options(*command, stdin=False, tty=False):
    return ExecOptions(command, stdin=stdin, stdout=True, stderr=not tty, tty=tty)


async def test_input_is_closed_alone_and_output_goes_on(docker):
    await a_container(docker, await a_sandbox(docker))
    client = Client([b"abc", b"def"])
    code = await streams_of(docker).exec(
        REF, options("sh", "-c", "cat; echo done; echo oops >&2; exit 4", stdin=True), client
    )

    assert (code, client.out, client.err) == (4, b"abcdefdone\n", b"oops\n")


async def test_a_terminal_has_the_clients_size(docker):
    await a_container(docker, await a_sandbox(docker))
    waits = b"until stty size | grep 100; do sleep 0.05; done; exit 5\n"
    client = Client([waits], [TerminalSize(width=100, height=33)], stays=True)
    code = await streams_of(docker).exec(REF, options("sh", stdin=True, tty=True), client)

    assert code == 5
    assert b"33 100" in client.out


async def test_much_data_passes_unchanged(docker):
    await a_container(docker, await a_sandbox(docker))
    blocks = [struct.pack("<I", number) * 16384 for number in range(64)]
    client = Client(blocks)
    async with asyncio.timeout(60):
        code = await streams_of(docker).exec(REF, options("cat", stdin=True), client)

    assert code == 0
    assert client.out == b"".join(blocks)


def bytes_written(container):
    """Return what that process of the container has written that wrote the most."""
    written = [0]
    for path in Path("/proc").glob("[0-9]*/cgroup"):
        with suppress(OSError):
            if container in path.read_text():
                written.append(int((path.parent / "io").read_text().partition("wchar: ")[2].split()[0]))
    return max(written)


async def test_a_slow_client_slows_the_process_down(docker):
    class SlowClient(Client):
        """Takes one piece, then nothing until it is told to go on."""

        size, go_on = 0, asyncio.Event()

        async def write_stdout(self, data):
            self.size += len(data)
            await self.go_on.wait()

    container = await a_container(docker, await a_sandbox(docker))
    client, total = SlowClient(), 30_000_000
    command = options("sh", "-c", f"head -c {total} /dev/zero; exit 0")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(streams_of(docker).exec(REF, command, client))
        before, written = -1, 0
        async with asyncio.timeout(60):
            while not 0 < written == before:
                await asyncio.sleep(0.3)
                before, written = written, bytes_written(container)
        assert written < total / 2
        client.go_on.set()

    assert (task.result(), client.size) == (0, total)


async def test_a_command_does_not_outlive_its_client(docker):
    container = await a_container(docker, await a_sandbox(docker))
    with pytest.raises(ConnectionResetError):
        await streams_of(docker).exec(
            REF, options("sh", "-c", "while :; do echo leftover; sleep 0.05; done"), Client(gone_after=20)
        )

    await processes(docker, container, "leftover", count=0)


async def test_a_probe_that_hangs_leaves_no_process(docker):
    container = await a_container(docker, await a_sandbox(docker))
    with pytest.raises(ContainerRuntimeError):
        await docker.runtime.exec_sync(container, ("sh", "-c", "sleep 4242 & sleep 4243; true"), 0.3)

    await processes(docker, container, "424", count=0)


async def test_an_exec_ends_with_its_container(docker):
    sandbox = await a_sandbox(docker)
    container = await a_container(docker, sandbox)
    async with asyncio.TaskGroup() as group:
        killed = group.create_task(docker.runtime.exec_sync(container, ("sleep", "4245"), 90))
        removed = group.create_task(streams_of(docker).exec(REF, options("sleep", "4245"), Client()))
        await processes(docker, container, "sleep 4245", count=2)
        await docker.runtime.stop_container(container, 0)
        await docker.runtime.remove_container(container)

    assert (killed.result().exit_code, removed.result()) == (137, 137)


async def test_a_probe_that_is_cancelled_leaves_no_process(docker):
    container = await a_container(docker, await a_sandbox(docker))
    async with asyncio.TaskGroup() as group:
        probe = group.create_task(docker.runtime.exec_sync(container, ("sh", "-c", "sleep 4244; true"), 60))
        await processes(docker, container, "sleep 4244", count=2)
        probe.cancel()

    await processes(docker, container, "4244", count=0)


async def processes(docker, container, sign, count):
    """Wait until the container has so many processes with the sign among their words."""
    async with asyncio.timeout(60):
        while True:
            said = await docker.runtime.exec_sync(container, ("ps", "-o", "args"), 30)
            if len([line for line in said.output.decode().splitlines() if sign in line]) == count:
                return
            await asyncio.sleep(0.05)


async def test_a_child_in_the_background_does_not_hold_up_an_exec(docker):
    container = await a_container(docker, await a_sandbox(docker))
    async with asyncio.timeout(60):
        result = await docker.runtime.exec_sync(container, ("sh", "-c", "sleep 100 & echo started"), 10)

    assert (result.exit_code, result.output) == (0, b"started\n")


async def test_output_over_the_limit_is_dropped_not_blocked_on(docker):
    container = await a_container(docker, await a_sandbox(docker))
    result = await docker.runtime.exec_sync(container, ("seq", "1", "100000"), 20)

    assert (result.exit_code, len(result.output)) == (0, 10240)


async def test_attach_joins_the_containers_own_process(docker):
    command = ("sh", "-c", "read line; echo got $line; sleep 0.2; exit 0")
    await a_container(docker, await a_sandbox(docker), command, stdin=True)
    client = Client([b"hello\n"], stays=True)
    async with asyncio.timeout(60):
        await streams_of(docker).attach(REF, options(stdin=True), client)

    assert client.out == b"got hello\n"


# Images.


async def test_an_image_with_several_names_is_removed_whole(docker):
    tags = (f"minikube-py/{docker.node_name}:1", f"minikube-py/{docker.node_name}:2")
    program = Path("/bin/busybox").read_bytes() + docker.node_name.encode()
    image = busybox_image(program, tags)
    await docker.images.load_image(image.archive)
    found = await docker.images.image_status(tags[1])
    assert found is not None
    assert set(found.repo_tags) == set(tags)

    await docker.images.remove_image(found.id)

    assert await docker.images.image_status(tags[0]) is None


async def test_an_image_in_use_is_not_removed(docker):
    await a_container(docker, await a_sandbox(docker))
    with pytest.raises(ContainerRuntimeError) as refusal:
        await docker.api.remove_image(docker.image_id)

    assert refusal.value.kind is RuntimeErrorKind.CONFLICT


async def test_a_pull_from_nowhere_tells_why(docker):
    with pytest.raises(ContainerRuntimeError, match="connection refused") as refusal:
        await docker.images.pull_image("127.0.0.1:1/no/such:1", None, lambda progress: None)

    assert refusal.value.kind is RuntimeErrorKind.REFUSED


async def test_an_archive_is_imported_from_a_file(docker, tmp_path):
    (tmp_path / "image.tar").write_bytes(host_busybox_image().archive)
    (tmp_path / "noise.tar").write_bytes(b"this is no archive")

    assert await import_archive(docker.api, str(tmp_path / "image.tar")) == (docker.image,)
    with pytest.raises(ContainerRuntimeError):
        await import_archive(docker.api, str(tmp_path / "noise.tar"))


# Events.


async def test_no_event_of_execs_and_each_of_deaths(docker):
    seen = []
    listening = asyncio.Event()

    async def listen():
        async for event in docker.runtime.events():
            seen.append(event)
            listening.set()

    async with asyncio.TaskGroup() as group:
        listener = group.create_task(listen())
        await listening.wait()
        sandbox = await a_sandbox(docker)
        container = await a_container(docker, sandbox)
        await docker.runtime.exec_sync(container, ("true",), 5)
        await docker.runtime.remove_pod_sandbox(sandbox.id)
        async with asyncio.timeout(60):
            while seen.count(RuntimeEvent(POD.uid, "destroy")) < 2:
                await asyncio.sleep(0.02)
        listener.cancel()

    assert {event.action for event in seen} == {"reconnected", "start", "die", "destroy"}
    assert seen.count(RuntimeEvent(POD.uid, "die")) == 2


async def test_a_hundred_followers_leave_the_control_calls_alone(docker):
    sandbox = await a_sandbox(docker)
    await a_container(docker, sandbox)
    async with asyncio.TaskGroup() as group:
        followers = [group.create_task(log_of(docker, follow=True)) for _ in range(100)]
        await asyncio.sleep(0.5)
        async with asyncio.timeout(60):
            await docker.runtime.version()
            await docker.runtime.listing()
        for follower in followers:
            follower.cancel()


async def test_a_second_client_of_the_same_engine_works(docker):
    api = DockerApi(DOCKER_HOST)
    try:
        second = DockerImages(api, stall_s=PULL_STALL_S)
        assert await second.image_status(docker.image) == await docker.images.image_status(docker.image)
    finally:
        await api.close()
