"""What the API server can be told (upstream: kube-apiserver's flags of the same names)."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class ApiServerConfig:
    """Settings of one API server; the defaults are those of the agent's flags."""

    bind_address: str = "0.0.0.0"
    """--bind-address: where to listen; 0.0.0.0 is every IPv4 address of the host."""
    secure_port: int = 6443
    """--https-listen-port: the port of HTTPS; 0 lets the kernel choose (tests)."""
    advertise_address: str = "192.0.2.1"
    """--node-ip: where the Service default/kubernetes leads to, and what /api tells clients; no loopback address."""
    advertise_port: int = 0
    """The port that goes with it; 0: secure_port."""
    service_cluster_ip_range: str = "10.96.0.0/16"
    """--service-cidr: cluster IPs come from here; its first address is the Service default/kubernetes."""
    cluster_dns: str = "10.96.0.10"
    """--cluster-dns: the cluster IP of the Service kube-system/kube-dns; empty: no such Service is made."""
    local_path_class: bool = True
    """--disable local-storage: whether the StorageClass `local-path`, the default one, is made."""
    service_node_port_range: tuple[int, int] = (30000, 32767)
    """--service-node-port-range: first and last node port."""
    disable_admission_plugins: tuple[str, ...] = ()
    """Plug-ins to leave out, by upstream's names (upstream: --disable-admission-plugins)."""
    default_not_ready_toleration_s: int = 300
    """How long a pod that says nothing about it stays on a node whose kubelet says that it is not ready."""
    default_unreachable_toleration_s: int = 300
    """The same for a node that is not heard of (upstream: --default-unreachable-toleration-seconds)."""
    body_bytes_max: int = 3 << 20
    """Request bodies over this are answered with 413 (upstream: 3 MiB)."""
    requests_in_flight_max: int = 400
    """Reads over HTTP at one time, watches and streams left out; a further one is answered with 429, try again
    (upstream: --max-requests-inflight)."""
    mutating_requests_in_flight_max: int = 200
    """The same for writes (upstream: --max-mutating-requests-inflight)."""
    body_bytes_in_flight_max: int = 64 << 20
    """Bytes of request bodies that are held at one time, those still on their way too; a body that would pass this is
    answered with 429."""
    watches_max: int = 10_000
    """Watches over HTTP at one time; a further one is answered with 429."""
    future_wait_s: float = 3.0
    """How long a read of a resource version that is not there yet waits for it (upstream: the watch cache's 3 s)."""
    request_timeout_s: float = 60.0
    """Requests that are not watches or streams are answered with 504 after this (upstream: --request-timeout)."""
    watch_buffer_bytes_max: int = 8 << 20
    """A watcher over HTTP whose unsent bytes pass this is dropped; it lists again or watches on from where it was."""
    watch_buffer_events_max: int = 10_000
    """The same for watchers in this process, in events."""
    bookmark_interval_s: float = 60.0
    """How often a watcher that allows bookmarks gets one."""
    watch_timeout_s: tuple[float, float] = (1800.0, 3600.0)
    """A watch without timeoutSeconds ends after a random time between these (upstream: --min-request-timeout)."""
    metric_resolution_s: float = 15.0
    """How often the kubelets are asked for the metrics API (upstream: metrics-server's --metric-resolution)."""
    shutdown_grace_s: float = 3.0
    """At stop, how long open requests may take to end before their connections are cut."""

    @property
    def reachable_port(self) -> int:
        """Return the port under which the cluster reaches this server."""
        return self.advertise_port or self.secure_port


def with_fast_timers(config: ApiServerConfig) -> ApiServerConfig:
    """Return the settings for tests that wait for figures, and for pods of nodes that are gone to be replaced."""
    return replace(
        config, metric_resolution_s=3.0, default_not_ready_toleration_s=30, default_unreachable_toleration_s=30
    )
