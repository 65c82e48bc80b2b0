"""Cgroups of pods where systemd owns them: a real systemd, booted in namespaces, and this kernel's hierarchies."""

import tempfile
from pathlib import Path

import pytest

from minikube_py.kubelet.io.cgroup_dirs import remove_cgroup
from minikube_py.kubelet.io.cgroup_writer import LinuxCgroupWriter
from minikube_py.kubelet.io.mounts import MountPoint
from minikube_py.kubelet.io.systemd_slices import SystemdSlices
from minikube_py.kubelet.pod_cgroup import CgroupLimits
from minikube_py.kubelet.slice_properties import slice_properties
from minikube_py.testing.lab.systemd_host import SystemdHost, systemd_hosts

pytestmark = pytest.mark.node

POD, TIER, ALL = "lab-kubepods-burstable-podab_cd.slice", "lab-kubepods-burstable.slice", "lab-kubepods.slice"
FOLDER = f"lab.slice/{ALL}/{TIER}/{POD}"
LIMITS = CgroupLimits(512, 50_500, 64 << 20, 100)


@pytest.fixture(scope="module")
def host():
    with systemd_hosts(Path(tempfile.mkdtemp(prefix="mkpyd", dir="/run")), 1, SystemdHost) as (booted,):
        yield booted


def shown(host, name, *properties):
    lines = host.run("systemctl", "show", name, *(f"--property={p}" for p in properties)).stdout.splitlines()
    return dict(line.partition("=")[::2] for line in lines)


def in_kernel(host, controller, file):
    return Path(host.cgroup_places[controller], FOLDER, file).read_text().strip()


async def test_a_pods_slice_is_made_changed_and_kept_over_a_reload_and_goes_with_its_tier(host):
    slices = SystemdSlices(host.bus)
    writer = LinuxCgroupWriter(slices, host.cgroup_places)
    await writer.write(TIER, CgroupLimits(1024), 1)
    await writer.write(POD, LIMITS, 1)
    assert shown(host, POD, "ActiveState", "Slice", "CPUShares", "MemoryLimit", "TasksMax") == {
        "ActiveState": "active",
        "Slice": TIER,
        "CPUShares": "512",
        "MemoryLimit": str(64 << 20),
        "TasksMax": "100",
    }
    assert [in_kernel(host, "cpu", f"cpu.{f}") for f in ("shares", "cfs_quota_us")] == ["512", "50500"]
    assert in_kernel(host, "memory", "memory.limit_in_bytes") == str(64 << 20)
    assert in_kernel(host, "pids", "pids.max") == "100"

    await writer.write(POD, CgroupLimits(256, 0, 0, 100), 1)
    host.run("systemctl", "daemon-reload")
    assert [in_kernel(host, "cpu", f"cpu.{f}") for f in ("shares", "cfs_quota_us")] == ["256", "-1"]
    assert int(in_kernel(host, "memory", "memory.limit_in_bytes")) > 1 << 60

    mounts = tuple(MountPoint(place, "cgroup", controller) for controller, place in host.cgroup_places.items())
    await slices.stop(POD)
    assert remove_cgroup(POD, mounts)
    assert not any(Path(place, FOLDER).exists() for place in host.cgroup_places.values())
    for above in (ALL, "lab.slice"):
        await slices.stop(above)
        assert remove_cgroup(above, mounts)
    assert not any(Path(place, "lab.slice").exists() for place in host.cgroup_places.values())
    assert "lab-kubepods" not in host.run("systemctl", "list-units", "--all", "--plain").stdout


async def test_what_is_told_for_version_2_is_understood(host):
    slices = SystemdSlices(host.bus)
    await slices.apply("two.slice", slice_properties(LIMITS, 2))

    wanted = {"CPUWeight": "20", "CPUQuotaPerSecUSec": "510ms", "MemoryMax": str(64 << 20), "TasksMax": "100"}
    assert shown(host, "two.slice", *wanted) == wanted
    await slices.stop("two.slice")
    await slices.stop("two.slice")


async def test_who_is_not_there_is_named(tmp_path):
    with pytest.raises(OSError, match=str(tmp_path / "none")):
        await SystemdSlices(str(tmp_path / "none")).apply("x.slice", ())
