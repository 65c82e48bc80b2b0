"""The masquerade of what pods send to the outside, as an nft script or as input for `iptables-restore --noflush`.

Inside the cluster CIDR source addresses are kept; what leaves it gets the node's address, because nobody outside
knows a route back to a pod. A script replaces all that is ours in one step, so it may be loaded at any time.
Upstream: flannel's and ip-masq-agent's rules.
"""

from minikube_py.network.config import NetworkConfig

EGRESS_CHAIN = "MKN-EGRESS"
EGRESS_HOOK = f"-A POSTROUTING -j {EGRESS_CHAIN}"
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


def plan_iptables_egress(saved: str, config: NetworkConfig, masquerade: str) -> str:
    """Return the restore script that makes the chain right; empty when it is.

    `saved` is what `iptables-save -t nat` prints, `masquerade` the target with the options that this host knows.
    """
    rules = [
        f"-A {EGRESS_CHAIN} -d {config.cluster_cidr} -j RETURN",
        f"-A {EGRESS_CHAIN} -d 224.0.0.0/4 -j RETURN",
        f"-A {EGRESS_CHAIN} -s {config.pod_cidr} -j {masquerade}",
    ]
    lines = saved.splitlines()
    hooked = EGRESS_HOOK in lines
    if hooked and [line for line in lines if line.startswith(f"-A {EGRESS_CHAIN} ")] == rules:
        return ""
    # At the end: the proxy's source NAT comes first, and the first that decides wins.
    hook = [] if hooked else [EGRESS_HOOK]
    return "\n".join(("*nat", f":{EGRESS_CHAIN} - [0:0]", *rules, *hook, "COMMIT", ""))


def plan_iptables_removal(saved: str) -> str:
    """Return the restore script that takes the chain away; empty when there is none."""
    lines = saved.splitlines()
    hooks = [line.replace("-A", "-D", 1) for line in lines if line == EGRESS_HOOK]
    if not any(line.startswith(f":{EGRESS_CHAIN} ") for line in lines):
        return ""
    return "\n".join(("*nat", f":{EGRESS_CHAIN} - [0:0]", *hooks, f"-X {EGRESS_CHAIN}", "COMMIT", ""))
