"""A whole host (scripts/lab's code) for the journeys of users: real Docker, real kernel, real kubectl."""

import os
import shutil
from pathlib import Path

import pytest

from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.lab.cluster import Cluster
from minikube_py.testing.lab.lab import Lab


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if not KUBECTLS:
        pytest.fail("kubectl is missing: scripts/test installs it")
    # A short path: a socket's address holds 107 bytes.
    folder = Path(f"/run/mkpy-test-{os.getpid()}")
    lab = Lab(folder, 1)
    try:
        lab.up()
        cluster = Cluster(lab, tmp_path_factory.mktemp("kubectl"))
        cluster.load_images(tmp_path_factory.mktemp("images"))
        yield cluster
        verified = cluster.minikube_py("snapshot", "verify", check=False)
        assert verified.returncode == 0, f"after all tests the store is damaged: {verified.stdout}{verified.stderr}"
    finally:
        log = folder / "lab1" / "agent.log"
        if log.exists():
            shutil.copy(log, tmp_path_factory.getbasetemp() / "agent.log")
        lab.down()


@pytest.fixture
def namespace(cluster, request):
    """A namespace of the test's own, gone afterwards."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    cluster.kubectl("apply", "-f", "-", stdin=f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait", timeout_s=60)
