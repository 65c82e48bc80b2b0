"""The fixed part of the table: hooks, the chains that look things up, and the empty maps.

Its text is hashed into the name of an empty chain, so that a later start sees whether the table in the kernel is the
one that this version would make. Order of a packet: before DNAT nothing is refused; after it, what still carries a
Service's address had no endpoints (reject, or drop under a Local policy), came to a load balancer from outside its
source ranges (drop), hit an unused port of a cluster IP (reject) or an address that no Service has (drop). Upstream:
kube-proxy's nftables base chains.
"""

from hashlib import sha256

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.ruleset import (
    CLUSTER_IPS,
    HAIRPIN,
    MAPS,
    NO_ENDPOINTS,
    NO_ENDPOINTS_NODE_PORTS,
    NODE_PORTS,
    REJECT_CHAIN,
    RESTRICTED,
    SERVICES,
    SOURCE_RANGES,
    MapSpec,
)

_TYPES = {"address": "ipv4_addr", "network": "ipv4_addr", "protocol": "inet_proto", "port": "inet_service"}
_TYPEOF = {
    "source": "ip saddr",
    "address": "ip daddr",
    "protocol": "meta l4proto",
    "port": "th dport",
    # The only way to say "32 bits in host order"; any index may stand there.
    "index": "numgen random mod 2",
    "identity": "meta priority",
}
_DATA = {"target": "ip daddr . th dport", "identity": "meta priority", "memory": "meta priority"}
CLIENTS_MAX = 65_535
"""Clients that one memory holds; who finds it full is sent by chance and not remembered."""


def render_skeleton(config: ProxyConfig) -> tuple[str, ...]:
    """Return the nft commands that make the skeleton in a table that exists, mark chain included."""
    lines = _skeleton_lines(config)
    return (*lines, f"add chain ip {config.table} {mark_chain(config)}")


def mark_chain(config: ProxyConfig) -> str:
    """Return the name of the empty chain that tells which skeleton the table has."""
    return f"skeleton-{sha256(chr(10).join(_skeleton_lines(config)).encode()).hexdigest()[:12]}"


def _skeleton_lines(config: ProxyConfig) -> tuple[str, ...]:
    table = f"ip {config.table}"
    chains = {**_nat_chains(config), **_filter_chains(config)}
    return (
        *(_map_line(table, spec) for spec in MAPS.values()),
        *(f"add chain {table} {name}{hook}" for name, (hook, _) in chains.items()),
        *(f"add rule {table} {name} {rule}" for name, (_, rules) in chains.items() for rule in rules),
    )


def _map_line(table: str, spec: MapSpec) -> str:
    names, keyword = (_TYPEOF, "typeof") if spec.data in _DATA else (_TYPES, "type")
    key = " . ".join(names[field] for field in spec.key)
    if spec.data == "member":
        flags = " flags interval ;" if "network" in spec.key else ""
        return f"add set {table} {spec.name} {{ {keyword} {key} ;{flags} }}"
    size = f" size {CLIENTS_MAX} ; flags dynamic,timeout ;" if spec.data == "memory" else ""
    return f"add map {table} {spec.name} {{ {keyword} {key} : {_DATA.get(spec.data, 'verdict')} ;{size} }}"


def _cluster_ips(config: ProxyConfig) -> str:
    ranges = config.cluster_ip_ranges
    return ranges[0] if len(ranges) == 1 else f"{{ {', '.join(ranges)} }}"


def _nat_chains(config: ProxyConfig) -> dict[str, tuple[str, tuple[str, ...]]]:
    mark = f"{config.masquerade_mark:#x}"
    own = (f"ip daddr {{ {', '.join(config.node_local_vips)} }} return",) if config.node_local_vips else ()
    return {
        "dispatch": (
            "",
            (
                *own,
                f"ip daddr {_cluster_ips(config)} ip saddr != {config.cluster_cidr} meta mark set mark or {mark}",
                f"ip daddr . meta l4proto . th dport @{RESTRICTED.name} "
                f"ip daddr . meta l4proto . th dport . ip saddr != @{SOURCE_RANGES.name} return",
                f"ip daddr . meta l4proto . th dport vmap @{SERVICES.name}",
                f"ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport vmap @{NODE_PORTS.name}",
            ),
        ),
        # Numbers, because nft 1.0.6 knows no name for these priorities in the output hook.
        "nat-prerouting": (" { type nat hook prerouting priority -100 ; }", ("jump dispatch",)),
        "nat-output": (" { type nat hook output priority -100 ; }", ("jump dispatch",)),
        "nat-postrouting": (
            " { type nat hook postrouting priority 100 ; }",
            (
                f"ct status dnat ip saddr . ip daddr @{HAIRPIN.name} masquerade fully-random",
                f"meta mark and {mark} == 0 return",
                # Cleared, or a packet that passes the stack twice (an overlay) would be masqueraded twice.
                f"meta mark set mark xor {mark}",
                "masquerade fully-random",
            ),
        ),
    }


def _filter_chains(config: ProxyConfig) -> dict[str, tuple[str, tuple[str, ...]]]:
    own = (f"ip daddr {{ {', '.join(config.node_local_vips)} }} return",) if config.node_local_vips else ()
    return {
        REJECT_CHAIN: ("", ("meta l4proto tcp reject with tcp reset", "reject")),
        "refuse": (
            "",
            (
                *own,
                f"ip daddr . meta l4proto . th dport vmap @{NO_ENDPOINTS.name}",
                f"ip daddr . meta l4proto . th dport @{RESTRICTED.name} drop",
                f"ip daddr @{CLUSTER_IPS.name} goto {REJECT_CHAIN}",
                f"ip daddr {_cluster_ips(config)} drop",
                "ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport "
                f"vmap @{NO_ENDPOINTS_NODE_PORTS.name}",
            ),
        ),
        # After DNAT, before the filter chains of others (0).
        "filter-input": (" { type filter hook input priority -90 ; }", ("ct state new jump refuse",)),
        "filter-forward": (" { type filter hook forward priority -90 ; }", ("ct state new jump refuse",)),
        "filter-output": (" { type filter hook output priority -90 ; }", ("ct state new jump refuse",)),
    }
