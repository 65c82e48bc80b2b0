import os
import stat

import pytest

from minikube_py.kubelet.io.volume_ownership import own_volume

GID = 4321 if os.getuid() == 0 else os.getgid()
"""A group that files do not have already, where that can be."""


@pytest.fixture
def volume(tmp_path):
    root = tmp_path / "v"
    (root / "d").mkdir(parents=True)
    (root / "d/f").write_text("x")
    (root / "d/f").chmod(0o600)
    (tmp_path / "out").write_text("x")
    (tmp_path / "out").chmod(0o600)
    os.symlink(tmp_path / "out", root / "link")
    return root


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_group_may_read_and_write_all_of_a_volume(volume):
    assert own_volume(str(volume), GID, "Always")

    assert (mode(volume / "d/f"), mode(volume / "d") & 0o2770, mode(volume) & 0o2770) == (0o660, 0o2770, 0o2770)


def test_a_link_leads_nobody_out(volume):
    own_volume(str(volume), GID, "Always")

    outside = (volume.parent / "out").stat()
    assert (stat.S_IMODE(outside.st_mode), outside.st_gid) == (0o600, os.getgid())


def test_a_volume_whose_root_is_the_groups_is_not_walked_again(volume):
    own_volume(str(volume), GID, "OnRootMismatch")
    (volume / "d/f").chmod(0o600)

    assert not own_volume(str(volume), GID, "OnRootMismatch")
    assert mode(volume / "d/f") == 0o600
    assert own_volume(str(volume), GID, "Always")
    assert mode(volume / "d/f") == 0o660
