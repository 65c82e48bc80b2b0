import os

import pytest

from minikube_py.testing.vm.images import kept


def write(text):
    return lambda _, made: (made / "file").write_text(text)


def test_what_is_kept_is_made_once(tmp_path):
    place = kept(tmp_path, ("a",), write("first"))

    assert kept(tmp_path, ("a",), write("second")) == place
    assert (place / "file").read_text() == "first"
    assert kept(tmp_path, ("b",), write("other")) != place


def test_what_could_not_be_made_is_not_kept(tmp_path):
    def fail(work, made):
        (made / "file").touch()
        raise ValueError(work)

    with pytest.raises(ValueError, match="work-"):
        kept(tmp_path, ("a",), fail)

    assert (kept(tmp_path, ("a",), write("now")) / "file").read_text() == "now"


def test_what_nobody_has_used_for_a_week_goes_when_something_is_made(tmp_path):
    old, used = (kept(tmp_path, (name,), write(name)) for name in ("old", "used"))
    os.utime(tmp_path / f"used-{old.name}", (0, 0))
    new = kept(tmp_path, ("new",), write("new"))

    assert {path.name for path in tmp_path.iterdir()} == {
        name for place in (used, new) for name in (place.name, f"used-{place.name}")
    }
