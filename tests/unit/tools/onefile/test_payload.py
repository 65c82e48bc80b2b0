"""The file's shape."""

import os

import pytest

from tools.onefile.payload import NotOneFileError, join, pack, split, unpack


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/program").write_text("#!/bin/sh\n")
    (folder / "bin/program").chmod(0o700)
    (folder / "data").write_bytes(b"x" * 1000)
    (folder / "link").symlink_to("bin/program")
    return folder


def test_what_was_packed_is_unpacked(tree, tmp_path):
    unpack(pack(tree), tmp_path / "out")
    assert (tmp_path / "out/data").read_bytes() == b"x" * 1000
    assert (tmp_path / "out/link").readlink().name == "program"
    assert (tmp_path / "out/bin/program").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/data").stat().st_mode & 0o777 == 0o644


def test_equal_trees_give_equal_bytes(tree):
    before = pack(tree)
    os.utime(tree / "data", (1, 1))
    (tree / "data").chmod(0o600)
    assert pack(tree) == before


def test_archives_behind_one_another_are_one_tree(tree, tmp_path):
    second = tmp_path / "second"
    (second / "bin").mkdir(parents=True)
    (second / "bin/more").write_text("more")
    file = split(join(b"stub", [pack(tree), pack(second)]))
    unpack(file.payload, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out/bin").iterdir()) == ["more", "program"]


def test_file_is_split_as_it_was_joined():
    file = split(join(b"stub", [b"one", b"two"]))
    assert (file.stub, file.payload, len(file.name)) == (b"stub", b"onetwo", 16)
    assert file.name != split(join(b"stub", [b"one", b"two!"])).name


@pytest.mark.parametrize("cut", [0, 5, 40, -1])
def test_file_that_is_cut_short_is_refused(cut):
    with pytest.raises(NotOneFileError):
        split(join(b"stub", [b"payload"])[:cut])
