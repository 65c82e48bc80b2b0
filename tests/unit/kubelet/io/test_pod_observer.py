"""What is read of a pod beyond the runtime's records: users of processes and termination messages."""

import pytest

from minikube_py.api.resources import PODS
from minikube_py.testing.fake_runtime import Program
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime


async def test_a_status_names_the_user_of_a_container_s_first_process():
    lab = a_kubelet_lab()
    for pid in range(2000, 2010):
        lab.files.texts[f"/proc/{pid}/status"] = "Uid:\t1000\t1000\nGid:\t2000\t2000\nGroups:\t2000 3000\n"
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: "user" in lab.container("web"), 2.0)

    assert lab.container("web")["user"] == {"linux": {"uid": 1000, "gid": 2000, "supplementalGroups": [2000, 3000]}}


async def test_the_user_stays_known_after_the_process_has_ended():
    lab = a_kubelet_lab()
    for pid in range(2000, 2010):
        lab.files.texts[f"/proc/{pid}/status"] = "Uid:\t7\nGid:\t7\nGroups:\t\n"
    lab.runtime.programs["c"] = Program(runs_s=3.0)
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", restartPolicy="Never"))
        await lab.eventually(lambda: lab.phase("web") == "Succeeded", 10.0)

    assert lab.container("web")["user"]["linux"] == {"uid": 7, "gid": 7, "supplementalGroups": [7]}


async def test_all_messages_of_a_pod_share_twelve_kilobytes():
    lab = a_kubelet_lab()
    names = [f"c{n}" for n in range(6)]
    for name in names:
        lab.runtime.programs[name] = Program(runs_s=1.0, exit_code=1)
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", *({"name": name} for name in names), restartPolicy="Never"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 1.0)
        uid = lab.pod("web")["metadata"]["uid"]
        for name in names:
            lab.files.texts[f"/data/agent/pods/{uid}/containers/{name}/0"] = "x" * 5000
        await lab.eventually(lambda: lab.phase("web") == "Failed", 10.0)

    assert {len(lab.container("web", n)["state"]["terminated"]["message"]) for n in range(6)} == {2048}
