"""Letting pods' packets through a host firewall that drops by default (Docker, ufw, firewalld on iptables).

An accept in a table of ours cannot overrule a drop elsewhere, so rules must stand in the very chain that drops: to
and from the cluster's pods first in FORWARD (a node port's packet may go on to another node without touching the
bridge), and `-i BRIDGE` first in INPUT (pods reach the API server and the cluster DNS on this host). A host without
any drop or reject gets no rule at all. Input is `iptables -S`, output are the argument lists to run. Upstream:
flannel's FLANNEL-FWD and kube-proxy's KUBE-FORWARD; design notes: host pitfalls 1 and 2.
"""

import re
from collections.abc import Iterable

Command = tuple[str, ...]
_DENIES = re.compile(r"^-P \S+ DROP$|^-A .*-j (DROP|REJECT)\b", re.MULTILINE)


def plan_accept_rules(listing: str, bridge: str, cluster_cidr: str) -> tuple[Command, ...]:
    """Return the iptables arguments that let pods' packets pass; empty when nothing needs to change."""
    lines = frozenset(listing.splitlines())
    if not _DENIES.search(listing):
        return ()
    return tuple(
        ("-I", chain, "1", *match, "-j", "ACCEPT")
        for chain, match in _accept_rules(bridge, cluster_cidr)
        if f"-P {chain} ACCEPT" in lines or f"-P {chain} DROP" in lines
        if " ".join(("-A", chain, *match, "-j", "ACCEPT")) not in lines
    )


def plan_removal(listing: str, bridge: str, cluster_cidr: str) -> tuple[Command, ...]:
    """Return the iptables arguments that delete every rule of ours, one for each copy found."""
    wanted = {
        " ".join(("-A", chain, *match, "-j", "ACCEPT")): (chain, match)
        for chain, match in _accept_rules(bridge, cluster_cidr)
    }
    found = (wanted[line] for line in listing.splitlines() if line in wanted)
    return tuple(("-D", chain, *match, "-j", "ACCEPT") for chain, match in found)


def _accept_rules(bridge: str, cluster_cidr: str) -> Iterable[tuple[str, Command]]:
    return (("FORWARD", ("-s", cluster_cidr)), ("FORWARD", ("-d", cluster_cidr)), ("INPUT", ("-i", bridge)))
