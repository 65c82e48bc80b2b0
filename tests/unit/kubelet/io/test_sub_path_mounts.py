import os
import stat

import pytest

from minikube_py.kubelet.io.sub_path_mounts import mount_sub_path, open_inside
from minikube_py.testing.fake_mounts import FakeMounts


@pytest.fixture
def mounts():
    return FakeMounts()


def mount(mounts, tmp_path, sub_path):
    return mount_sub_path(mounts, str(tmp_path / "v"), sub_path, str(tmp_path / "m"))


def test_a_sub_path_is_made_and_bound(mounts, tmp_path):
    (tmp_path / "v").mkdir()
    point = mount(mounts, tmp_path, "a/b")

    assert mounts.bound == {point: str(tmp_path / "v/a/b")}
    assert (tmp_path / "m").is_dir()


def test_a_directory_that_is_made_is_as_open_as_the_volume(mounts, tmp_path):
    (tmp_path / "v").mkdir()
    (tmp_path / "v").chmod(0o2777)
    mount(mounts, tmp_path, "a/b")

    assert [stat.S_IMODE((tmp_path / p).stat().st_mode) for p in ("v/a", "v/a/b")] == [0o2777, 0o2777]


def test_a_file_is_bound_onto_a_file(mounts, tmp_path):
    (tmp_path / "v").mkdir()
    (tmp_path / "v/f").write_text("x")
    mount(mounts, tmp_path, "f")

    assert (tmp_path / "m").is_file()


def test_a_second_run_of_a_container_gets_a_mount_of_its_own(mounts, tmp_path):
    (tmp_path / "v").mkdir()
    mount(mounts, tmp_path, "a")
    mount(mounts, tmp_path, "a")

    assert [m.path for m in mounts.mounted()] == [str(tmp_path / "m")]


@pytest.mark.parametrize("sub_path", ["../out", "link", "link/x", "a/../../out"])
def test_a_sub_path_does_not_lead_out_of_the_volume(mounts, tmp_path, sub_path):
    (tmp_path / "v/a").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    os.symlink(tmp_path / "out", tmp_path / "v/link")

    with pytest.raises(OSError, match="leads out of the volume"):
        mount(mounts, tmp_path, sub_path)
    assert mounts.bound == {}


def test_a_link_inside_the_volume_may_be_followed(mounts, tmp_path):
    (tmp_path / "v/..2026/dir").mkdir(parents=True)
    (tmp_path / "v/..2026/dir/k").write_text("x")
    os.symlink("..2026", tmp_path / "v/..data")
    os.symlink("..data/dir", tmp_path / "v/dir")
    mount(mounts, tmp_path, "dir/k")

    assert mounts.bound[str(tmp_path / "m")].endswith("/..2026/dir/k")


def test_a_link_that_appears_after_the_path_was_resolved_is_not_followed(tmp_path):
    (tmp_path / "v/a").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    os.symlink(tmp_path / "out", tmp_path / "v/a/b")

    with pytest.raises(OSError, match="a link appeared"):
        open_inside(str(tmp_path / "v"), "a/b")
