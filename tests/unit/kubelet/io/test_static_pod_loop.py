"""Static pods on a kubelet in virtual time."""

import asyncio
from dataclasses import replace

import pytest

from minikube_py.api.errors import UnavailableError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import PODS
from minikube_py.client.interface import DeleteOptions
from minikube_py.testing.fake_runtime import Program
from minikube_py.testing.kubelet_lab import IMAGE, a_kubelet_lab

pytestmark = pytest.mark.looptime

NAME = "st-node1"
MANIFEST = f"""
apiVersion: v1
kind: Pod
metadata: {{name: st}}
spec: {{containers: [{{name: c, image: "{IMAGE}"}}]}}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "st.yaml").write_text(MANIFEST)
    return tmp_path


def a_lab(folder):
    lab = a_kubelet_lab()
    lab.config = replace(lab.config, static_pod_path=str(folder))
    return lab


def running(lab):
    return [r for r in lab.runtime.records("c") if r.finished_at_s == 0]


def api_uid(lab):
    pod = lab.pod(NAME)
    return pod["metadata"]["uid"] if pod else ""


async def test_a_static_pod_runs_and_is_shown_by_a_mirror_pod(folder):
    lab = a_lab(folder)
    async with lab.started():
        await lab.eventually(lambda: lab.phase(NAME) == "Running", 5.0)

    mirror = lab.pod(NAME)
    uid = mirror["metadata"]["annotations"]["kubernetes.io/config.mirror"]
    assert running(lab)[0].pod.uid == uid != mirror["metadata"]["uid"]
    assert lab.is_ready(NAME)


async def test_a_deleted_mirror_pod_comes_back_and_nothing_of_the_pod_is_touched(folder):
    lab = a_lab(folder)
    async with lab.started():
        await lab.eventually(lambda: lab.phase(NAME) == "Running", 5.0)
        first = lab.pod(NAME)["metadata"]["uid"]
        await lab.client.delete(PODS, ObjectKey("default", NAME))
        await lab.eventually(
            lambda: (lab.pod(NAME) or {"metadata": {}})["metadata"].get("uid") not in (None, first), 5
        )
        await lab.eventually(lambda: lab.phase(NAME) == "Running", 5.0)

    assert len(lab.runtime.records("c")) == len(running(lab)) == 1


async def test_a_forced_delete_of_the_mirror_pod_is_undone_too(folder):
    lab = a_lab(folder)
    async with lab.started():
        await lab.eventually(lambda: lab.phase(NAME) == "Running", 5.0)
        await lab.client.delete(PODS, ObjectKey("default", NAME), DeleteOptions(grace_period_s=0))
        await lab.eventually(lambda: lab.phase(NAME) == "Running", 5.0)

    assert len(running(lab)) == 1


async def test_a_removed_file_ends_the_pod_and_its_mirror(folder):
    lab = a_lab(folder)
    async with lab.started():
        await lab.eventually(lambda: lab.phase(NAME) == "Running", 5.0)
        (folder / "st.yaml").unlink()
        await lab.eventually(lambda: lab.pod(NAME) is None, 10.0)

    assert not running(lab)


async def test_a_changed_file_is_another_pod_that_waits_for_the_old_one_s_end(folder):
    lab = a_lab(folder)
    lab.runtime.programs["c"] = Program(term_after_s=4.0)
    async with lab.started():
        await lab.eventually(lambda: lab.phase(NAME) == "Running", 5.0)
        first = running(lab)[0].pod.uid
        (folder / "st.yaml").write_text(MANIFEST.replace("spec: {", "spec: {terminationGracePeriodSeconds: 7, "))
        await lab.eventually(lambda: [r.pod.uid for r in running(lab)] not in ([], [first]), 20.0)

    journal = lab.runtime.journal
    assert journal.index("end c/0 143") < len(journal) - 1 - journal[::-1].index("start c/0")
    assert len(running(lab)) == 1


async def test_a_static_pod_runs_without_an_api_server_and_is_shown_later(folder):
    lab = a_lab(folder)
    for _ in range(3):
        lab.client.fail_next("create", PODS, UnavailableError("away"))
    async with lab.started():
        await lab.eventually(lambda: len(running(lab)) == 1, 1.0)
        await lab.eventually(lambda: lab.phase(NAME) == "Running", 10.0)


async def test_an_agent_that_is_started_anew_adopts_its_static_pods(folder):
    lab = a_lab(folder)
    async with lab.started():
        await lab.eventually(lambda: lab.phase(NAME) == "Running", 5.0)
    async with lab.started():
        await asyncio.sleep(20)

    assert len(lab.runtime.records("c")) == len(running(lab)) == 1


async def test_a_mirror_pod_whose_file_is_gone_is_removed_at_the_next_start(folder):
    lab = a_lab(folder)
    async with lab.started():
        await lab.eventually(lambda: lab.phase(NAME) == "Running", 5.0)
    (folder / "st.yaml").unlink()
    async with lab.started():
        await lab.eventually(lambda: lab.pod(NAME) is None and not running(lab), 30.0)


async def test_the_engine_s_uid_of_a_mirror_pod_is_known(folder):
    lab = a_lab(folder)
    async with lab.started() as kubelet:
        await lab.eventually(lambda: lab.phase(NAME) == "Running", 5.0)

        assert kubelet.worker_uid(lab.pod(NAME)["metadata"]["uid"]) == running(lab)[0].pod.uid
        assert kubelet.worker_uid("other") == "other"
