import asyncio
import stat
from dataclasses import replace

import pytest

from minikube_py.api.errors import UnavailableError
from minikube_py.api.meta import ObjectKey, format_micro_time
from minikube_py.api.resources import (
    CONFIGMAPS,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    SERVICES,
)
from minikube_py.client.interface import DeleteOptions
from minikube_py.kubelet.cri import ExecResult
from minikube_py.kubelet.probes import ProbeOutcome, ProbeResult
from minikube_py.testing.fake_runtime import Program
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod, a_service
from minikube_py.testing.volume_objects import a_claim, a_reference, a_volume


def waiting_reason(container):
    return container.get("state", {}).get("waiting", {}).get("reason")


pytestmark = pytest.mark.looptime


async def test_a_bound_pod_is_started_and_reported_running_and_ready():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)

    status = await lab.status("web")
    assert status["podIP"] == "10.244.0.2"
    assert status["hostIP"] == "192.0.2.1"
    assert lab.is_ready("web")
    assert status["containerStatuses"][0]["restartCount"] == 0
    assert [r for r in lab.events.reasons() if not r.startswith(("Node", "Starting"))] == [
        "Pulled",
        "Created",
        "Started",
    ]
    assert lab.runtime.journal == ["run sandbox web/0", "attach 10.244.0.2", "create c/0", "start c/0"]


async def test_the_node_is_registered_and_ready():
    lab = a_kubelet_lab()
    async with lab.started() as kubelet:
        await asyncio.wait_for(kubelet.node.ready.wait(), 1.0)

    node = lab.client.objects(NODES)[0]
    ready = next(c for c in node["status"]["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "KubeletReady")
    assert node["status"]["capacity"]["cpu"] == "2"
    assert {"Starting", "NodeReady"} <= set(lab.events.reasons())


async def test_a_container_that_keeps_failing_is_restarted_at_once_then_waits_10_20_40_s():
    lab = a_kubelet_lab()
    lab.config = replace(lab.config, container_gc_s=3600.0)
    lab.runtime.programs["c"] = Program(runs_s=1.0, exit_code=3)
    async with lab.started():
        began_s = lab.clock.wall_s()
        await lab.client.create(PODS, a_pod("loop"))
        await lab.eventually(lambda: lab.container("loop").get("restartCount") == 4, 120.0)

    starts = [round(r.started_at_s - began_s) for r in lab.runtime.records("c")]
    assert starts == [0, 1, 12, 33, 74]
    assert ("Warning", "BackOff") in {(kind, reason) for kind, reason, _ in lab.events.said}


async def test_a_waiting_container_shows_crash_loop_back_off_and_how_it_ended():
    lab = a_kubelet_lab()
    lab.runtime.programs["c"] = Program(runs_s=1.0, exit_code=3)
    async with lab.started():
        await lab.client.create(PODS, a_pod("loop"))
        await asyncio.sleep(5)

    status = lab.container("loop")
    uid = lab.pod("loop")["metadata"]["uid"]
    assert status["state"]["waiting"] == {
        "reason": "CrashLoopBackOff",
        "message": f"back-off 10s restarting failed container=c pod=loop_default({uid})",
    }
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert lab.phase("loop") == "Running"


async def test_a_pod_that_never_restarts_ends_succeeded_and_lets_its_address_go():
    lab = a_kubelet_lab()
    lab.runtime.programs["c"] = Program(runs_s=1.0)
    async with lab.started():
        await lab.client.create(PODS, a_pod("job", restartPolicy="Never"))
        await lab.eventually(lambda: lab.phase("job") == "Succeeded", 5.0)
        await asyncio.sleep(1)

    assert lab.network.addresses == {}
    assert lab.runtime.records("c")[0].exit_code == 0
    assert lab.runtime.journal[-1] == "detach 10.244.0.2"


async def test_a_deleted_pod_leaves_the_kernels_rules_before_its_process_is_told_to_stop():
    lab = a_kubelet_lab()
    lab.client.seed(SERVICES, a_service("web"))
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        del lab.runtime.journal[:]
        await lab.client.delete(PODS, ObjectKey("default", "web"))
        await lab.eventually(lambda: lab.pod("web") is None, 5.0)

    assert lab.runtime.journal == [
        "withdrawn 10.244.0.2",
        "term c/0",
        "end c/0 143",
        "unreachable 10.244.0.2",
        "stop sandbox web/0",
        "detach 10.244.0.2",
        "remove c/0",
        "remove sandbox web/0",
    ]
    assert lab.runtime.records() == []
    assert lab.files.texts == {}


async def test_the_terminal_phase_is_written_before_the_object_goes():
    lab = a_kubelet_lab()
    phases = []
    lab.client.on_commit(lambda recorded: phases.append((recorded.last.get("status") or {}).get("phase")))
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await lab.client.delete(PODS, ObjectKey("default", "web"))
        await lab.eventually(lambda: lab.pod("web") is None, 5.0)

    seen = [phase for phase in phases if phase]
    assert seen[-1] == "Failed"


async def test_a_pod_of_no_service_is_stopped_without_a_wait():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        asked_s = lab.clock.now_s()
        await lab.client.delete(PODS, ObjectKey("default", "web"))
        await lab.eventually(lambda: lab.pod("web") is None, 5.0)

        assert lab.clock.now_s() - asked_s < 0.2


async def test_a_process_that_ignores_term_is_killed_when_the_grace_period_is_over():
    lab = a_kubelet_lab()
    lab.runtime.programs["c"] = Program(term_after_s=None)
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", terminationGracePeriodSeconds=5))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        asked_s = lab.clock.now_s()
        await lab.client.delete(PODS, ObjectKey("default", "web"))
        await lab.eventually(lambda: lab.pod("web") is None, 10.0)

        assert 4.9 < lab.clock.now_s() - asked_s < 5.5
    assert "kill c/0" in lab.runtime.journal


async def test_a_second_delete_shortens_the_grace_period():
    lab = a_kubelet_lab()
    lab.runtime.programs["c"] = Program(term_after_s=None)
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        asked_s = lab.clock.now_s()
        await lab.client.delete(PODS, ObjectKey("default", "web"))
        await asyncio.sleep(3)
        await lab.client.delete(PODS, ObjectKey("default", "web"), DeleteOptions(grace_period_s=4))
        await lab.eventually(lambda: lab.pod("web") is None, 10.0)

        assert lab.clock.now_s() - asked_s < 6


async def test_pre_stop_runs_before_term_and_its_time_counts():
    lab = a_kubelet_lab()
    hook = {"preStop": {"exec": {"command": ["drain"]}}}
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", {"name": "c", "lifecycle": hook}))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await lab.client.delete(PODS, ObjectKey("default", "web"))
        await lab.eventually(lambda: lab.pod("web") is None, 5.0)

    journal = lab.runtime.journal
    assert journal.index("exec c drain") < journal.index("term c/0")


async def test_a_new_kubelet_finds_the_same_containers_and_goes_on_counting():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
    before = lab.runtime.records()
    async with lab.started():
        await asyncio.sleep(30)
        assert lab.runtime.records() == before
        assert lab.phase("web") == "Running"
        lab.runtime.exit_container(before[0].id, 1)
        await lab.eventually(lambda: lab.container("web").get("restartCount") == 1, 5.0)

    assert [r.attempt for r in lab.runtime.records("c")] == [0, 1]
    assert lab.runtime.journal.count("run sandbox web/0") == 1


async def test_pods_that_the_api_forgot_are_stopped_by_a_new_kubelet():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
    await lab.client.delete(PODS, ObjectKey("default", "web"), DeleteOptions(grace_period_s=0))
    async with lab.started():
        await lab.eventually(lambda: not lab.runtime.records(), 5.0)

    assert "term c/0" in lab.runtime.journal
    assert lab.network.addresses == {}


async def test_a_container_whose_config_map_is_missing_waits_and_starts_once_it_is_there():
    lab = a_kubelet_lab()
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "k"}}}]
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", {"name": "c", "env": env}))
        await asyncio.sleep(3)
        waiting = lab.container("web")["state"]["waiting"]
        assert waiting == {"reason": "CreateContainerConfigError", "message": 'configmap "none" not found'}
        await lab.client.create(
            CONFIGMAPS, {"metadata": {"name": "none", "namespace": "default"}, "data": {"k": "v"}}
        )
        await lab.eventually(lambda: lab.phase("web") == "Running", 15.0)

    assert ("A", "v") in lab.runtime.config_of(lab.runtime.records("c")[0].id).env


async def test_a_volume_whose_config_map_is_missing_keeps_the_pod_creating():
    lab = a_kubelet_lab()
    volumes = [{"name": "v", "configMap": {"name": "none"}}]
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", volumes=volumes))
        await asyncio.sleep(3)
        assert lab.container("web")["state"]["waiting"]["reason"] == "ContainerCreating"
        failed = 'MountVolume.SetUp failed for volume "v" : configmap "none" not found'
        assert ("Warning", "FailedMount", failed) in lab.events.said
        await lab.client.create(CONFIGMAPS, {"metadata": {"name": "none", "namespace": "default"}})
        await lab.eventually(lambda: lab.phase("web") == "Running", 2.0)


async def test_an_image_that_cannot_be_pulled_backs_off_and_runs_once_the_registry_has_it():
    lab = a_kubelet_lab()
    reasons = set()
    lab.client.on_commit(lambda _: reasons.add(waiting_reason(lab.container("web"))))
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", {"name": "c", "image": "obs.invalid/none:1"}))
        await asyncio.sleep(5)
        assert "ErrImagePull" in reasons
        assert lab.container("web")["state"]["waiting"]["reason"] == "ImagePullBackOff"
        lab.runtime.registry["obs.invalid/none:1"] = lab.runtime.add_image("other")
        await lab.eventually(lambda: lab.phase("web") == "Running", 30.0)

    assert {"Pulling", "BackOff", "Failed", "Pulled"} <= set(lab.events.reasons())


async def test_a_readiness_probe_decides_when_the_pod_is_ready():
    lab = a_kubelet_lab()
    healthy = {"now": False}
    lab.runtime.exec_handler = lambda record, command: ExecResult(0 if healthy["now"] else 1, b"no\n")
    probe = {"exec": {"command": ["check"]}, "periodSeconds": 1, "failureThreshold": 2}
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", {"name": "c", "readinessProbe": probe}))
        await asyncio.sleep(3)
        assert lab.phase("web") == "Running"
        assert not lab.is_ready("web")
        healthy["now"] = True
        await lab.eventually(lambda: lab.is_ready("web"), 2.0)
        healthy["now"] = False
        await lab.eventually(lambda: not lab.is_ready("web"), 4.0)

    assert ("Warning", "Unhealthy", "Readiness probe failed: no\n") in lab.events.said


async def test_a_container_that_fails_its_liveness_probe_is_stopped_and_started_anew():
    lab = a_kubelet_lab()
    lab.runtime.exec_handler = lambda record, command: ExecResult(1, b"dead\n")
    probe = {"exec": {"command": ["check"]}, "periodSeconds": 1, "failureThreshold": 2}
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", {"name": "c", "livenessProbe": probe}))
        await lab.eventually(lambda: lab.container("web").get("restartCount") == 1, 5.0)

    assert ("Normal", "Killing", "Container c failed liveness probe, will be restarted") in lab.events.said
    assert lab.container("web")["lastState"]["terminated"]["exitCode"] == 143


async def test_the_other_probes_rest_until_the_startup_probe_has_succeeded():
    lab = a_kubelet_lab()
    tried = []

    def answer(record, command):
        tried.append(command[0])
        return ExecResult(0 if command[0] != "started?" or tried.count("started?") >= 3 else 1, b"")

    lab.runtime.exec_handler = answer
    container = {
        "name": "c",
        "startupProbe": {"exec": {"command": ["started?"]}, "periodSeconds": 1, "failureThreshold": 10},
        "readinessProbe": {"exec": {"command": ["ready?"]}, "periodSeconds": 1},
    }
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", container))
        await lab.eventually(lambda: lab.is_ready("web"), 10.0)

    assert tried[:4] == ["started?", "started?", "started?", "ready?"]


async def test_a_ready_pod_stays_ready_over_a_restart_of_the_kubelet():
    lab = a_kubelet_lab()
    lab.probes.answers["http://10.244.0.2:80/"] = ProbeOutcome(ProbeResult.SUCCESS)
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 10}
    readiness = []
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", {"name": "c", "readinessProbe": probe}))
        await lab.eventually(lambda: lab.is_ready("web"), 12.0)
    lab.client.on_commit(lambda recorded: readiness.append(lab.is_ready("web")))
    async with lab.started():
        await asyncio.sleep(60)

    assert False not in readiness


async def test_a_container_that_died_while_the_kubelet_was_away_gets_ready_again_in_its_next_run():
    lab = a_kubelet_lab()
    lab.probes.answers["http://10.244.0.2:80/"] = ProbeOutcome(ProbeResult.SUCCESS)
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 10}
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", {"name": "c", "readinessProbe": probe}))
        await lab.eventually(lambda: lab.is_ready("web"), 12.0)
    (run,) = lab.runtime.records("c")
    lab.runtime.exit_container(run.id, 137)
    async with lab.started():
        await lab.eventually(lambda: lab.container("web").get("restartCount") == 1 and lab.is_ready("web"), 25.0)


async def test_init_containers_run_one_after_the_other_before_the_rest():
    lab = a_kubelet_lab()
    lab.runtime.programs["i1"] = lab.runtime.programs["i2"] = Program(runs_s=2.0)
    init = [{"name": "i1", "image": "busybox:1.29"}, {"name": "i2", "image": "busybox:1.29"}]
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", initContainers=init))
        await asyncio.sleep(1)
        assert lab.phase("web") == "Pending"
        await lab.eventually(lambda: lab.phase("web") == "Running", 10.0)

    order = [entry for entry in lab.runtime.journal if entry.startswith(("start", "end"))]
    assert order == ["start i1/0", "end i1/0 0", "start i2/0", "end i2/0 0", "start c/0"]


async def test_a_dead_sandbox_is_replaced_and_the_containers_run_again():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        sandbox = (await lab.runtime.listing()).sandboxes[0].id
        lab.runtime.kill_sandbox(sandbox)
        await lab.eventually(lambda: lab.container("web").get("restartCount") == 1, 5.0)

    assert "run sandbox web/1" in lab.runtime.journal
    assert "SandboxChanged" in lab.events.reasons()
    assert lab.phase("web") == "Running"


async def test_a_pod_starts_anew_after_a_reboot_with_the_address_that_its_status_gives_it():
    lab = a_kubelet_lab()
    made = await lab.client.create(PODS, a_pod("web"))
    before = {**made, "status": {"phase": "Pending", "podIP": "10.244.0.77"}}
    await lab.client.update(PODS, before, subresource="status")
    async with lab.started():
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)

    assert list(lab.network.addresses.values()) == ["10.244.0.77"]


async def test_a_pod_that_is_over_its_deadline_fails():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("slow", activeDeadlineSeconds=4))
        await lab.eventually(lambda: lab.phase("slow") == "Failed", 6.0)
        await asyncio.sleep(1)

    status = await lab.status("slow")
    assert status["reason"] == "DeadlineExceeded"
    assert lab.runtime.records("c")[0].exit_code == 143


async def test_a_failed_network_is_tried_again():
    lab = a_kubelet_lab()
    lab.network.failures.append(OSError(16, "busy"))
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 5.0)

    assert "FailedCreatePodSandBox" in lab.events.reasons()
    assert lab.runtime.journal.count("run sandbox web/0") == 1


async def test_the_end_of_a_container_is_seen_without_an_event_too():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await asyncio.sleep(8)
        lab.runtime.deaf = True
        lab.runtime.exit_container(lab.runtime.records("c")[0].id, 1)
        await lab.eventually(lambda: lab.container("web").get("restartCount") == 1, 8.0)


async def test_only_one_dead_run_is_kept_besides_the_newest():
    lab = a_kubelet_lab()
    lab.config = replace(lab.config, container_gc_s=50.0)
    lab.runtime.programs["c"] = Program(runs_s=1.0, exit_code=3)
    async with lab.started():
        await lab.client.create(PODS, a_pod("loop"))
        await asyncio.sleep(60)

    assert [r.attempt for r in lab.runtime.records("c")] == [2, 3]
    assert lab.container("loop")["restartCount"] == 3


async def test_a_changed_config_map_reaches_the_pods_files():
    lab = a_kubelet_lab()
    await lab.client.create(CONFIGMAPS, {"metadata": {"name": "cm", "namespace": "default"}, "data": {"k": "old"}})
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", volumes=[{"name": "v", "configMap": {"name": "cm"}}]))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await lab.client.patch(CONFIGMAPS, ObjectKey("default", "cm"), {"data": {"k": "new"}})
        ((path, files),) = lab.files.payloads.items()
        assert files[0].data == b"old"
        await lab.eventually(lambda: lab.files.payloads[path][0].data == b"new", 2.0)


async def test_a_changed_label_reaches_the_pods_files():
    lab = a_kubelet_lab()
    items = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", volumes=[{"name": "v", "downwardAPI": {"items": items}}]))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await lab.client.patch(PODS, ObjectKey("default", "web"), {"metadata": {"labels": {"app": "new"}}})
        await lab.eventually(lambda: [f[0].data for f in lab.files.payloads.values()] == [b'app="new"'], 2.0)


async def test_a_pod_s_files_show_when_and_from_where_the_kubelet_had_it_whatever_its_object_says():
    lab = a_kubelet_lab()
    items = [{"path": "ann", "fieldRef": {"fieldPath": "metadata.annotations"}}]
    pod = a_pod("web", volumes=[{"name": "v", "downwardAPI": {"items": items}}])
    pod["metadata"]["annotations"] = {"kubernetes.io/config.source": "file"}
    async with lab.started():
        seen = format_micro_time(lab.clock.wall_s())
        await lab.client.create(PODS, pod)
        await lab.eventually(lambda: lab.is_ready("web"), 1.0)
        ((shown,),) = lab.files.payloads.values()
        await lab.client.patch(PODS, ObjectKey("default", "web"), {"metadata": {"labels": {"changed": "yes"}}})
        await asyncio.sleep(1.0)

    assert shown.data.decode().splitlines() == [
        f'kubernetes.io/config.seen="{seen}"',
        'kubernetes.io/config.source="api"',
    ]
    assert list(lab.files.payloads.values()) == [(shown,)]


async def test_a_failing_post_start_hook_stops_the_container():
    lab = a_kubelet_lab()
    lab.runtime.exec_handler = lambda record, command: ExecResult(9, b"no\n")
    hook = {"postStart": {"exec": {"command": ["greet"]}}}
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", {"name": "c", "lifecycle": hook}, terminationGracePeriodSeconds=1))
        await lab.eventually(lambda: lab.container("web").get("restartCount") == 1, 5.0)

    assert "FailedPostStartHook" in lab.events.reasons()
    assert not lab.is_ready("web")


async def test_sidecars_stop_after_the_others_and_in_reverse():
    lab = a_kubelet_lab()
    init = [{"name": n, "image": "busybox:1.29", "restartPolicy": "Always"} for n in ("s1", "s2")]
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", initContainers=init))
        await lab.eventually(lambda: lab.phase("web") == "Running", 2.0)
        await lab.client.delete(PODS, ObjectKey("default", "web"))
        await lab.eventually(lambda: lab.pod("web") is None, 5.0)

    starts = [entry for entry in lab.runtime.journal if entry.startswith("start")]
    terms = [entry for entry in lab.runtime.journal if entry.startswith("term")]
    assert starts == ["start s1/0", "start s2/0", "start c/0"]
    assert terms == ["term c/0", "term s2/0", "term s1/0"]


async def test_a_pod_completes_although_its_sidecar_runs_on():
    lab = a_kubelet_lab()
    lab.runtime.programs["c"] = Program(runs_s=2.0)
    init = [{"name": "s", "image": "busybox:1.29", "restartPolicy": "Always"}]
    async with lab.started():
        await lab.client.create(PODS, a_pod("job", initContainers=init, restartPolicy="Never"))
        await lab.eventually(lambda: lab.phase("job") == "Succeeded", 5.0)
        await asyncio.sleep(1)

    assert lab.runtime.records("s")[0].exit_code == 143


async def test_a_successor_of_the_same_name_does_not_wait_for_its_predecessor():
    lab = a_kubelet_lab()
    lab.runtime.programs["c"] = Program(term_after_s=20.0)
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await lab.client.delete(PODS, ObjectKey("default", "web"), DeleteOptions(grace_period_s=0))
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await lab.eventually(lambda: len(lab.runtime.records("c")) == 1, 25.0)

    assert list(lab.network.addresses.values()) == ["10.244.0.3"]


async def test_a_kubelet_that_was_killed_while_stopping_a_pod_goes_on_with_what_is_left_of_the_grace_period():
    lab = a_kubelet_lab()
    lab.runtime.programs["c"] = Program(term_after_s=None)
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await lab.client.delete(PODS, ObjectKey("default", "web"))
        asked_s = lab.clock.now_s()
        await asyncio.sleep(20)
    async with lab.started():
        await lab.eventually(lambda: lab.pod("web") is None, 20.0)
        assert lab.clock.now_s() - asked_s < 34


async def test_an_engine_that_is_away_stops_nothing_and_is_waited_for():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        lab.runtime.up = False
        await lab.client.create(PODS, a_pod("later"))
        await asyncio.sleep(30)
        assert lab.phase("later") in ("", "Pending")
        assert lab.phase("web") == "Running"
        lab.runtime.up = True
        await lab.eventually(lambda: lab.phase("later") == "Running", 15.0)


async def test_an_api_server_that_is_away_does_not_keep_a_pod_on_the_host():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        await lab.client.delete(PODS, ObjectKey("default", "web"))
        for _ in range(6):
            lab.client.fail_next("patch", PODS, UnavailableError("away"))
        await lab.eventually(lambda: not lab.runtime.records(), 1.0)
        assert lab.files.texts == {}
        assert lab.pod("web") is not None
        await lab.eventually(lambda: lab.pod("web") is None, 30.0)


async def test_a_pod_in_the_hosts_network_has_the_hosts_address():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", hostNetwork=True))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)

    assert (await lab.status("web"))["podIP"] == "192.0.2.1"
    assert lab.network.addresses == {}


async def test_a_changed_image_replaces_the_container():
    lab = a_kubelet_lab()
    lab.runtime.add_image("busybox:1.30")
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        containers = [{"name": "c", "image": "busybox:1.30"}]
        await lab.client.patch(PODS, ObjectKey("default", "web"), {"spec": {"containers": containers}})
        await lab.eventually(lambda: lab.container("web").get("image") == "busybox:1.30", 5.0)

    assert ("Normal", "Killing", "Container c definition changed, will be restarted") in lab.events.said


async def test_what_a_container_left_as_its_message_is_reported():
    lab = a_kubelet_lab()
    lab.runtime.programs["c"] = Program(runs_s=1.0, exit_code=1)
    async with lab.started():
        created = await lab.client.create(PODS, a_pod("job", restartPolicy="Never"))
        await lab.eventually(lambda: lab.phase("job") == "Running", 1.0)
        uid = created["metadata"]["uid"]
        lab.files.texts[f"/data/agent/pods/{uid}/containers/c/0"] = "out of luck"
        await lab.eventually(lambda: lab.phase("job") == "Failed", 3.0)

    assert lab.container("job")["state"]["terminated"]["message"] == "out of luck"


async def test_a_hundred_pods_are_started_and_deleted():
    lab = a_kubelet_lab()
    async with lab.started():
        for number in range(100):
            await lab.client.create(PODS, a_pod(f"p{number}"))
        await lab.eventually(lambda: all(lab.phase(f"p{n}") == "Running" for n in range(100)), 10.0)
        for number in range(100):
            await lab.client.delete(PODS, ObjectKey("default", f"p{number}"))
        await lab.eventually(lambda: not lab.client.objects(PODS), 10.0)

    assert lab.runtime.records() == []
    assert lab.network.addresses == {}


async def test_a_pod_of_one_container_asks_the_runtime_for_nothing_twice():
    lab = a_kubelet_lab()
    async with lab.started():
        lab.runtime.verbs.clear()
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.is_ready("web"), 1.0)
        await asyncio.sleep(1.0)

    assert lab.runtime.verbs == {
        "run_pod_sandbox": 1,
        "image_status": 1,
        "create_container": 1,
        "start_container": 1,
    }


async def test_a_listing_that_shows_what_is_known_already_asks_of_no_pod():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.is_ready("web"), 1.0)
        lab.runtime.verbs.clear()
        await asyncio.sleep(1.5 * lab.config.relist_s)

    assert lab.runtime.verbs["listing"] == 1


async def test_a_container_that_dies_while_its_start_is_told_is_seen_at_once():
    lab = a_kubelet_lab()
    start = lab.runtime.start_container

    async def start_and_die(container):
        record = await start(container)
        lab.runtime.exit_container(container, 3)
        await asyncio.sleep(0.01)
        return record

    lab.runtime.start_container = start_and_die
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", restartPolicy="Never"))
        await lab.eventually(lambda: lab.phase("web") == "Failed", 1.0)


async def test_a_look_at_an_unchanged_pod_asks_the_runtime_nothing():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.is_ready("web"), 1.0)
        await asyncio.sleep(1.0)
        lab.runtime.verbs.clear()
        await lab.client.patch(PODS, ObjectKey("default", "web"), {"metadata": {"labels": {"changed": "yes"}}})
        await asyncio.sleep(1.0)

    assert lab.runtime.verbs == {}


async def test_a_hundred_pods_are_adopted_without_a_listing_of_each():
    lab = a_kubelet_lab()
    names = [f"p{n}" for n in range(100)]
    async with lab.started():
        for name in names:
            await lab.client.create(PODS, a_pod(name))
        await lab.eventually(lambda: all(map(lab.is_ready, names)), 5.0)
    statuses = {name: lab.pod(name)["status"] for name in names}
    lab.runtime.verbs.clear()
    async with lab.started():
        await asyncio.sleep(2.0)

    assert lab.runtime.verbs["listing"] == 2  # the other one is the image garbage collection's
    assert set(lab.runtime.verbs) <= {"listing", "version", "list_images"}
    assert {name: lab.pod(name)["status"] for name in names} == statuses


async def test_what_happens_between_the_first_listing_and_the_first_look_is_seen():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", restartPolicy="Never"))
        await lab.eventually(lambda: lab.is_ready("web"), 1.0)
    listing = lab.runtime.listing

    async def dies_after_listing(pod_uid=""):
        found = await listing(pod_uid)
        if lab.runtime.records("c")[0].pid:
            lab.runtime.exit_container(lab.runtime.records("c")[0].id, 3)
        return found

    lab.runtime.listing = dies_after_listing
    async with lab.started():
        await lab.eventually(lambda: lab.phase("web") == "Failed", 1.0)

    assert lab.container("web")["state"]["terminated"]["exitCode"] == 3


async def test_a_pod_uses_what_is_behind_its_claim():
    lab = a_kubelet_lab()
    claim = a_claim(phase="Bound", volumeName="pv")
    claim = await lab.client.create(PERSISTENT_VOLUME_CLAIMS, claim)
    await lab.client.patch(
        PERSISTENT_VOLUME_CLAIMS, ObjectKey("default", "c"), {"status": {"phase": "Bound"}}, subresource="status"
    )
    lab.files.host["/srv/data"] = stat.S_IFDIR
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c", "readOnly": True}}]
    mounted = {"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    security = {"fsGroup": 5}
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", mounted, volumes=volumes, securityContext=security))
        await asyncio.sleep(2)
        assert lab.phase("web") == "Pending"
        assert any("error processing PVC default/c: failed to fetch PV pv" in m for _, _, m in lab.events.said)
        volume = a_volume(local={"path": "/srv/data"}, claimRef=a_reference(claim))
        await lab.client.create(PERSISTENT_VOLUMES, volume)
        await lab.eventually(lambda: lab.phase("web") == "Running", 10.0)

    (mount,) = [m for m in lab.runtime.config_of(lab.runtime.records("c")[0].id).mounts if m.container_path == "/v"]
    assert (mount.host_path, mount.read_only) == ("/srv/data", True)
    assert lab.files.owners == {"/srv/data": 5}
