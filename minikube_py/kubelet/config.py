"""Settings of the kubelet; names and meanings as in KubeletConfiguration where upstream has them."""

from dataclasses import dataclass, replace

from minikube_py.kubelet.credential_provider import CredentialProvider
from minikube_py.kubelet.registries import NO_REGISTRIES, Registries

Texts = tuple[tuple[str, str], ...]
EVICTION_HARD: Texts = (
    ("memory.available", "100Mi"),
    ("nodefs.available", "10%"),
    ("nodefs.inodesFree", "5%"),
    ("imagefs.available", "15%"),
    ("imagefs.inodesFree", "5%"),
)
"""Upstream's defaults."""


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
    allowed_unsafe_sysctls: tuple[str, ...] = ()
    """Sysctls, or patterns that end in `*`, that pods may set besides the safe ones."""
    static_pod_path: str = ""
    """The folder with manifests of static pods; empty: there are none."""
    node_labels: tuple[tuple[str, str], ...] = ()
    register_with_taints: tuple[tuple[tuple[str, str], ...], ...] = ()
    """Taints that the Node has when it is registered (fields as pairs); later ones are the API's business."""
    node_external_ip: str = ""
    """Shown as the node's ExternalIP; empty: it has none."""
    shutdown_grace_period_s: float = 0.0
    """How long a shutdown of the host is held up for the pods to end; 0: it is not (upstream's default)."""
    shutdown_grace_period_critical_s: float = 0.0
    """The last part of it, which is for critical pods."""
    kube_reserved: Texts = ()
    """(resource, quantity): kept out of allocatable for the kubelet and the engine."""
    system_reserved: Texts = ()
    """The same for the system's daemons."""
    eviction_hard: Texts = EVICTION_HARD
    """(signal, amount): below this pods are evicted at once; memory and disk of it are not allocatable either."""
    eviction_soft: Texts = ()
    eviction_soft_grace_period: Texts = ()
    """(signal, duration): how long a soft threshold must be met before it acts; each needs one."""
    eviction_minimum_reclaim: Texts = ()
    """(signal, amount): what is won back beyond the threshold, once it was met."""
    eviction_pressure_transition_s: float = 300.0
    """A pressure condition stays true this long after pressure was seen last."""
    eviction_max_pod_grace_s: float = 0.0
    """At a soft threshold a pod has at most this long to end; 0: what the pod says."""
    eviction_monitoring_s: float = 10.0
    """How often the node's resources are looked at."""
    delete_parallel: int = 4
    probe_exec_parallel: int = 4
    """An exec costs a runc start; more at once would starve the pods themselves."""
    sync_frequency_s: float = 60.0
    """Each pod is looked at, and its ConfigMaps and Secrets are read, at least this often."""
    relist_s: float = 7.0
    """The runtime's events are hints; a listing this often is the truth."""
    statistics_age_s: float = 10.0
    """CPU and memory are read at most this often, however many ask (upstream: --housekeeping-interval)."""
    object_ttl_s: float = 5.0
    """A ConfigMap or Secret that was read this recently is not read again."""
    lease_renew_s: float = 10.0
    lease_duration_s: int = 40
    node_status_update_s: float = 10.0
    node_status_report_s: float = 300.0
    """An unchanged status is written this often."""
    registries: Registries = NO_REGISTRIES
    """Mirrors and credentials of registries (`registries.yaml`)."""
    docker_config_paths: tuple[str, ...] = ()
    """Files as `docker login` writes them: credentials that every pod of this node may pull with."""
    image_credential_provider_config: str = ""
    """The file that sets up programs which know passwords of registries; empty: there are none."""
    image_credential_provider_bin_dir: str = ""
    """Where those programs are."""
    credential_providers: tuple[CredentialProvider, ...] = ()
    """What that file says."""
    registry_pull_qps: int = 5
    """Pulls a second; 0: as many as there are."""
    registry_burst: int = 10
    """Pulls at once, when there were none for a while."""
    serialize_image_pulls: bool | None = None
    """True: one image at a time, which is upstream's default; False: as `max_parallel_image_pulls` says; None: 2."""
    max_parallel_image_pulls: int | None = None
    """Images pulled at the same time; None: as many as are wanted, once `serialize_image_pulls` is False."""
    image_pull_progress_deadline_s: float = 60.0
    """A pull that does not get on for so long is given up (dockershim's)."""
    image_gc_high_percent: int = 85
    """From this share of the image file system on, unused images go (100: never for this reason), ..."""
    image_gc_low_percent: int = 80
    """... until this share is reached, the longest unused first."""
    image_minimum_gc_age_s: float = 120.0
    """An image that was just pulled is about to be used."""
    image_maximum_gc_age_s: float = 0.0
    """Unused images go after this time, however full the disk is; 0: they stay."""
    image_gc_s: float = 300.0
    image_folder_scan_s: float = 2.0
    """How often the folder of image archives is looked at."""
    container_log_max_size: str = "10Mi"
    container_log_max_files: int = 5
    """A container's log is rotated at that size; so many files stay, the newest included."""
    node_images_s: float = 30.0
    """The list of images is read this often: it costs the engine a walk over all of them."""
    container_gc_s: float = 60.0
    dead_containers_max: int = 1
    """Dead containers kept for each container of a pod, for `logs --previous` and lastState."""
    dead_containers_total_max: int = -1
    """Dead containers kept on the node; -1: as many as there are. One of each container stays as long as it can."""
    dead_container_minimum_age_s: float = 0.0
    """Dead containers stay at least this long."""
    endpoint_drain_s: float = 2.0
    """A pod being deleted waits at most this long until the kernel sends nothing new to it."""
    endpoint_drain_linger_s: float = 0.3
    """And then this long, so that what was just accepted reaches the process."""
    endpoint_gone_s: float = 1.0
    """A pod that has ended keeps its network at most so long, until no rule leads to it: it refuses connections."""
    retry_initial_s: float = 0.5
    retry_max_s: float = 10.0
    """Waits between tries of a sync that failed."""
    volume_retry_max_s: float = 120.0
    """Waits between tries to set up volumes; upstream's is two minutes and two seconds."""

    def pod_dir(self, pod_uid: str) -> str:
        """Return a pod's directory."""
        return f"{self.root_dir}/pods/{pod_uid}"

    @property
    def image_pulls_max(self) -> int | None:
        """Return how many images are pulled at the same time; None: as many as are wanted.

        Two by default: they keep a small pod from waiting behind a large one.
        """
        default = {True: 1, False: None, None: 2}[self.serialize_image_pulls]
        return self.max_parallel_image_pulls or default

    @property
    def images_dir(self) -> str:
        """Return the folder whose image archives are loaded."""
        return f"{self.root_dir}/images"

    @property
    def seccomp_dir(self) -> str:
        """Return where Localhost seccomp profiles are found."""
        return f"{self.root_dir}/seccomp"

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
        statistics_age_s=1.0,
        lease_renew_s=2.0,
        node_status_update_s=2.0,
        node_images_s=2.0,
        container_gc_s=10.0,
        image_gc_s=5.0,
        image_minimum_gc_age_s=5.0,
        image_folder_scan_s=0.5,
        eviction_monitoring_s=1.0,
        eviction_pressure_transition_s=5.0,
    )
