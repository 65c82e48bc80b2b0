from dataclasses import replace

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import PODS
from minikube_py.kubelet.pod_cgroup import CgroupLimits
from minikube_py.testing.kubelet_lab import IMAGE, a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime

IMAGED = {"image": IMAGE}
BURSTABLE = {"name": "c", "resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "64Mi"}}}


async def test_a_pods_cgroup_stands_before_its_sandbox_and_counts_in_its_class():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("p", BURSTABLE))
        await lab.eventually(lambda: lab.phase("p") == "Running", 5.0)

    uid = lab.pod("p")["metadata"]["uid"]
    assert lab.cgroups.limits[f"/kubepods/burstable/pod{uid}"] == CgroupLimits(512, 0, 64 << 20, 4096)
    assert lab.cgroups.limits["/kubepods/burstable"].shares == 512
    assert lab.cgroups.limits["/kubepods/besteffort"].shares == 2
    assert lab.cgroups.limits["/kubepods"] == CgroupLimits(2048, 0, 8 << 30)


async def test_a_host_that_refuses_cgroups_runs_pods_all_the_same(caplog):
    lab = a_kubelet_lab()
    lab.cgroups.failures = [PermissionError(1, "no", "/sys/fs/cgroup/cpu")] * 20
    async with lab.started():
        await lab.client.create(PODS, a_pod("p", BURSTABLE))
        await lab.eventually(lambda: lab.phase("p") == "Running", 5.0)

    assert [r.message for r in caplog.records if "cgroups of pods are not limited" in r.message] != []


async def test_a_resize_ends_with_the_pods_cgroup_at_its_new_limits():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("p", BURSTABLE))
        await lab.eventually(lambda: lab.phase("p") == "Running", 5.0)
        bigger = {"name": "c", "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "128Mi"}}}
        await lab.client.patch(PODS, ObjectKey("default", "p"), {"spec": {"containers": [{**IMAGED, **bigger}]}})
        name = f"/kubepods/burstable/pod{lab.pod('p')['metadata']['uid']}"
        await lab.eventually(lambda: lab.cgroups.limits[name] == CgroupLimits(1024, 0, 128 << 20, 4096), 10.0)


@pytest.mark.parametrize(("version", "together"), [(1, 0), (2, 1)])
async def test_with_version_2_all_of_a_container_ends_when_memory_kills_one_process(version, together):
    lab = a_kubelet_lab()
    lab.runtime.about = replace(lab.runtime.about, cgroup_version=version, cgroup_driver="systemd")
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 5.0)
        uid, container = lab.pod("web")["metadata"]["uid"], lab.container("web")["containerID"].rpartition("/")[2]

    slice_ = f"kubepods-besteffort-pod{uid.replace('-', '_')}.slice"
    path = f"/kubepods.slice/kubepods-besteffort.slice/{slice_}/docker-{container}.scope"
    assert lab.cgroups.together == [path] * together
    assert slice_ in lab.cgroups.limits
