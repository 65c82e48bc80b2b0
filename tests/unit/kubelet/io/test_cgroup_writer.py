import pytest

from minikube_py.kubelet.io.cgroup_writer import LinuxCgroupWriter
from minikube_py.kubelet.pod_cgroup import CgroupLimits

LIMITS = CgroupLimits(512, 50_000, 64 << 20, 100)
V1_FILES = {
    "cpu": ("cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us"),
    "memory": ("memory.limit_in_bytes",),
    "pids": ("pids.max",),
}


@pytest.fixture
def hierarchies(tmp_path):
    """Directories as the kernel fills them: a new cgroup has its files already."""
    for controller, files in V1_FILES.items():
        folder = tmp_path / controller / "kubepods" / "podu"
        folder.mkdir(parents=True)
        for name in files:
            (folder / name).write_text("")
    return tmp_path


def places(root):
    return {controller: str(root / controller) for controller in V1_FILES}


async def test_each_limit_is_written_into_its_hierarchy(hierarchies):
    await LinuxCgroupWriter(places(hierarchies)).write("/kubepods/podu", LIMITS, 1)

    def read(controller, name):
        return (hierarchies / controller / "kubepods/podu" / name).read_text()

    assert [read("cpu", name) for name in V1_FILES["cpu"]] == ["512", "100000", "50000"]
    assert (read("memory", "memory.limit_in_bytes"), read("pids", "pids.max")) == (str(64 << 20), "100")


async def test_a_missing_controller_is_named_unless_it_can_be_done_without(hierarchies):
    without = places(hierarchies)
    del without["pids"]
    await LinuxCgroupWriter(without).write("/kubepods/podu", LIMITS, 1)
    del without["memory"]

    with pytest.raises(FileNotFoundError, match="memory"):
        await LinuxCgroupWriter(without).write("/kubepods/podu", LIMITS, 1)


async def test_version_2_lets_the_cgroups_below_have_controllers(tmp_path):
    for folder in ("", "kubepods", "kubepods/podu"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "cgroup.controllers").write_text("cpu memory\n")
        (tmp_path / folder / "cgroup.subtree_control").write_text("")
        for name in ("cpu.weight", "cpu.max", "memory.max"):
            (tmp_path / folder / name).write_text("")
    await LinuxCgroupWriter({"": str(tmp_path)}).write("/kubepods/podu", LIMITS, 2)

    assert (tmp_path / "kubepods/podu/cpu.max").read_text() == "50000 100000"
    assert (tmp_path / "kubepods/cgroup.subtree_control").read_text() == "+memory"
    assert (tmp_path / "kubepods/podu/cgroup.subtree_control").read_text() == ""


async def test_slices_are_left_to_systemd(tmp_path):
    await LinuxCgroupWriter({}).write("kubepods-podu.slice", LIMITS, 1)

    assert list(tmp_path.iterdir()) == []
