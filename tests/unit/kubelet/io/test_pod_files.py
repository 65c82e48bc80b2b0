import os
import stat
from dataclasses import replace

import pytest

from minikube_py.kubelet.cgroup_names import cgroup_path
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.io.pod_files import HostPodFiles
from minikube_py.kubelet.io.systemd_slices import SystemdSlices
from minikube_py.kubelet.pod_volumes import NfsVolume
from minikube_py.kubelet.ports import VolumeRequest
from minikube_py.kubelet.volumes import ProjectedFile
from minikube_py.testing.fake_mounts import FakeMounts
from minikube_py.testing.fake_slices import FakeSlices


@pytest.fixture
def mounts():
    return FakeMounts()


@pytest.fixture
def files(tmp_path, mounts):
    config = KubeletConfig(node_name="n", node_ip="192.0.2.1", root_dir=str(tmp_path), pod_logs_dir=str(tmp_path))
    return HostPodFiles(config, FakeSlices(), mounts)


async def test_an_empty_directory_is_open_to_every_user(files, tmp_path):
    await files.set_up_volume(VolumeRequest(str(tmp_path / "v")))

    assert stat.S_IMODE((tmp_path / "v").stat().st_mode) == 0o777


async def test_what_a_pod_wrote_stays_over_a_second_set_up(files, tmp_path):
    request = VolumeRequest(str(tmp_path / "v"))
    await files.set_up_volume(request)
    (tmp_path / "v/f").write_text("x")
    await files.set_up_volume(request)

    assert (tmp_path / "v/f").read_text() == "x"


async def test_a_volume_in_memory_is_a_tmpfs_of_its_size(files, mounts, tmp_path):
    path = str(tmp_path / "v")
    await files.set_up_volume(VolumeRequest(path, "tmpfs", "size=4096"))

    assert mounts.options == {path: "size=4096,noswap"}
    assert stat.S_IMODE((tmp_path / "v").stat().st_mode) == 0o1777


async def test_a_volume_of_a_group_hands_the_group_on(files, tmp_path):
    gid = (tmp_path).stat().st_gid
    for file_system, mode in (("", 0o2777), ("tmpfs", 0o3777)):
        path = tmp_path / f"v{mode:o}"
        await files.set_up_volume(VolumeRequest(str(path), file_system, gid=gid))

        assert (path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (gid, mode)


async def test_a_payload_is_written(files, tmp_path):
    request = VolumeRequest(str(tmp_path / "v"), files=(ProjectedFile("k", b"v", 0o600),))
    await files.set_up_volume(request)
    await files.set_up_volume(replace(request, files=(ProjectedFile("k", b"w", 0o600),)))

    assert (tmp_path / "v/k").read_bytes() == b"w"


async def test_a_file_that_is_mounted_keeps_its_inode(files, tmp_path):
    path = tmp_path / "pods/u/etc-hosts"
    await files.write_file(str(path), "a")
    inode = path.stat().st_ino
    await files.write_file(str(path), "b")

    assert (path.stat().st_ino, path.read_text()) == (inode, "b")


async def test_a_missing_file_reads_as_nothing(files, tmp_path):
    (tmp_path / "f").write_text("12345")

    assert await files.read_file(str(tmp_path / "none"), 10) == ""
    assert await files.read_file(str(tmp_path / "f"), 3) == "123"


async def test_a_pod_is_unmounted_and_removed(files, mounts, tmp_path):
    pod = tmp_path / "pods/u"
    (pod / "volumes/v").mkdir(parents=True)
    (pod / "volumes/v/f").write_text("x")
    mounts.mount("tmpfs", str(pod / "volumes/v"), "")
    await files.remove_pod(str(pod))
    await files.remove_pod(str(pod))

    assert not pod.exists()
    assert mounts.points == []


async def test_nothing_is_deleted_below_a_mount_that_stays(files, mounts, tmp_path):
    pod = tmp_path / "pods/u"
    (pod / "volumes/v").mkdir(parents=True)
    (pod / "volumes/v/precious").write_text("x")
    mounts.bind(f"/proc/self/fd/{os.open(tmp_path, os.O_PATH)}", str(pod / "volumes/v"))
    mounts.stuck.add(str(pod / "volumes/v"))

    with pytest.raises(OSError, match="still mounted"):
        await files.remove_pod(str(pod))
    assert (pod / "volumes/v/precious").read_text() == "x"


async def test_links_are_removed_and_not_followed(files, tmp_path):
    pod = tmp_path / "pods/u"
    (pod / "volumes").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/precious").write_text("x")
    os.symlink(tmp_path / "outside", pod / "volumes/link")
    await files.remove_pod(str(pod))

    assert (tmp_path / "outside/precious").read_text() == "x"


async def test_pods_with_a_directory_are_listed(files, tmp_path):
    assert await files.pod_uids() == ()
    (tmp_path / "pods/b").mkdir(parents=True)
    (tmp_path / "pods/a").mkdir()

    assert await files.pod_uids() == ("a", "b")


async def test_a_folder_for_everybody_is_made_once_and_removed_whole(files, tmp_path):
    path = tmp_path / "storage/v"
    await files.make_directory(str(path))
    (path / "sub").mkdir()
    (path / "sub/f").write_text("x")
    await files.make_directory(str(path))
    assert (stat.S_IMODE(path.stat().st_mode), (path / "sub/f").read_text()) == (0o777, "x")
    await files.remove_directory(str(path))
    await files.remove_directory(str(path))

    assert not path.exists()


async def test_an_export_is_mounted_once_and_a_dead_server_is_not_waited_for(files, mounts, tmp_path):
    path = str(tmp_path / "pods/u/volumes/nfs")
    os.makedirs(path)
    mounts.mount("nfs4", path, "")
    await files.mount_nfs(NfsVolume("192.0.2.1", "/p", False), path, ())
    await files.remove_pod(str(tmp_path / "pods/u"))

    assert mounts.points == []


async def test_a_pods_slice_is_stopped_and_with_that_of_all_pods_the_agents_own(tmp_path, mounts):
    slices = FakeSlices()
    config = KubeletConfig(node_name="n", node_ip="192.0.2.1", root_dir=str(tmp_path), pod_logs_dir=str(tmp_path))
    files = HostPodFiles(config, slices, mounts)
    mounts.mount("cgroup2", str(tmp_path / "cgroup"), "")
    for name in ("a.slice", "a-kubepods.slice", "a-kubepods-podu.slice", "a-kubepods-podv.slice", "b.slice"):
        await slices.apply(name, ())
        os.makedirs(f"{tmp_path}/cgroup{cgroup_path(name)}")
    await files.remove_cgroup("a-kubepods-podu.slice")
    assert sorted(slices.units) == ["a-kubepods-podv.slice", "a-kubepods.slice", "a.slice", "b.slice"]
    await files.remove_cgroup("a-kubepods.slice")

    assert sorted(slices.units) == ["b.slice"]


async def test_for_a_slice_that_is_not_there_no_systemd_is_needed(tmp_path, mounts):
    config = KubeletConfig(node_name="n", node_ip="192.0.2.1", root_dir=str(tmp_path), pod_logs_dir=str(tmp_path))
    mounts.mount("cgroup2", str(tmp_path / "cgroup"), "")
    os.makedirs(tmp_path / "cgroup/kubepods/podu")
    await HostPodFiles(config, SystemdSlices(str(tmp_path / "no-bus")), mounts).remove_cgroup("kubepods.slice")

    assert (tmp_path / "cgroup/kubepods/podu").exists()
