"""`--kube-controller-manager-arg NAME=VALUE`: flags of the controllers, by upstream's names.

Upstream: cmd/kube-controller-manager/app/options (nodelifecyclecontroller.go, podgccontroller.go,
persistentvolumebindercontroller.go, csrsigningcontroller.go).
"""

from collections.abc import Sequence

from minikube_py.kit.arguments import (
    ArgumentError,
    Arguments,
    ArgumentTable,
    positive_number,
    read_arguments,
    whole_number,
)
from minikube_py.kit.durations import parse_duration


def _period(text: str) -> float:
    seconds = parse_duration(text)
    if seconds <= 0:
        raise ArgumentError(f"{text!r} is not above 0")
    return seconds


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        raise ArgumentError(f"{text!r} is not a number") from None
    if not 0 <= rate < float("inf"):
        raise ArgumentError(f"{text!r} is not 0 or more")
    return rate


def _share(text: str) -> float:
    share = _rate(text)
    if share > 1:
        raise ArgumentError(f"{text!r} is not between 0 and 1")
    return share


def _absolute_path(text: str) -> str:
    if not text.startswith("/"):
        raise ArgumentError(f"{text!r} is not an absolute path")
    return text


_ARGS: ArgumentTable = {
    "node-monitor-period": ("node_monitor_period_s", _period),
    "node-monitor-grace-period": ("node_monitor_grace_period_s", _period),
    "node-startup-grace-period": ("node_startup_grace_period_s", _period),
    "node-eviction-rate": ("node_eviction_rate", _rate),
    "secondary-node-eviction-rate": ("secondary_node_eviction_rate", _rate),
    "unhealthy-zone-threshold": ("unhealthy_zone_threshold", _share),
    "large-cluster-size-threshold": ("large_cluster_size_threshold", whole_number),
    "cluster-signing-duration": ("cluster_signing_duration_s", _period),
    "terminated-pod-gc-threshold": ("terminated_pod_gc_threshold", whole_number),
    "pv-recycler-minimum-timeout-hostpath": ("pv_recycler_minimum_timeout_hostpath_s", positive_number),
    "pv-recycler-timeout-increment-hostpath": ("pv_recycler_timeout_increment_hostpath_s", positive_number),
    "pv-recycler-minimum-timeout-nfs": ("pv_recycler_minimum_timeout_nfs_s", positive_number),
    "pv-recycler-increment-timeout-nfs": ("pv_recycler_increment_timeout_nfs_s", positive_number),
    "pv-recycler-pod-template-filepath-hostpath": ("pv_recycler_pod_template_filepath_hostpath", _absolute_path),
    "pv-recycler-pod-template-filepath-nfs": ("pv_recycler_pod_template_filepath_nfs", _absolute_path),
}
"""The fields are ControllersConfig's."""


def read_controller_args(args: Sequence[str]) -> Arguments:
    """Return the fields of ControllersConfig that the arguments set."""
    return read_arguments("kube-controller-manager-arg", args, _ARGS)
