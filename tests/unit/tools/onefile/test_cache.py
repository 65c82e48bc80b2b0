"""Finished parts of earlier builds."""

import os

import pytest

from tools.onefile.cache import KEPT_MAX, Cache, key_of


def test_part_is_made_once(tmp_path):
    cache = Cache(tmp_path)
    made = []

    def make(target):
        made.append(target)
        target.write_text("part")

    with cache.working(fresh=False):
        assert cache.part("base-1", "a part", make).read_text() == "part"
        assert cache.part("base-1", "a part", make).read_text() == "part"
    assert len(made) == 1


def test_part_whose_making_fails_is_not_there(tmp_path):
    cache = Cache(tmp_path)

    def make(target):
        target.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), cache.working(fresh=False):
        cache.part("base-1", "a part", make)
    assert not list(tmp_path.glob("base-*")) + list(tmp_path.glob("work-*"))


def test_what_a_killed_build_left_is_removed(tmp_path):
    (tmp_path / "work-old").mkdir()
    with Cache(tmp_path).working(fresh=False) as work:
        assert [path.name for path in tmp_path.glob("work-*")] == [work.name]


def test_only_the_last_used_stay(tmp_path):
    for number in range(KEPT_MAX + 2):
        part = tmp_path / f"interpreter-{number}"
        part.mkdir()
        os.utime(part, (number, number))
    with Cache(tmp_path).working(fresh=False):
        pass
    assert sorted(path.name[-1] for path in tmp_path.glob("interpreter-*")) == ["2", "3", "4", "5"]


def test_fresh_build_finds_nothing(tmp_path):
    (tmp_path / "stub-1").write_text("old")
    (tmp_path / "of-somebody-else").write_text("kept")
    with Cache(tmp_path).working(fresh=True):
        assert not (tmp_path / "stub-1").exists()
    assert (tmp_path / "of-somebody-else").exists()


def test_key_tells_apart_what_concatenation_would_not():
    assert key_of(["ab", "c"]) != key_of(["a", "bc"])
    assert key_of(["ab", "c"]) == key_of(["ab", "c"])
