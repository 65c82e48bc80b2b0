"""Settings of the service proxy: table name, address ranges and the pace of changes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """What the proxy of this node needs to know (upstream: KubeProxyConfiguration)."""

    node_name: str
    """Endpoints of this node are local: traffic policies and hairpin depend on it."""
    service_cidr: str = "10.96.0.0/16"
    """Cluster IPs; a new connection to one that no Service has is dropped."""
    service_networks: tuple[str, ...] = ()
    """All ranges of cluster IPs when there are ServiceCIDRs beside the cluster's own; empty: only `service_cidr`."""
    cluster_cidr: str = "10.244.0.0/16"
    """Pods: what comes from elsewhere to a cluster IP is masqueraded (upstream: clusterCIDR detection)."""
    node_local_vips: tuple[str, ...] = ("10.96.0.10",)
    """Addresses in the service CIDR that this host itself serves (the cluster DNS): no rule touches them."""
    table: str = "minikube-py"
    """The nftables table (family ip) that holds everything; nothing else may live in it."""
    masquerade_bit: int = 14
    """Bit of the packet mark that asks for masquerade in postrouting; cleared there (upstream: masqueradeBit)."""
    first_delay_s: float = 0.01
    """How long changes are collected after the first one."""
    min_interval_s: float = 0.02
    """Least time between two syncs: the endpoints of a new Service come just after it. Five times the last sync's
    duration when that is longer, up to the next field."""
    max_interval_s: float = 1.0
    """Longest pause between two syncs while there is something to do."""
    surplus_delay_s: float = 1.0
    """How long an endpoint element outlives the verdict that led to it: packets under way may still look it up."""
    verify_interval_s: float = 3600.0
    """How often the kernel's table is listed and compared (upstream: the hourly full sync)."""
    verify_min_interval_s: float = 2.0
    """Least time between two listings, however often others change the table."""
    retry_delay_s: float = 1.0
    """Pause after a failed sync before the table is listed and rebuilt."""

    @property
    def cluster_ip_ranges(self) -> tuple[str, ...]:
        """Return the ranges of all cluster IPs."""
        return self.service_networks or (self.service_cidr,)

    @property
    def masquerade_mark(self) -> int:
        """Return the mark as a mask."""
        return 1 << self.masquerade_bit
