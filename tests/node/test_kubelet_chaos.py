"""A minute of `scripts/soak kubelet_chaos`: whatever is killed, the end is exactly what the API wants."""

import os
from pathlib import Path

import pytest

from minikube_py.testing.lab.cluster import Cluster
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.soak.kubelet_chaos import torment

pytestmark = pytest.mark.node

SEED = 20260
KILLS_S = 30.0


def test_a_node_under_fire_ends_with_what_the_api_wants_and_leaks_nothing(tmp_path):
    lab = Lab(Path(f"/run/mkpy-chaos-{os.getpid()}"), 1)
    try:
        lab.up()
        cluster = Cluster(lab, tmp_path)
        cluster.load_images(tmp_path)
        done = torment(cluster, KILLS_S, SEED)
    finally:
        lab.down()

    assert "create" in done
