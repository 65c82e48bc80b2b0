from dataclasses import replace

import pytest

from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.controller_args import read_controller_args

CONFIG = ControllersConfig(root_ca_pem="")


def test_flags_of_the_controllers_become_their_settings():
    given = read_controller_args(
        (
            "node-monitor-period=2s",
            "node-monitor-grace-period=1m30s",
            "node-startup-grace-period=30s",
            "node-eviction-rate=0.5",
            "secondary-node-eviction-rate=0",
            "unhealthy-zone-threshold=0.8",
            "large-cluster-size-threshold=3",
            "terminated-pod-gc-threshold=10",
            "cluster-signing-duration=12h",
        )
    )

    assert given.faults == ()
    assert replace(CONFIG, **given.fields) == ControllersConfig(
        root_ca_pem="",
        node_monitor_period_s=2.0,
        node_monitor_grace_period_s=90.0,
        node_startup_grace_period_s=30.0,
        node_eviction_rate=0.5,
        secondary_node_eviction_rate=0.0,
        unhealthy_zone_threshold=0.8,
        large_cluster_size_threshold=3,
        terminated_pod_gc_threshold=10,
        cluster_signing_duration_s=43_200.0,
    )


@pytest.mark.parametrize(
    "arg",
    [
        "node-monitor-grace-period=0s",
        "node-monitor-period=5",
        "node-eviction-rate=-1",
        "node-eviction-rate=nan",
        "node-eviction-rate=fast",
        "unhealthy-zone-threshold=1.1",
        "pod-eviction-timeout=5m",
        "cluster-signing-duration=0s",
    ],
)
def test_what_the_controllers_cannot_do_is_refused(arg):
    assert len(read_controller_args((arg,)).faults) == 1
