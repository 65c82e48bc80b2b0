from dataclasses import replace

import pytest

from minikube_py.kubelet.io.cgroup_writer import LinuxCgroupWriter
from minikube_py.kubelet.pod_cgroup import CgroupLimits
from minikube_py.testing.fake_slices import FakeSlices

LIMITS = CgroupLimits(512, 50_000, 64 << 20, 100)
V1_FILES = {
    "cpu": ("cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us"),
    "memory": ("memory.limit_in_bytes",),
    "pids": ("pids.max",),
}
V2_FILES = (
    "cgroup.controllers",
    "cgroup.subtree_control",
    "cpu.weight",
    "cpu.max",
    "memory.max",
    "pids.max",
    "hugetlb.2MB.max",
)


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
    await LinuxCgroupWriter(FakeSlices(), places(hierarchies)).write("/kubepods/podu", LIMITS, 1)

    def read(controller, name):
        return (hierarchies / controller / "kubepods/podu" / name).read_text()

    assert [read("cpu", name) for name in V1_FILES["cpu"]] == ["512", "100000", "50000"]
    assert (read("memory", "memory.limit_in_bytes"), read("pids", "pids.max")) == (str(64 << 20), "100")


async def test_a_missing_controller_is_named_unless_it_can_be_done_without(hierarchies):
    without = places(hierarchies)
    del without["pids"]
    await LinuxCgroupWriter(FakeSlices(), without).write("/kubepods/podu", LIMITS, 1)
    del without["memory"]

    with pytest.raises(FileNotFoundError, match="memory"):
        await LinuxCgroupWriter(FakeSlices(), without).write("/kubepods/podu", LIMITS, 1)


async def test_version_2_lets_the_cgroups_below_have_controllers(tmp_path):
    for folder in ("", "kubepods", "kubepods/podu"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "cgroup.controllers").write_text("cpu memory\n")
        (tmp_path / folder / "cgroup.subtree_control").write_text("")
        for name in ("cpu.weight", "cpu.max", "memory.max"):
            (tmp_path / folder / name).write_text("")
    await LinuxCgroupWriter(FakeSlices(), {"": str(tmp_path)}).write("/kubepods/podu", LIMITS, 2)

    assert (tmp_path / "kubepods/podu/cpu.max").read_text() == "50000 100000"
    assert (tmp_path / "kubepods/cgroup.subtree_control").read_text() == "+memory"
    assert (tmp_path / "kubepods/podu/cgroup.subtree_control").read_text() == ""


SLICE = "kubepods.slice/kubepods-podu.slice"


def a_slice(root, version):
    """Return a hierarchy in which systemd makes the slice when it is told to, with its files."""

    def make():
        for controller, files in V1_FILES.items() if version == 1 else [("", V2_FILES)]:
            for folder in (root / controller, root / controller / "kubepods.slice", root / controller / SLICE):
                folder.mkdir(parents=True, exist_ok=True)
                for name in files:
                    (folder / name).write_text("")

    return FakeSlices(lambda name: make())


async def test_of_a_slice_systemd_is_told_first_and_the_files_hold_the_exact_numbers(tmp_path):
    slices = a_slice(tmp_path, 1)
    limits = replace(LIMITS, quota_us=50_500)
    await LinuxCgroupWriter(slices, places(tmp_path)).write("kubepods-podu.slice", limits, 1)

    told = {p.name: p.value for p in slices.units["kubepods-podu.slice"]}
    assert (told["CPUShares"], told["CPUQuotaPerSecUSec"], told["MemoryLimit"]) == (512, 510_000, 64 << 20)
    assert (tmp_path / "cpu" / SLICE / "cpu.cfs_quota_us").read_text() == "50500"


async def test_a_slice_of_version_2_has_its_own_files(tmp_path):
    slices = a_slice(tmp_path, 2)
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids")
    limits = replace(LIMITS, huge_pages=(("2MB", 4 << 20),))
    with pytest.raises(FileNotFoundError):
        await LinuxCgroupWriter(slices, {"": str(tmp_path)}).write("kubepods-podu.slice", limits, 1)
    await LinuxCgroupWriter(slices, {"": str(tmp_path)}).write("kubepods-podu.slice", limits, 2)

    written = {name: (tmp_path / SLICE / name).read_text() for name in V2_FILES if not name.startswith("cgroup")}
    assert written == {
        "cpu.weight": "20",
        "cpu.max": "50000 100000",
        "memory.max": str(64 << 20),
        "pids.max": "100",
        "hugetlb.2MB.max": str(4 << 20),
    }
    assert {p.name for p in slices.units["kubepods-podu.slice"]} >= {"CPUWeight", "MemoryMax", "TasksMax"}


async def test_a_host_without_systemd_is_told(tmp_path):
    class Refusing(FakeSlices):
        async def apply(self, name, properties):
            raise ConnectionRefusedError(111, "nobody", "/run/dbus/system_bus_socket")

    with pytest.raises(ConnectionRefusedError):
        await LinuxCgroupWriter(Refusing(), places(tmp_path)).write("kubepods-podu.slice", LIMITS, 1)
    assert list(tmp_path.iterdir()) == []


async def test_processes_of_a_container_end_together_when_the_kernel_can_do_so(tmp_path):
    writer = LinuxCgroupWriter(FakeSlices(), {"": str(tmp_path)})
    (tmp_path / "pod/c1").mkdir(parents=True)
    (tmp_path / "pod/c1/memory.oom.group").write_text("0")
    for container in ("c1", "gone"):
        await writer.die_together(f"/pod/{container}")

    assert (tmp_path / "pod/c1/memory.oom.group").read_text() == "1"
    assert [path.name for path in (tmp_path / "pod").iterdir()] == ["c1"]
