"""Whether one program may take another's place."""

import pytest

from minikube_py.install.plan import InstallError
from minikube_py.install.versions import Version, require_upgradable


@pytest.mark.parametrize(
    ("running", "offered"),
    [("0.1.0", "0.1.0"), ("0.9.9", "0.10.0"), ("0.1.0rc1", "0.1.0"), ("1.2", "1.2.1"), ("1.2.0+a", "1.2.0+b")],
)
def test_the_same_and_later_versions_are_taken(running, offered):
    require_upgradable(Version(running, "v1.36.0"), Version(offered, "v1.36.0"), "/root/new")


def test_an_older_version_is_refused_since_it_may_not_read_the_state():
    with pytest.raises(InstallError, match=r"/root/new is minikube-py 0\.9\.0, older than 0\.10\.0"):
        require_upgradable(Version("0.10.0", "v1.36.0"), Version("0.9.0", "v1.35.0"), "/root/new")
