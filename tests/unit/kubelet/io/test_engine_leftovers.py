import json
import os
import subprocess

import pytest

from minikube_py.kubelet.engine_leftovers import ContainerCgroup, Shim
from minikube_py.kubelet.io.engine_leftovers import HostLeftovers
from minikube_py.kubelet.io.mounts import MountPoint
from minikube_py.testing.fake_mounts import FakeMounts

ID, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture
def host(tmp_path):
    """A host with two hierarchies and an empty /proc."""
    (tmp_path / "proc").mkdir()
    mounts = FakeMounts()
    mounts.points = [MountPoint(str(tmp_path / name), "cgroup", name) for name in ("cpu", "pids")]
    return HostLeftovers(mounts, str(tmp_path / "proc"))


def _process(tmp_path, pid, identity, cgroup):
    folder = tmp_path / "proc" / str(pid)
    bundle = tmp_path / "bundles" / identity
    folder.mkdir()
    bundle.mkdir(parents=True)
    command = ["/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", identity]
    (folder / "cmdline").write_text("\0".join(command))
    (bundle / "config.json").write_text(json.dumps({"linux": {"cgroupsPath": cgroup}}))
    (folder / "cwd").symlink_to(bundle)


async def test_pods_and_containers_are_found_in_every_hierarchy(tmp_path, host):
    (tmp_path / f"cpu/kubepods/burstable/podu1/{ID}/nested").mkdir(parents=True)
    (tmp_path / f"pids/kubepods/burstable/podu1/{ID}").mkdir(parents=True)
    (tmp_path / f"pids/kubepods/podu2/{OTHER}").mkdir(parents=True)
    (tmp_path / "pids/system/podx").mkdir(parents=True)
    found = await host.find("/kubepods")

    assert found.pod_uids == {"u1", "u2"}
    assert found.cgroups == (
        ContainerCgroup(ID, f"/kubepods/burstable/podu1/{ID}"),
        ContainerCgroup(OTHER, f"/kubepods/podu2/{OTHER}"),
    )


async def test_slices_of_systemd_are_found(tmp_path, host):
    pod = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poda_b.slice"
    (tmp_path / "pids" / pod / f"docker-{ID}.scope").mkdir(parents=True)
    found = await host.find("kubepods.slice")

    assert found.pod_uids == {"a-b"}
    assert found.cgroups == (ContainerCgroup(ID, f"/{pod}/docker-{ID}.scope"),)


async def test_only_shims_of_this_nodes_pods_are_found(tmp_path, host):
    _process(tmp_path, 12, ID, f"/mine/kubepods/podu1/{ID}")
    _process(tmp_path, 13, OTHER, f"/kubepods/podu1/{OTHER}")
    (tmp_path / "proc/14").mkdir()  # a process that ends while it is looked at
    found = await host.find("/mine/kubepods")

    assert found.shims == (Shim(12, ID),)


async def test_a_shim_is_killed_and_another_process_of_its_number_is_not(tmp_path, host):
    with subprocess.Popen(["sleep", "60"]) as process:
        _process(tmp_path, process.pid, ID, f"/kubepods/podu1/{ID}")
        await host.end_shim(Shim(process.pid, OTHER))
        os.kill(process.pid, 0)
        await host.end_shim(Shim(process.pid, ID))

    assert process.returncode == -9


async def test_a_shim_that_has_ended_is_no_fault(host):
    await host.end_shim(Shim(4242, ID))
