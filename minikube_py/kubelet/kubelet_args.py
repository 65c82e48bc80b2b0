"""`--kubelet-arg NAME=VALUE`: the kubelet's own flags, by upstream's names.

Lists are comma-separated as upstream has them: `eviction-hard=memory.available<500Mi,nodefs.available<10%`.

Upstream: cmd/kubelet/app/options.
"""

from collections.abc import Sequence
from dataclasses import replace

from minikube_py.api.quantity import QuantityError, parse_quantity
from minikube_py.kit.arguments import ArgumentError, ArgumentTable, positive_number, read_arguments, whole_number
from minikube_py.kit.durations import DurationError, parse_duration
from minikube_py.kubelet.config import KubeletConfig, Texts
from minikube_py.kubelet.container_spec import LOG_FILES_MAX
from minikube_py.kubelet.eviction_thresholds import ThresholdError, parse_thresholds
from minikube_py.kubelet.registration import Taint, parse_node_taint
from minikube_py.kubelet.sysctls import pattern_fault

_RESERVABLE = ("cpu", "memory", "ephemeral-storage", "pid")


def _pairs(text: str, separator: str) -> Texts:
    found = []
    for part in filter(None, text.split(",")):
        name, sign, value = part.partition(separator)
        if not sign or not name or not value:
            raise ArgumentError(f"{part!r} is not NAME{separator}VALUE")
        found.append((name.strip(), value.strip()))
    return tuple(found)


def _reserved(text: str) -> Texts:
    pairs = _pairs(text, "=")
    for name, value in pairs:
        if name not in _RESERVABLE:
            raise ArgumentError(f"{name!r} cannot be reserved; {', '.join(_RESERVABLE)} can")
        try:
            parse_quantity(value)
        except QuantityError as error:
            raise ArgumentError(f"{value!r}: {error}") from None
    return pairs


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ArgumentError(f"{text!r} is neither true nor false")
    return text == "true"


def _positive_duration(text: str) -> float:
    if (seconds := parse_duration(text)) > 0:
        return seconds
    raise ArgumentError(f"{text!r} is not above 0")


def _percent(text: str) -> int:
    number = whole_number(text)
    if not 0 <= number <= 100:
        raise ArgumentError(f"{text!r} is not between 0 and 100")
    return number


def _size(text: str) -> str:
    try:
        if parse_quantity(text).value > 0:
            return text
    except QuantityError as error:
        raise ArgumentError(f"{text!r}: {error}") from None
    raise ArgumentError(f"{text!r} is not above 0")


def _at_least_two(text: str) -> int:
    number = whole_number(text)
    if not 2 <= number <= LOG_FILES_MAX:
        raise ArgumentError(f"{text!r} is not between 2 and {LOG_FILES_MAX}")
    return number


def _taints(text: str) -> tuple[Taint, ...]:
    try:
        return tuple(parse_node_taint(part) for part in text.split(",") if part)
    except ValueError as error:
        raise ArgumentError(str(error)) from None


def _sysctls(text: str) -> tuple[str, ...]:
    patterns = tuple(part.strip().replace("/", ".") for part in text.split(",") if part.strip())
    for fault in filter(None, map(pattern_fault, patterns)):
        raise ArgumentError(fault)
    return patterns


_ARGS: ArgumentTable = {
    "allowed-unsafe-sysctls": ("allowed_unsafe_sysctls", _sysctls),
    "max-pods": ("max_pods", positive_number),
    "pod-max-pids": ("pod_pids_limit", lambda text: max(whole_number(text), 0)),
    "cpu-cfs-quota": ("cpu_cfs_quota", _flag),
    "kube-reserved": ("kube_reserved", _reserved),
    "system-reserved": ("system_reserved", _reserved),
    "eviction-hard": ("eviction_hard", lambda text: _pairs(text, "<")),
    "eviction-soft": ("eviction_soft", lambda text: _pairs(text, "<")),
    "eviction-soft-grace-period": ("eviction_soft_grace_period", lambda text: _pairs(text, "=")),
    "eviction-minimum-reclaim": ("eviction_minimum_reclaim", lambda text: _pairs(text, "=")),
    "eviction-pressure-transition-period": ("eviction_pressure_transition_s", parse_duration),
    "eviction-max-pod-grace-period": ("eviction_max_pod_grace_s", lambda text: float(whole_number(text))),
    "image-credential-provider-config": ("image_credential_provider_config", str),
    "image-credential-provider-bin-dir": ("image_credential_provider_bin_dir", str),
    "registry-qps": ("registry_pull_qps", lambda text: max(whole_number(text), 0)),
    "registry-burst": ("registry_burst", positive_number),
    "serialize-image-pulls": ("serialize_image_pulls", _flag),
    "max-parallel-image-pulls": ("max_parallel_image_pulls", positive_number),
    "image-pull-progress-deadline": ("image_pull_progress_deadline_s", _positive_duration),
    "image-gc-high-threshold": ("image_gc_high_percent", _percent),
    "image-gc-low-threshold": ("image_gc_low_percent", _percent),
    "minimum-image-ttl-duration": ("image_minimum_gc_age_s", parse_duration),
    "image-maximum-gc-age": ("image_maximum_gc_age_s", parse_duration),
    "container-log-max-size": ("container_log_max_size", _size),
    "container-log-max-files": ("container_log_max_files", _at_least_two),
    "maximum-dead-containers-per-container": ("dead_containers_max", lambda text: max(whole_number(text), 0)),
    "maximum-dead-containers": ("dead_containers_total_max", whole_number),
    "minimum-container-ttl-duration": ("dead_container_minimum_age_s", parse_duration),
    "register-with-taints": ("register_with_taints", _taints),
    "shutdown-grace-period": ("shutdown_grace_period_s", parse_duration),
    "shutdown-grace-period-critical-pods": ("shutdown_grace_period_critical_s", parse_duration),
    "node-labels": ("node_labels", lambda text: _pairs(text, "=")),
}
"""The fields are KubeletConfig's."""


def apply_kubelet_args(config: KubeletConfig, args: Sequence[str]) -> KubeletConfig:
    """Return the settings with the arguments (`NAME=VALUE`, with or without dashes in front); a later one wins.

    Raises:
        ArgumentError: every argument that cannot be used, one a line.
    """
    given = read_arguments("kubelet-arg", args, _ARGS)
    faults = list(given.faults)
    changed = replace(config, **given.fields)
    try:
        parse_thresholds(
            changed.eviction_hard,
            changed.eviction_soft,
            changed.eviction_soft_grace_period,
            changed.eviction_minimum_reclaim,
        )
    except (ThresholdError, DurationError) as error:
        faults.append(f"--kubelet-arg: {error}")
    if changed.image_gc_low_percent >= changed.image_gc_high_percent:
        faults.append(
            f"--kubelet-arg: image-gc-low-threshold ({changed.image_gc_low_percent}) must be lower than "
            f"image-gc-high-threshold ({changed.image_gc_high_percent})"
        )
    if changed.serialize_image_pulls and (changed.image_pulls_max or 0) > 1:
        faults.append(
            f"--kubelet-arg: max-parallel-image-pulls ({changed.max_parallel_image_pulls}) cannot be larger than 1 "
            "unless serialize-image-pulls is false"
        )
    if bool(changed.image_credential_provider_config) != bool(changed.image_credential_provider_bin_dir):
        faults.append("--kubelet-arg: image-credential-provider-config and -bin-dir go together")
    if faults:
        raise ArgumentError("\n".join(faults))
    return changed
