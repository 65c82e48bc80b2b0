"""The fixed chains of iptables mode, and the jumps into them from the chains that belong to everybody.

Order of a packet as in nftables mode (`skeleton`): before DNAT nothing is refused; in the filter table, what still
carries a Service's address is refused. All that is ours has a name with our prefix; in a built-in chain only the
jumps of `HOOKS` are ours, and nothing else is ever touched there.
"""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Literal

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.iptables_rules import PREFIX
from minikube_py.proxy.iptables_tree import ADDRESS_BITS, PORT_BITS, RadixTree, Rules

TableName = Literal["nat", "filter"]
SERVICES_CHAIN = f"{PREFIX}-SERVICES"
POSTROUTING_CHAIN = f"{PREFIX}-POST"
REFUSE_CHAIN = f"{PREFIX}-REFUSE"
REJECT_CHAIN = f"{PREFIX}-REJECT"
CLUSTER_TREE, EXTERNAL_TREE, NODE_PORT_TREE, HAIRPIN_TREE = (f"{PREFIX}-{tree}" for tree in ("C", "E", "N", "H"))
REFUSED_CLUSTER_TREE, REFUSED_EXTERNAL_TREE, REFUSED_NODE_PORT_TREE, CLUSTER_IP_TREE = (
    f"{PREFIX}-{tree}" for tree in ("RC", "RE", "RN", "I")
)
_NEW = f"-m conntrack --ctstate NEW -j {REFUSE_CHAIN}"
HOOKS: Mapping[TableName, tuple[tuple[str, str], ...]] = {
    "nat": (
        ("PREROUTING", f"-j {SERVICES_CHAIN}"),
        ("OUTPUT", f"-j {SERVICES_CHAIN}"),
        ("POSTROUTING", f"-j {POSTROUTING_CHAIN}"),
    ),
    "filter": (("INPUT", _NEW), ("FORWARD", _NEW), ("OUTPUT", _NEW)),
}
_THIS_HOST = "! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL"


def fixed_chains(config: ProxyConfig, masquerade: str) -> Mapping[TableName, Mapping[str, Rules]]:
    """Return the fixed chains of both tables; `masquerade` is the target with the options that this host knows."""
    mark = f"{config.masquerade_mark:#x}"
    further = tuple(network for network in config.cluster_ip_ranges if network != config.service_cidr)
    own = tuple(f"-d {address}/32 -j RETURN" for address in config.node_local_vips)
    services = (
        *own,
        *(
            f"! -s {config.cluster_cidr} -d {cluster_ips} -j MARK --set-xmark {mark}/{mark}"
            for cluster_ips in config.cluster_ip_ranges
        ),
        f"-d {config.service_cidr} -g {CLUSTER_TREE}",
        f"-j {EXTERNAL_TREE}",
        f"{_THIS_HOST} -j {NODE_PORT_TREE}",
    )
    postrouting = (
        f"-m conntrack --ctstate DNAT -j {HAIRPIN_TREE}",
        f"-m mark ! --mark {mark}/{mark} -j RETURN",
        # Cleared, or a packet that passes the stack twice (an overlay) would be masqueraded twice.
        f"-j MARK --set-xmark {mark}/0x0",
        f"-j {masquerade}",
    )
    refuse = (
        *own,
        f"-d {config.service_cidr} -j {REFUSED_CLUSTER_TREE}",
        f"-d {config.service_cidr} -j {CLUSTER_IP_TREE}",
        f"-d {config.service_cidr} -j DROP",
        f"-j {REFUSED_EXTERNAL_TREE}",
        # Services of further ranges are found as external addresses are.
        *(f"-d {network} -j {target}" for network in further for target in (CLUSTER_IP_TREE, "DROP")),
        f"{_THIS_HOST} -j {REFUSED_NODE_PORT_TREE}",
    )
    reject = ("-p tcp -j REJECT --reject-with tcp-reset", "-j REJECT --reject-with icmp-port-unreachable")
    return {
        "nat": {SERVICES_CHAIN: services, POSTROUTING_CHAIN: postrouting},
        "filter": {REFUSE_CHAIN: refuse, REJECT_CHAIN: reject},
    }


def dispatch_trees(config: ProxyConfig) -> Mapping[TableName, Mapping[str, RadixTree]]:
    """Return the empty trees of both tables; those of cluster IPs begin at the service CIDR."""
    network = IPv4Network(config.service_cidr)
    bits, prefix = network.prefixlen, int(network.network_address) << PORT_BITS
    return {
        "nat": {
            CLUSTER_TREE: RadixTree(CLUSTER_TREE, bits, prefix),
            EXTERNAL_TREE: RadixTree(EXTERNAL_TREE),
            NODE_PORT_TREE: RadixTree(NODE_PORT_TREE, ADDRESS_BITS),
            HAIRPIN_TREE: RadixTree(HAIRPIN_TREE),
        },
        "filter": {
            REFUSED_CLUSTER_TREE: RadixTree(REFUSED_CLUSTER_TREE, bits, prefix),
            REFUSED_EXTERNAL_TREE: RadixTree(REFUSED_EXTERNAL_TREE),
            REFUSED_NODE_PORT_TREE: RadixTree(REFUSED_NODE_PORT_TREE, ADDRESS_BITS),
            CLUSTER_IP_TREE: RadixTree(CLUSTER_IP_TREE, bits, prefix),
        },
    }
