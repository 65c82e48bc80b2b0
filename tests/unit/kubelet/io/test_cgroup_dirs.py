import signal
import subprocess

import pytest

from minikube_py.kubelet.io.cgroup_dirs import has_cgroup, remove_cgroup
from minikube_py.kubelet.io.mounts import MountPoint


def test_a_pods_cgroups_go_in_every_hierarchy(tmp_path):
    for controller in ("cpu", "memory"):
        (tmp_path / controller / "kubepods/besteffort/podu/leftover").mkdir(parents=True)
    mounts = tuple(MountPoint(str(tmp_path / c), "cgroup", c) for c in ("cpu", "memory"))
    remove_cgroup("/kubepods/besteffort/podu", mounts)

    assert not (tmp_path / "cpu/kubepods/besteffort/podu").exists()
    assert (tmp_path / "memory/kubepods/besteffort").exists()


def test_a_cgroup_is_there_when_one_hierarchy_has_it(tmp_path):
    (tmp_path / "memory/kubepods.slice/kubepods-podu.slice").mkdir(parents=True)
    (tmp_path / "tmp/kubepods/podv").mkdir(parents=True)
    kinds = (("cpu", "cgroup"), ("memory", "cgroup"), ("tmp", "tmpfs"))
    mounts = tuple(MountPoint(str(tmp_path / name), kind, "") for name, kind in kinds)

    assert has_cgroup("kubepods-podu.slice", mounts)
    assert not has_cgroup("kubepods-podv.slice", mounts)
    assert not has_cgroup("/kubepods/podv", mounts)


def test_what_is_in_use_stays(tmp_path):
    used = tmp_path / "cpu/kubepods/podu"
    used.mkdir(parents=True)
    (used / "tasks").write_text("1")
    remove_cgroup("/kubepods/podu", (MountPoint(str(tmp_path / "cpu"), "cgroup", ""),))

    assert used.exists()


def test_other_cgroups_are_not_touched(tmp_path):
    (tmp_path / "system").mkdir()
    (tmp_path / "system.slice").mkdir()
    mounts = (MountPoint(str(tmp_path), "cgroup2", ""),)
    remove_cgroup("/system", mounts)
    remove_cgroup("system.slice", mounts)

    assert {path.name for path in tmp_path.iterdir()} == {"system", "system.slice"}


def test_what_systemd_leaves_of_a_slice_goes(tmp_path):
    (tmp_path / "hugetlb/a.slice/a-kubepods.slice/a-kubepods-podu.slice").mkdir(parents=True)
    mounts = (MountPoint(str(tmp_path / "hugetlb"), "cgroup", "hugetlb"),)
    remove_cgroup("a-kubepods-podu.slice", mounts)
    assert [path.name for path in (tmp_path / "hugetlb/a.slice").iterdir()] == ["a-kubepods.slice"]
    remove_cgroup("a-kubepods.slice", mounts)

    assert list((tmp_path / "hugetlb").iterdir()) == []


def test_with_all_pods_gone_the_agents_own_root_goes_too(tmp_path):
    (tmp_path / "cpu/minikube-py-1/kubepods/burstable").mkdir(parents=True)
    (tmp_path / "cpu/other").mkdir()
    remove_cgroup("/minikube-py-1/kubepods", (MountPoint(str(tmp_path / "cpu"), "cgroup", "cpu"),))

    assert [path.name for path in (tmp_path / "cpu").iterdir()] == ["other"]


SLICES = "kubepods.slice/kubepods-podu.slice"


@pytest.mark.parametrize(
    ("parent", "path", "ends"),
    [
        ("/kubepods/podu", "kubepods/podu", True),
        ("/kubepods/podu/forgotten", "kubepods/podu", True),
        ("/kubepods/podu/other", "kubepods/podu", False),
        ("/kubepods", "kubepods/podu", False),
        ("kubepods-podu.slice", SLICES, True),
        (f"/{SLICES}/docker-other.scope", SLICES, False),
    ],
    ids=["pod", "container", "other container", "root", "slice", "other scope"],
)
def test_what_is_left_in_a_pods_cgroup_is_killed_and_in_no_other(tmp_path, parent, path, ends):
    with subprocess.Popen(["sleep", "60"]) as left:
        folder = tmp_path / "pids" / path / "forgotten"
        folder.mkdir(parents=True)
        (folder / "cgroup.procs").write_text(f"{left.pid}\n")
        is_done = remove_cgroup(parent, (MountPoint(str(tmp_path / "pids"), "cgroup", "pids"),))
        left.send_signal(signal.SIGTERM)

    assert is_done is not ends
    assert left.returncode == (-signal.SIGKILL if ends else -signal.SIGTERM)
