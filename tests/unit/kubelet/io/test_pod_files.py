import os
import stat
from dataclasses import replace

import pytest

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.io.mounts import MountPoint
from minikube_py.kubelet.io.pod_files import HostPodFiles
from minikube_py.kubelet.ports import VolumeRequest
from minikube_py.kubelet.volumes import ProjectedFile, VolumeError


class FakeMounts:
    """Mounts that are only remembered; a bind is a symbolic link, so that what is bound can be looked at."""

    def __init__(self):
        self.points: list[MountPoint] = []
        self.options: dict[str, str] = {}
        self.bound: dict[str, str] = {}
        self.stuck: set[str] = set()

    def tmpfs(self, path, options):
        self.points.append(MountPoint(path, "tmpfs", ""))
        self.options[path] = options

    def bind(self, source, path):
        self.points.append(MountPoint(path, "ext4", ""))
        self.bound[path] = os.readlink(source)

    def unmount(self, path):
        if path not in self.stuck:
            self.points = [m for m in self.points if m.path != path]

    def mounted(self):
        return tuple(self.points)


@pytest.fixture
def mounts():
    return FakeMounts()


@pytest.fixture
def files(tmp_path, mounts):
    config = KubeletConfig(node_name="n", node_ip="192.0.2.1", root_dir=str(tmp_path), pod_logs_dir=str(tmp_path))
    return HostPodFiles(config, mounts)


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
    await files.set_up_volume(VolumeRequest(path, in_memory=True, size_bytes=4096))

    assert mounts.options == {path: "mode=0777,size=4096"}


async def test_a_payload_is_written(files, tmp_path):
    request = VolumeRequest(str(tmp_path / "v"), files=(ProjectedFile("k", b"v", 0o600),))
    await files.set_up_volume(request)
    await files.set_up_volume(replace(request, files=(ProjectedFile("k", b"w", 0o600),)))

    assert (tmp_path / "v/k").read_bytes() == b"w"


@pytest.mark.parametrize(
    ("name", "type", "fits"),
    [
        ("file", "File", True),
        ("file", "Directory", False),
        ("dir", "Directory", True),
        ("dir", "File", False),
        ("none", "File", False),
        ("none", "Socket", False),
        ("none", "", True),
        ("none", "DirectoryOrCreate", True),
        ("none", "FileOrCreate", True),
        ("file", "DirectoryOrCreate", False),
    ],
)
async def test_a_host_path_must_be_what_it_is_said_to_be(files, tmp_path, name, type, fits):
    (tmp_path / "file").write_text("")
    (tmp_path / "dir").mkdir()
    if fits:
        await files.check_host_path(str(tmp_path / name), type)
    else:
        with pytest.raises(VolumeError, match="hostPath type check failed"):
            await files.check_host_path(str(tmp_path / name), type)


async def test_a_host_path_of_any_kind_is_made_when_it_is_missing(files, tmp_path):
    await files.check_host_path(str(tmp_path / "new"), "")

    assert (tmp_path / "new").is_dir()


async def test_a_sub_path_is_made_and_bound(files, mounts, tmp_path):
    (tmp_path / "v").mkdir()
    point = await files.set_up_sub_path(str(tmp_path / "v"), "a/b", str(tmp_path / "m"))

    assert mounts.bound == {point: str(tmp_path / "v/a/b")}
    assert (tmp_path / "m").is_dir()


async def test_a_file_is_bound_onto_a_file(files, mounts, tmp_path):
    (tmp_path / "v").mkdir()
    (tmp_path / "v/f").write_text("x")
    await files.set_up_sub_path(str(tmp_path / "v"), "f", str(tmp_path / "m"))

    assert (tmp_path / "m").is_file()


@pytest.mark.parametrize("sub_path", ["../out", "link", "link/x", "a/../../out"])
async def test_a_sub_path_does_not_lead_out_of_the_volume(files, mounts, tmp_path, sub_path):
    (tmp_path / "v/a").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    os.symlink(tmp_path / "out", tmp_path / "v/link")

    with pytest.raises(OSError, match="leads out of the volume"):
        await files.set_up_sub_path(str(tmp_path / "v"), sub_path, str(tmp_path / "m"))
    assert mounts.bound == {}


async def test_a_link_inside_the_volume_may_be_followed(files, mounts, tmp_path):
    (tmp_path / "v/..2026/dir").mkdir(parents=True)
    (tmp_path / "v/..2026/dir/k").write_text("x")
    os.symlink("..2026", tmp_path / "v/..data")
    os.symlink("..data/dir", tmp_path / "v/dir")
    await files.set_up_sub_path(str(tmp_path / "v"), "dir/k", str(tmp_path / "m"))

    assert mounts.bound[str(tmp_path / "m")].endswith("/..2026/dir/k")


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
    mounts.tmpfs(str(pod / "volumes/v"), "")
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
