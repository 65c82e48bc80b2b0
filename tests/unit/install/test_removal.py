"""Which folders an uninstallation removes, and when it refuses to."""

from pathlib import PurePosixPath

import pytest

from minikube_py.install.plan import InstallError
from minikube_py.install.removal import plan_removal, require_unmounted

DATA = PurePosixPath("/var/lib/minikube-py")
MADE = ("/etc/x", "/usr/local/bin/minikube-py")
STEPS = plan_removal(MADE, DATA, PurePosixPath("/var/log/pods"), "/root/kubeconfig.yaml")
TREES = [tree for step in STEPS for tree in step.trees]


def test_only_the_parts_of_the_data_folder_that_the_program_makes_go():
    assert DATA not in TREES
    assert {DATA / "server", DATA / "agent", DATA / "runtime", PurePosixPath("/etc/minikube-py")} < set(TREES)
    assert PurePosixPath("/var/log/pods") in TREES
    assert len(TREES) == len(set(TREES))


def test_what_the_record_names_goes_with_the_program_and_its_predecessor_and_the_record_last():
    assert [step.files for step in STEPS] == [
        (),
        (
            "/etc/x",
            "/usr/local/bin/minikube-py",
            "/usr/local/bin/minikube-py.previous",
            "/root/kubeconfig.yaml",
        ),
    ]
    assert STEPS[-1].trees == (PurePosixPath("/etc/minikube-py"),)


def test_nothing_is_removed_through_a_mount():
    require_unmounted(TREES, ["/", "/var/lib", "/var/lib/minikube-py", "/srv/agent"])
    with pytest.raises(InstallError, match=r"still mounted: /var/lib/minikube-py/agent/pods/u/volumes/nfs;"):
        require_unmounted(TREES, ["/", f"{DATA}/agent/pods/u/volumes/nfs"])
