"""What an uninstallation left of what it should have removed."""

import pytest

from minikube_py.install.inventory import KINDS, Difference, compare

BEFORE = {kind: [] for kind in KINDS} | {"links": ["eth0", "docker0"], "processes": ["sshd"]}
OURS = {
    "links": "mkpy0 minikube-py bridge last=10.244.0.7",
    "rules": "table ip minikube-py",
    "mounts": "/var/lib/minikube-py/agent/pods/u/volumes/v",
    "processes": "python of minikube-py",
    "files": "/etc/minikube-py",
    "cgroups": "/sys/fs/cgroup/cpu/kubepods",
    "images": "minikube-py/pause:2",
}


def test_an_unchanged_host_has_nothing_more():
    assert compare(BEFORE, BEFORE, "/srv/data") == Difference((), ())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_new_and_ours_is_left_over(kind):
    after = {**BEFORE, kind: [*BEFORE[kind], OURS[kind]]}
    difference = compare(BEFORE, after, "/srv/data")
    assert difference.left_over == (f"{kind} {OURS[kind]}",)
    assert difference.others == ()


def test_what_was_there_before_is_not_ours_whatever_its_name():
    before = {**BEFORE, "cgroups": ["/sys/fs/cgroup/cpu/kubepods"]}
    assert compare(before, before, "/srv/data").left_over == ()


def test_what_others_did_meanwhile_is_told_apart():
    after = {**BEFORE, "links": [*BEFORE["links"], "veth1"], "processes": []}
    difference = compare(BEFORE, after, "/srv/data")
    assert difference.left_over == ()
    assert difference.others == ("links veth1",)


def test_a_data_folder_of_its_own_is_a_mark_too():
    after = {**BEFORE, "mounts": ["/srv/data/agent/pods/u"]}
    assert compare(BEFORE, after, "/srv/data").left_over == ("mounts /srv/data/agent/pods/u",)
