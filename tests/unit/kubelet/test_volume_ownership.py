import stat

import pytest

from minikube_py.kubelet.volume_ownership import group_mode, may_skip

DIRECTORY, FILE = stat.S_IFDIR, stat.S_IFREG


@pytest.mark.parametrize(
    ("mode", "read_only", "made"),
    [
        (FILE | 0o600, False, 0o660),
        (FILE | 0o600, True, 0o640),
        (FILE | 0o755, False, 0o775),
        (DIRECTORY | 0o755, False, 0o2775),
        (DIRECTORY | 0o700, True, 0o2750),
    ],
)
def test_the_group_gets_what_it_needs(mode, read_only, made):
    assert group_mode(mode, read_only=read_only) == made


@pytest.mark.parametrize(
    ("policy", "mode", "gid", "skips"),
    [
        ("OnRootMismatch", 0o2775, 5, True),
        ("OnRootMismatch", 0o2775, 6, False),
        ("OnRootMismatch", 0o775, 5, False),
        ("Always", 0o2775, 5, False),
    ],
)
def test_only_a_root_that_is_right_spares_the_walk(policy, mode, gid, skips):
    assert may_skip(policy, DIRECTORY | mode, 5, gid) is skips
