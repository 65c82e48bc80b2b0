"""What a real engine does too seldom to be tested on one: phantom names, refused scores, pruned images, hangs."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kubelet.cri import (
    ContainerConfig,
    ContainerPhase,
    ContainerResources,
    ContainerRuntimeError,
    PodIdentity,
    RuntimeErrorKind,
    RuntimeListing,
    SandboxConfig,
)
from minikube_py.kubelet.io import container_stopper, docker_api, pause_network
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_runtime import DockerRuntime, KernelPlaces
from minikube_py.kubelet.pause_image import build_pause_image
from minikube_py.testing.fake_docker import FakeDocker
from minikube_py.testing.sequential_ids import sequential_ids

POD = PodIdentity("default", "web", "u-1")
SANDBOX = SandboxConfig(POD, 0, hostname="web")
PAUSE = build_pause_image("amd64")
PAUSE_JSON = {"Id": PAUSE.id, "RepoTags": [PAUSE.tag], "RepoDigests": [], "Size": 1, "Config": {}}
APP_JSON = {"Id": "sha256:b0", "RepoTags": ["web:1"], "RepoDigests": [], "Size": 1, "Config": {}}
APP = ContainerConfig(POD, "app", 0, "web:1", "sha256:b0", command=("x",))


def a_runtime(api, engine, log=Path("/dev/null")):
    kernel = KernelPlaces(engine.proc, log)
    return DockerRuntime(api, node_name="n1", clock=SystemClock(), ids=sequential_ids(), kernel=kernel)


@pytest.fixture
async def engine(tmp_path):
    fake = FakeDocker()
    fake.loadable = (PAUSE_JSON,)
    fake.images["sha256:b0"] = APP_JSON
    async with fake.serving(tmp_path) as host:
        fake.host = host
        yield fake


@pytest.fixture
async def runtime(engine, tmp_path):
    api = DockerApi(engine.host)
    yield a_runtime(api, engine, tmp_path / "kmsg")
    await api.close()


async def test_the_pause_image_is_loaded_once(engine, runtime):
    await runtime.run_pod_sandbox(SANDBOX)
    await runtime.run_pod_sandbox(replace(SANDBOX, attempt=1))

    assert engine.loads == 1


async def test_a_pruned_pause_image_is_loaded_again(engine, runtime):
    await runtime.run_pod_sandbox(SANDBOX)
    del engine.images[PAUSE.id]
    sandbox = await runtime.run_pod_sandbox(replace(SANDBOX, attempt=1))

    assert sandbox.ready
    assert engine.loads == 2


async def test_an_image_that_the_engine_calls_otherwise_is_found_by_its_tag(engine, runtime):
    engine.loadable = ({**PAUSE_JSON, "Id": "sha256:index"},)
    sandbox = await runtime.run_pod_sandbox(SANDBOX)

    assert engine.containers[sandbox.id]["Config"]["Image"] == "sha256:index"


async def test_a_processor_without_pause_program_is_refused(engine, runtime):
    engine.version["Arch"] = "riscv64"
    with pytest.raises(ContainerRuntimeError, match="no pause program for riscv64") as refusal:
        await runtime.run_pod_sandbox(SANDBOX)

    assert refusal.value.kind is RuntimeErrorKind.REFUSED


async def test_the_name_of_a_container_that_is_gone_gets_a_random_end(engine, runtime):
    engine.phantom_names.add("k8s_POD_web_default_u-1_0")
    sandbox = await runtime.run_pod_sandbox(SANDBOX)

    assert engine.containers[sandbox.id]["Name"].startswith("/k8s_POD_web_default_u-1_0_")
    assert [s.attempt for s in (await runtime.listing(POD.uid)).sandboxes] == [0]


async def test_a_refused_score_is_tried_once_for_the_host(engine, runtime, caplog):
    engine.refuses_scores = True
    first = await runtime.run_pod_sandbox(SANDBOX)
    second = await runtime.run_pod_sandbox(replace(SANDBOX, attempt=1))

    scores = [engine.containers[s.id]["HostConfig"]["OomScoreAdj"] for s in (first, second)]
    assert scores == [0, 0]
    assert len([r for r in engine.requests if r.startswith("start")]) == 3
    assert len(engine.containers) == 2
    assert "refuses negative OOM scores" in caplog.text


async def test_a_successor_learns_of_refused_scores_from_the_sandbox(engine, runtime):
    engine.refuses_scores = True
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    api = DockerApi(engine.host)
    successor = DockerRuntime(
        api, node_name="n1", clock=SystemClock(), ids=sequential_ids(), kernel=KernelPlaces(engine.proc)
    )
    container = await successor.create_container(
        sandbox.id, replace(APP, resources=ContainerResources(oom_score_adj=-997))
    )
    await api.close()

    assert engine.containers[container]["HostConfig"]["OomScoreAdj"] == 0


async def test_a_score_is_kept_where_the_host_allows_it(engine, runtime):
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    container = await runtime.create_container(
        sandbox.id, replace(APP, resources=ContainerResources(oom_score_adj=-997))
    )

    assert engine.containers[sandbox.id]["HostConfig"]["OomScoreAdj"] == -998
    assert engine.containers[container]["HostConfig"]["OomScoreAdj"] == -997


async def test_a_running_container_of_another_sandbox_is_not_adopted(engine, runtime):
    old, new = await runtime.run_pod_sandbox(SANDBOX), await runtime.run_pod_sandbox(replace(SANDBOX, attempt=1))
    orphan = await runtime.create_container(old.id, APP)
    await runtime.start_container(orphan)
    container = await runtime.create_container(new.id, APP)

    assert container != orphan
    assert orphan not in engine.containers


async def test_one_container_whose_inspect_hangs_does_not_hide_the_others(engine, runtime, monkeypatch):
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    container = await runtime.create_container(sandbox.id, APP)
    await runtime.start_container(container)
    await runtime.listing()
    another = await runtime.create_container(sandbox.id, replace(APP, name="other"))
    monkeypatch.setattr(docker_api, "READ_TIMEOUT_S", 0.2)
    engine.hang.clear()

    phases = {record.id: record.phase for record in (await runtime.listing()).containers}
    assert phases == {container: ContainerPhase.RUNNING, another: ContainerPhase.UNKNOWN}


async def test_a_container_that_only_the_kernel_calls_oom_killed_is_so(engine, runtime, tmp_path):
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    for name in ("app", "other"):
        container = await runtime.create_container(sandbox.id, replace(APP, name=name))
        await runtime.start_container(container)
        engine.exit_container(container, 137)
        if name == "app":
            (tmp_path / "kmsg").write_text(f"6,1,1,-;oom-kill:task_memcg=/kubepods/podu/{container},task=x\n")

    reasons = {c.name: c.reason for c in (await runtime.listing()).containers}
    assert reasons == {"app": "OOMKilled", "other": "Error"}


async def test_a_relist_inspects_only_what_is_new(engine, runtime):
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    await runtime.start_container(await runtime.create_container(sandbox.id, APP))
    before = await runtime.listing()
    engine.hang.clear()  # no inspect is answered any more

    async with asyncio.timeout(30):
        assert await runtime.listing() == before


async def test_a_process_that_outlives_the_kill_is_a_timeout(engine, runtime, monkeypatch):
    monkeypatch.setattr(container_stopper, "KILL_WAIT_S", 0.05)
    engine.unkillable = True
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    with pytest.raises(ContainerRuntimeError, match="still runs") as error:
        await runtime.stop_container(sandbox.id, 0)

    assert error.value.kind is RuntimeErrorKind.TIMEOUT
    assert [r for r in engine.requests if r.startswith("kill")] == ["kill SIGKILL"]


async def test_the_images_own_stop_signal_is_sent(engine, runtime):
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    engine.containers[sandbox.id]["Config"]["StopSignal"] = "SIGQUIT"
    await runtime.stop_container(sandbox.id, 0.05)

    assert [r for r in engine.requests if r.startswith("kill")] == ["kill SIGQUIT", "kill SIGKILL"]


def _calls(engine):
    calls, engine.calls[:] = list(engine.calls), []
    return calls


async def test_a_pod_of_one_container_costs_six_calls_and_one_look_at_a_new_image(engine, runtime):
    await runtime.run_pod_sandbox(replace(SANDBOX, pod=replace(POD, uid="u-0")))
    _calls(engine)
    async with aclosing(runtime.events()) as events:
        await anext(events)
        sandbox = await runtime.run_pod_sandbox(SANDBOX)
        started = await runtime.start_container(await runtime.create_container(sandbox.id, APP))
        calls = _calls(engine)

        assert started.phase is ContainerPhase.RUNNING
        assert await runtime.listing(POD.uid) == RuntimeListing((sandbox,), (started,))
    assert calls == [
        "POST containers/create",
        "POST containers/0002/start",
        "GET containers/0002/json",
        "POST containers/create",
        "POST containers/0003/start",
        "GET containers/0003/json",
        "GET images/sha256:b0/json",
    ]


async def test_an_agent_that_starts_asks_once_for_each_container_and_does_not_wait_for_the_answers_in_turn(
    engine, runtime
):
    for n in range(8):
        pod = replace(POD, uid=f"u-{n}")
        sandbox = await runtime.run_pod_sandbox(replace(SANDBOX, pod=pod))
        await runtime.start_container(await runtime.create_container(sandbox.id, replace(APP, pod=pod)))
    api = DockerApi(engine.host)
    _calls(engine)
    engine.hang.clear()  # no inspect is answered for now
    async with asyncio.TaskGroup() as group, asyncio.timeout(30):
        listing = group.create_task(a_runtime(api, engine).listing())
        while len(engine.calls) < 18:
            await asyncio.sleep(0)
        engine.hang.set()
    await api.close()

    assert [len(records) for records in (listing.result().sandboxes, listing.result().containers)] == [8, 8]
    inspects = [f"GET containers/{n:04x}/json" for n in range(1, 17)]
    assert sorted(engine.calls[2:-1]) == inspects  # before them the version and the list, then the one image


async def test_a_listing_after_events_asks_only_for_what_they_told_of(engine, runtime):
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    container = await runtime.create_container(sandbox.id, APP)
    async with aclosing(runtime.events()) as events:
        await anext(events)
        await runtime.start_container(container)
        engine.send_event("start", container, POD.uid, 1_800_000_000_000_000_001)
        await anext(events)
        await runtime.listing(POD.uid)
        _calls(engine)
        await runtime.listing(POD.uid)
        assert _calls(engine) == ["GET containers/json"]

        engine.containers[container]["State"]["Pid"] = 77  # somebody's `docker restart`
        engine.send_event("die", container, POD.uid, 1_800_000_000_000_000_002)
        await anext(events)
        assert [c.pid for c in (await runtime.listing(POD.uid)).containers] == [77]
        assert len(_calls(engine)) == 2


async def test_without_events_the_living_are_read_anew(engine, runtime):
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    container = await runtime.create_container(sandbox.id, APP)
    await runtime.start_container(container)
    engine.containers[container]["State"]["Pid"] = 77

    assert [c.pid for c in (await runtime.listing(POD.uid)).containers] == [77]


async def test_a_stop_is_an_inspect_and_a_signal_when_events_tell_of_the_death(engine, runtime):
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    events = runtime.events()
    await anext(events)
    _calls(engine)
    async with asyncio.TaskGroup() as group:
        stopping = group.create_task(runtime.stop_pod_sandbox(sandbox.id))
        while not engine.calls or "kill" not in engine.calls[-1]:
            await asyncio.sleep(0)
        engine.exit_container(sandbox.id, 0)
        engine.send_event("die", sandbox.id, POD.uid, 1_800_000_000_000_000_001)
        await anext(events)
        await stopping
    await events.aclose()

    assert _calls(engine) == ["GET containers/0001/json", "POST containers/0001/kill"]


async def test_a_sandbox_leaves_the_hosts_network_by_itself(engine, runtime):
    sandbox = await runtime.run_pod_sandbox(SANDBOX)

    made = engine.containers[sandbox.id]
    assert made["HostConfig"]["NetworkMode"] == "host"
    assert made["Config"]["Entrypoint"] == ["/pause-own-network"]
    assert not sandbox.host_network
    assert [s.host_network for s in (await runtime.listing()).sandboxes] == [False]


async def test_a_host_that_does_not_allow_it_is_asked_once_and_told_of(engine, runtime, caplog):
    engine.leaves_network = False
    first = await runtime.run_pod_sandbox(SANDBOX)
    second = await runtime.run_pod_sandbox(replace(SANDBOX, attempt=1))

    modes = [engine.containers[s.id]["HostConfig"]["NetworkMode"] for s in (first, second)]
    assert modes == ["none", "none"]
    assert len([call for call in engine.calls if call.endswith("/start")]) == 3
    assert len(engine.containers) == 2
    assert "pods start more slowly on this host" in caplog.text


async def test_a_pause_process_that_stays_in_the_hosts_network_never_gets_a_container(engine, runtime, monkeypatch):
    monkeypatch.setattr(pause_network, "WAIT_S", 0.01)
    sandbox = await runtime.run_pod_sandbox(SANDBOX)
    shown = engine.proc / str(sandbox.pid) / "ns" / "net"
    shown.unlink()
    shown.symlink_to("net:[1]")
    api = DockerApi(engine.host)
    successor = DockerRuntime(
        api, node_name="n1", clock=SystemClock(), ids=sequential_ids(), kernel=KernelPlaces(engine.proc)
    )
    with pytest.raises(ContainerRuntimeError, match="must leave the host's network"):
        await successor.create_container(sandbox.id, APP)
    await api.close()

    assert list(engine.containers) == [sandbox.id]


@pytest.mark.parametrize(
    "config",
    [
        replace(SANDBOX, host_network=True),
        replace(SANDBOX, sysctls={"net.core.somaxconn": "1"}),
        replace(SANDBOX, runtime_handler="kata"),
    ],
    ids=["host network", "network sysctls", "another runtime"],
)
async def test_where_docker_makes_the_network_it_goes_on_to(engine, runtime, config):
    sandbox = await runtime.run_pod_sandbox(config)

    assert "Entrypoint" not in engine.containers[sandbox.id]["Config"]
    assert sandbox.host_network is config.host_network


async def test_an_engine_older_than_docker_19_03_is_refused(engine, runtime):
    engine.version.update(Version="18.09.9", ApiVersion="1.39")
    with pytest.raises(
        ContainerRuntimeError, match=r"^Docker 18\.09\.9 at unix://.* 1\.39; 1\.40 is needed"
    ) as refusal:
        await runtime.version()

    assert refusal.value.kind is RuntimeErrorKind.REFUSED
    assert not [call for call in engine.calls if "containers" in call]


async def test_docker_19_03_is_spoken_to_in_its_own_version(engine, runtime):
    engine.version.update(Version="19.03.15", ApiVersion="1.40")
    await runtime.run_pod_sandbox(SANDBOX)

    assert (await runtime.version()).api_version == "1.40"
    assert {path.split("/")[1] for path in engine.paths} == {"version", "v1.40"}


async def test_no_more_starts_are_under_way_than_there_are_processors(engine):
    engine.start_takes_s = 0.002
    api = DockerApi(engine.host)
    runtime = DockerRuntime(
        api, node_name="n1", clock=SystemClock(), ids=sequential_ids(), starts_max=3, kernel=KernelPlaces(engine.proc)
    )
    async with asyncio.TaskGroup() as group:
        for n in range(12):
            group.create_task(runtime.run_pod_sandbox(replace(SANDBOX, attempt=n)))
    await api.close()

    assert engine.starts_at_once_max == 3
