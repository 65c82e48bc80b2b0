import os

from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kubelet.io.host_statistics import LinuxHostStatistics, disk_usage, file_system


def test_usage_counts_blocks_and_entries_and_a_file_with_two_names_once(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    os.link(tmp_path / "a", tmp_path / "b")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to("/etc")
    used = disk_usage(str(tmp_path))

    assert used.inodes == 4
    blocks = sum(os.lstat(tmp_path / p).st_blocks for p in ("", "a", "folder", "folder/link"))
    assert used.bytes == blocks * 512 >= 100_000


def test_what_is_not_there_uses_nothing(tmp_path):
    assert disk_usage(str(tmp_path / "none")).inodes == 0


def test_a_path_that_is_not_there_yet_lies_where_its_parent_lies(tmp_path):
    assert file_system(str(tmp_path / "a/b")).device == os.stat(tmp_path).st_dev
    assert file_system(str(tmp_path)).capacity_bytes > 0


async def test_this_host_can_be_read(tmp_path):
    host = LinuxHostStatistics(SystemClock())
    node = await host.node(1, str(tmp_path), "", "/kubepods-of-nobody")
    (own, none) = await host.interfaces([os.getpid(), 2**22 + 1])

    assert node.memory_bytes > node.cgroup.working_set_bytes > 0
    assert node.processes_max > node.processes > 0
    assert node.boot_at_s > 0
    assert own is not None
    assert none is None
    assert await host.cgroups(["/kubepods-of-nobody"], 1) == (None,)
    assert not node.has_image_fs
