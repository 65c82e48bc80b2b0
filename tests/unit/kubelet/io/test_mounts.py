from minikube_py.kubelet.io.mounts import MountPoint, mounts_below, parse_mountinfo

TEXT = (
    "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
    "37 35 0:30 / /a\\040b rw - tmpfs tmpfs rw,size=4k\n"
)


def test_mountinfo_is_parsed():
    assert parse_mountinfo(TEXT) == (
        MountPoint("/mnt2", "ext3", "rw,errors=continue"),
        MountPoint("/a b", "tmpfs", "rw,size=4k"),
    )


def test_the_deepest_mounts_come_first():
    paths = ("/pods/u", "/pods/u/v/a", "/pods/u2/v", "/pods/u/v")
    mounts = tuple(MountPoint(path, "tmpfs", "") for path in paths)

    assert mounts_below("/pods/u", mounts) == ["/pods/u/v/a", "/pods/u/v", "/pods/u"]
