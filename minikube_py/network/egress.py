"""The masquerade of what pods send to the outside, as an nft script.

Inside the cluster CIDR source addresses are kept; what leaves it gets the node's address, because nobody outside
knows a route back to a pod. The script replaces the whole table in one transaction, so it may be loaded at any time.
Upstream: flannel's and ip-masq-agent's rules.
"""

from minikube_py.network.config import NetworkConfig

SRCNAT_PRIORITY = 110
"""After the proxy's own source NAT (100): the first table that decides wins."""


def render_egress(config: NetworkConfig) -> str:
    """Return the script for `nft -f -`."""
    return (
        f"add table ip {config.table}\n"
        f"delete table ip {config.table}\n"
        f"table ip {config.table} {{\n"
        "  chain postrouting {\n"
        f"    type nat hook postrouting priority {SRCNAT_PRIORITY}; policy accept;\n"
        f"    ip saddr {config.pod_cidr} ip daddr != {config.cluster_cidr} ip daddr != 224.0.0.0/4 "
        "masquerade fully-random\n"
        "  }\n"
        "}\n"
    )


def render_removal(table: str) -> str:
    """Return the script that removes the table, whether or not it exists."""
    return f"add table ip {table}\ndelete table ip {table}\n"
