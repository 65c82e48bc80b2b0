"""Settings of the cluster DNS server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DnsConfig:
    """Where the server listens, what it is responsible for, and whom it asks for the rest."""

    listen_addresses: tuple[str, ...] = ("10.96.0.10",)
    """Addresses to answer at, UDP and TCP; the first is the one that `ns.dns` of the domain names."""
    port: int = 53
    domain: str = "cluster.local"
    """The cluster domain, without a final dot."""
    upstreams: tuple[str, ...] = ()
    """Servers for all other names, `ADDRESS` or `ADDRESS:PORT`; empty: those of `resolv_conf`."""
    resolv_conf: str = "/etc/resolv.conf"
    """Read again when it changes."""
    ttl_s: int = 5
    """TTL of cluster records and of their absence (upstream: CoreDNS' default)."""
    upstream_timeout_s: float = 2.0
    """How long one upstream may take before the next is asked."""
    forward_max: int = 1000
    """Queries under way to upstreams; further ones are answered SERVFAIL."""
    cache_max: int = 10_000
    """Answers of upstreams that are kept; the one unused for longest goes first."""
    cache_ttl_max_s: int = 30
    """No upstream's answer is kept longer, so that changes outside are seen soon."""
    tcp_connections_max: int = 200
    """Open TCP connections; further ones are closed at once."""
    tcp_idle_s: float = 10.0
    """A TCP connection without a query for that long is closed."""
