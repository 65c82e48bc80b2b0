"""`--kubelet-arg NAME=VALUE`: the kubelet's own flags, by upstream's names.

Only flags that this kubelet acts on are taken: one that is silently ignored would be believed. Lists are
comma-separated as upstream has them: `eviction-hard=memory.available<500Mi,nodefs.available<10%`.

Upstream: cmd/kubelet/app/options.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from minikube_py.api.quantity import QuantityError, parse_quantity
from minikube_py.kubelet.config import KubeletConfig, Texts
from minikube_py.kubelet.container_spec import LOG_FILES_MAX
from minikube_py.kubelet.eviction_thresholds import ThresholdError, parse_duration, parse_thresholds
from minikube_py.kubelet.registration import Taint, parse_node_taint
from minikube_py.kubelet.sysctls import pattern_fault

_RESERVABLE = ("cpu", "memory", "ephemeral-storage", "pid")


class KubeletArgError(ValueError):
    """An argument that cannot be used; the message says which and why."""


def _pairs(text: str, separator: str) -> Texts:
    found = []
    for part in filter(None, text.split(",")):
        name, sign, value = part.partition(separator)
        if not sign or not name or not value:
            raise KubeletArgError(f"{part!r} is not NAME{separator}VALUE")
        found.append((name.strip(), value.strip()))
    return tuple(found)


def _reserved(text: str) -> Texts:
    pairs = _pairs(text, "=")
    for name, value in pairs:
        if name not in _RESERVABLE:
            raise KubeletArgError(f"{name!r} cannot be reserved; {', '.join(_RESERVABLE)} can")
        try:
            parse_quantity(value)
        except QuantityError as error:
            raise KubeletArgError(f"{value!r}: {error}") from None
    return pairs


def _number(text: str) -> int:
    if not text.lstrip("-").isdigit():
        raise KubeletArgError(f"{text!r} is not a number")
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise KubeletArgError(f"{text!r} is neither true nor false")
    return text == "true"


def _positive(text: str) -> int:
    number = _number(text)
    if number <= 0:
        raise KubeletArgError(f"{text!r} is not above 0")
    return number


def _percent(text: str) -> int:
    number = _number(text)
    if not 0 <= number <= 100:
        raise KubeletArgError(f"{text!r} is not between 0 and 100")
    return number


def _size(text: str) -> str:
    try:
        if parse_quantity(text).value > 0:
            return text
    except QuantityError as error:
        raise KubeletArgError(f"{text!r}: {error}") from None
    raise KubeletArgError(f"{text!r} is not above 0")


def _at_least_two(text: str) -> int:
    number = _number(text)
    if not 2 <= number <= LOG_FILES_MAX:
        raise KubeletArgError(f"{text!r} is not between 2 and {LOG_FILES_MAX}")
    return number


def _taints(text: str) -> tuple[Taint, ...]:
    try:
        return tuple(parse_node_taint(part) for part in text.split(",") if part)
    except ValueError as error:
        raise KubeletArgError(str(error)) from None


def _sysctls(text: str) -> tuple[str, ...]:
    patterns = tuple(part.strip().replace("/", ".") for part in text.split(",") if part.strip())
    for fault in filter(None, map(pattern_fault, patterns)):
        raise KubeletArgError(fault)
    return patterns


_ARGS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "allowed-unsafe-sysctls": ("allowed_unsafe_sysctls", _sysctls),
    "max-pods": ("max_pods", _positive),
    "pod-max-pids": ("pod_pids_limit", lambda text: max(_number(text), 0)),
    "cpu-cfs-quota": ("cpu_cfs_quota", _flag),
    "kube-reserved": ("kube_reserved", _reserved),
    "system-reserved": ("system_reserved", _reserved),
    "eviction-hard": ("eviction_hard", lambda text: _pairs(text, "<")),
    "eviction-soft": ("eviction_soft", lambda text: _pairs(text, "<")),
    "eviction-soft-grace-period": ("eviction_soft_grace_period", lambda text: _pairs(text, "=")),
    "eviction-minimum-reclaim": ("eviction_minimum_reclaim", lambda text: _pairs(text, "=")),
    "eviction-pressure-transition-period": ("eviction_pressure_transition_s", parse_duration),
    "eviction-max-pod-grace-period": ("eviction_max_pod_grace_s", lambda text: float(_number(text))),
    "image-credential-provider-config": ("image_credential_provider_config", str),
    "image-credential-provider-bin-dir": ("image_credential_provider_bin_dir", str),
    "registry-qps": ("registry_pull_qps", lambda text: max(_number(text), 0)),
    "registry-burst": ("registry_burst", _positive),
    "serialize-image-pulls": ("max_parallel_image_pulls", lambda text: 1 if _flag(text) else 5),
    "max-parallel-image-pulls": ("max_parallel_image_pulls", _positive),
    "image-gc-high-threshold": ("image_gc_high_percent", _percent),
    "image-gc-low-threshold": ("image_gc_low_percent", _percent),
    "minimum-image-ttl-duration": ("image_minimum_gc_age_s", parse_duration),
    "image-maximum-gc-age": ("image_maximum_gc_age_s", parse_duration),
    "container-log-max-size": ("container_log_max_size", _size),
    "container-log-max-files": ("container_log_max_files", _at_least_two),
    "maximum-dead-containers-per-container": ("dead_containers_max", lambda text: max(_number(text), 0)),
    "maximum-dead-containers": ("dead_containers_total_max", _number),
    "minimum-container-ttl-duration": ("dead_container_minimum_age_s", parse_duration),
    "register-with-taints": ("register_with_taints", _taints),
    "shutdown-grace-period": ("shutdown_grace_period_s", parse_duration),
    "shutdown-grace-period-critical-pods": ("shutdown_grace_period_critical_s", parse_duration),
    "node-labels": ("node_labels", lambda text: _pairs(text, "=")),
}
"""Flag -> field of KubeletConfig, and how its text is read."""


def apply_kubelet_args(config: KubeletConfig, args: Sequence[str]) -> KubeletConfig:
    """Return the settings with the arguments (`NAME=VALUE`, with or without dashes in front); a later one wins.

    Raises:
        KubeletArgError: every argument that cannot be used, one a line.
    """
    fields: dict[str, Any] = {}
    faults: list[str] = []
    for arg in args:
        name, sign, text = arg.lstrip("-").partition("=")
        if name not in _ARGS:
            near = difflib.get_close_matches(name, _ARGS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            faults.append(f"--kubelet-arg: this kubelet has no argument {name!r}{hint}")
            continue
        field, read = _ARGS[name]
        try:
            if not sign:
                raise KubeletArgError("it needs a value")
            fields[field] = read(text)
        except (KubeletArgError, ThresholdError) as error:
            faults.append(f"--kubelet-arg {name}: {error}")
    changed = replace(config, **fields)
    try:
        parse_thresholds(
            changed.eviction_hard,
            changed.eviction_soft,
            changed.eviction_soft_grace_period,
            changed.eviction_minimum_reclaim,
        )
    except ThresholdError as error:
        faults.append(f"--kubelet-arg: {error}")
    if changed.image_gc_low_percent >= changed.image_gc_high_percent:
        faults.append(
            f"--kubelet-arg: image-gc-low-threshold ({changed.image_gc_low_percent}) must be lower than "
            f"image-gc-high-threshold ({changed.image_gc_high_percent})"
        )
    if bool(changed.image_credential_provider_config) != bool(changed.image_credential_provider_bin_dir):
        faults.append("--kubelet-arg: image-credential-provider-config and -bin-dir go together")
    if faults:
        raise KubeletArgError("\n".join(faults))
    return changed
