"""What `/configz` of the kubelet's server shows: the settings in force, in the form of KubeletConfiguration.

Only what this kubelet acts on is shown: a default of upstream's that nothing here reads would be believed.
"""

from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.kubelet.config import KubeletConfig


def duration_text(seconds: float) -> str:
    """Return a duration as Go writes it: `1m0s`, `0s`, `1.5s`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{rest:g}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text


def configz(config: KubeletConfig) -> Obj:
    """Return the document."""
    pairs: dict[str, Any] = {
        "kubeReserved": dict(config.kube_reserved),
        "systemReserved": dict(config.system_reserved),
        "evictionHard": dict(config.eviction_hard),
        "evictionSoft": dict(config.eviction_soft),
        "evictionSoftGracePeriod": dict(config.eviction_soft_grace_period),
        "evictionMinimumReclaim": dict(config.eviction_minimum_reclaim),
        "registerWithTaints": [dict(taint) for taint in config.register_with_taints],
    }
    settings: Obj = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "0.0.0.0",
        "port": config.kubelet_port,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True, "cacheTTL": "2m0s"},
            "x509": {},
        },
        "authorization": {
            "mode": "Webhook",
            "webhook": {"cacheAuthorizedTTL": "5m0s", "cacheUnauthorizedTTL": "30s"},
        },
        "allowedUnsafeSysctls": list(config.allowed_unsafe_sysctls),
        "clusterDNS": list(config.cluster_dns),
        "clusterDomain": config.cluster_domain,
        "cgroupRoot": config.cgroup_root,
        "containerLogMaxFiles": config.container_log_max_files,
        "containerLogMaxSize": config.container_log_max_size,
        "cpuCFSQuota": config.cpu_cfs_quota,
        "enableSystemLogHandler": True,
        "enableSystemLogQuery": True,
        "imageGCHighThresholdPercent": config.image_gc_high_percent,
        "imageGCLowThresholdPercent": config.image_gc_low_percent,
        "imageMaximumGCAge": duration_text(config.image_maximum_gc_age_s),
        "imageMinimumGCAge": duration_text(config.image_minimum_gc_age_s),
        "maxParallelImagePulls": config.image_pulls_max,
        "maxPods": config.max_pods,
        "registryBurst": config.registry_burst,
        "registryPullQPS": config.registry_pull_qps,
        "nodeLeaseDurationSeconds": config.lease_duration_s,
        "nodeStatusReportFrequency": duration_text(config.node_status_report_s),
        "nodeStatusUpdateFrequency": duration_text(config.node_status_update_s),
        "podPidsLimit": config.pod_pids_limit,
        "registerNode": True,
        "resolvConf": config.resolv_conf,
        "serializeImagePulls": config.image_pulls_max == 1,
        "shutdownGracePeriod": duration_text(config.shutdown_grace_period_s),
        "shutdownGracePeriodCriticalPods": duration_text(config.shutdown_grace_period_critical_s),
        "syncFrequency": duration_text(config.sync_frequency_s),
        **{name: value for name, value in pairs.items() if value},
    }
    return {"kubeletconfig": settings}
