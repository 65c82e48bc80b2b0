import os
import re
import stat

import pytest

from minikube_py.kubelet.io.atomic_writer import write_payload
from minikube_py.kubelet.volumes import ProjectedFile


def file(path, data=b"v", mode=0o644):
    return ProjectedFile(path, data, mode)


def names(directory):
    return sorted(name for name in os.listdir(directory) if not name.startswith(".."))


def test_files_are_links_through_the_data_folder(tmp_path):
    write_payload(str(tmp_path), [file("k"), file("dir/k.txt", b"x", 0o400)], None)

    assert os.readlink(tmp_path / "k") == "..data/k"
    assert os.readlink(tmp_path / "dir") == "..data/dir"
    assert (tmp_path / "dir/k.txt").read_bytes() == b"x"
    assert stat.S_IMODE((tmp_path / "dir/k.txt").stat().st_mode) == 0o400


def test_the_folder_of_a_payload_says_when_it_was_written(tmp_path):
    write_payload(str(tmp_path), [file("k")], None)

    assert re.fullmatch(r"\.\.\d{4}(_\d\d){5}\.\w+", os.readlink(tmp_path / "..data"))


def test_the_same_payload_is_not_written_again(tmp_path):
    assert write_payload(str(tmp_path), [file("k")], None)
    before = os.readlink(tmp_path / "..data")

    assert not write_payload(str(tmp_path), [file("k")], None)
    assert os.readlink(tmp_path / "..data") == before


def test_a_new_payload_replaces_the_old_one_whole(tmp_path):
    write_payload(str(tmp_path), [file("k"), file("gone")], None)
    opened = os.open(tmp_path / "k", os.O_RDONLY)
    write_payload(str(tmp_path), [file("k", b"new"), file("added")], None)

    assert (tmp_path / "k").read_bytes() == b"new"
    assert os.read(opened, 10) == b"v"
    os.close(opened)
    assert names(tmp_path) == ["added", "k"]
    assert len([n for n in os.listdir(tmp_path) if n.startswith("..")]) == 2


def test_a_changed_mode_is_a_change(tmp_path):
    write_payload(str(tmp_path), [file("k", mode=0o644)], None)

    assert write_payload(str(tmp_path), [file("k", mode=0o600)], None)
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600


def test_a_half_written_payload_of_before_is_no_obstacle(tmp_path):
    os.symlink("..gone", tmp_path / "..data_tmp")
    write_payload(str(tmp_path), [file("k")], None)

    assert (tmp_path / "k").read_bytes() == b"v"


def test_a_payload_that_cannot_be_written_leaves_the_old_one(tmp_path):
    write_payload(str(tmp_path), [file("k")], None)
    with pytest.raises(OSError, match="File exists"):
        write_payload(str(tmp_path), [file("k"), file("k/x")], None)

    assert (tmp_path / "k").read_bytes() == b"v"
    assert len([n for n in os.listdir(tmp_path) if n.startswith("..")]) == 2


def test_fs_group_may_read_and_the_owner_is_the_files(tmp_path):
    owned = ProjectedFile("token", b"v", 0o600, os.getuid())
    assert write_payload(str(tmp_path), [owned], os.getgid())

    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o640
    assert not write_payload(str(tmp_path), [owned], os.getgid())


def test_what_a_killed_writer_left_is_taken_away(tmp_path):
    (tmp_path / "..half").mkdir()
    write_payload(str(tmp_path), [file("k")], None)

    assert not (tmp_path / "..half").exists()
