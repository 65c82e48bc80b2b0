from minikube_py.kubelet.io.cgroup_mounts import CgroupMounts, hierarchies
from minikube_py.kubelet.io.mounts import MountPoint

CPU = MountPoint("/c/cpu", "cgroup", "rw,cpu")


def test_controllers_are_found_by_what_is_mounted():
    mounts = [
        MountPoint("/c/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct"),
        MountPoint("/c/memory", "cgroup", "rw,memory"),
        MountPoint("/c/unified", "cgroup2", "rw"),
        MountPoint("/", "ext4", "rw,memory"),
    ]

    v1 = hierarchies(mounts, 1)
    assert (v1["cpu"], v1["cpuacct"], v1["memory"]) == ("/c/cpu,cpuacct", "/c/cpu,cpuacct", "/c/memory")
    assert hierarchies(mounts, 2) == {"": "/c/unified"}


def test_they_are_read_once_they_are_there_and_never_again():
    reads = [(), (CPU, MountPoint("/", "ext4", "rw"))]
    cgroups = CgroupMounts(lambda: reads.pop(0))

    assert cgroups.all() == ()
    assert cgroups.all() == cgroups.all() == (CPU,)
    assert cgroups.places(1)["cpu"] == "/c/cpu"
