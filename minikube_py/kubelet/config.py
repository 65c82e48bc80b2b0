"""Settings of the kubelet; names and meanings as in KubeletConfiguration where upstream has them."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class KubeletConfig:
    """What one node's kubelet is told; `with_fast_timers` gives the set for tests."""

    node_name: str
    node_ip: str
    root_dir: str
    """Where pods' directories stand (`ROOT/pods/UID`)."""
    pod_logs_dir: str
    """`/var/log/pods`, or a folder of this agent's own."""
    local_path_dir: str = ""
    """Where volumes of class `local-path` are made on this node; empty: this node makes none."""
    cluster_dns: tuple[str, ...] = ()
    cluster_domain: str = "cluster.local"
    kubelet_version: str = "v1.36.0"
    kubelet_port: int = 10250
    max_pods: int = 110
    """Pods beyond this are refused with OutOfpods."""
    pod_pids_limit: int = 4096
    """Upstream's default is no limit; one pod must not use up the host's process ids."""
    cgroup_root: str = "/"
    cpu_cfs_quota: bool = True
    resolv_conf: str = "/etc/resolv.conf"
    node_labels: tuple[tuple[str, str], ...] = ()
    memory_reserved_bytes: int = 100 << 20
    """Kept out of allocatable: upstream's hard eviction threshold memory.available<100Mi."""
    create_parallel_min: int = 2
    """Containers are created and started max(this, CPUs) at a time: more only adds waiting (measured)."""
    delete_parallel: int = 4
    probe_exec_parallel: int = 4
    """An exec costs a runc start; more at once would starve the pods themselves."""
    sync_frequency_s: float = 60.0
    """Each pod is looked at, and its ConfigMaps and Secrets are read, at least this often."""
    relist_s: float = 7.0
    """The runtime's events are hints; a listing this often is the truth."""
    object_ttl_s: float = 5.0
    """A ConfigMap or Secret that was read this recently is not read again."""
    lease_renew_s: float = 10.0
    lease_duration_s: int = 40
    node_status_update_s: float = 10.0
    node_status_report_s: float = 300.0
    """An unchanged status is written this often."""
    container_gc_s: float = 60.0
    dead_containers_max: int = 1
    """Dead containers kept for each container of a pod, for `logs --previous` and lastState."""
    endpoint_drain_s: float = 2.0
    """A pod being deleted waits at most this long until the kernel sends nothing new to it."""
    endpoint_drain_linger_s: float = 0.3
    """And then this long, so that what was just accepted reaches the process."""
    retry_initial_s: float = 0.5
    retry_max_s: float = 10.0
    """Waits between tries of a sync that failed."""
    volume_retry_max_s: float = 120.0
    """Waits between tries to set up volumes; upstream's is two minutes and two seconds."""

    def pod_dir(self, pod_uid: str) -> str:
        """Return a pod's directory."""
        return f"{self.root_dir}/pods/{pod_uid}"

    def log_path(self, namespace: str, name: str, uid: str, container: str, attempt: int) -> str:
        """Return where the log of one run is found."""
        return f"{self.pod_logs_dir}/{namespace}_{name}_{uid}/{container}/{attempt}.log"


def with_fast_timers(config: KubeletConfig) -> KubeletConfig:
    """Return the settings for tests that wait for heartbeats, refreshes and clean-up; promises to pods stay."""
    return replace(
        config,
        sync_frequency_s=10.0,
        relist_s=3.0,
        object_ttl_s=1.0,
        lease_renew_s=2.0,
        node_status_update_s=2.0,
        container_gc_s=10.0,
    )
