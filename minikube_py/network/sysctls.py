"""Which kernel settings the pod network needs, and which of them must be written.

Only what is necessary is changed: a host that routes already, or is stricter where that does no harm, keeps its
values. `ip_forward` may be reset by others at any time, so this is compared again and again. Upstream: kubelet and
the bridge plugin of CNI.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SysctlRule:
    """One setting: the path below /proc/sys, what to write, and what else may stand there."""

    path: str
    value: str
    also_fine: tuple[str, ...] = ()


def required_sysctls(bridge: str, tunnel: str) -> tuple[SysctlRule, ...]:
    """Return the settings, in the order in which they are written; those of a link that is not there don't exist."""
    return (
        SysctlRule("net/ipv4/ip_forward", "1"),
        # Pods talk to each other through the interface they came from; redirects would tell them not to. The kernel
        # sends one when either `all` or the interface allows it.
        SysctlRule("net/ipv4/conf/all/send_redirects", "0"),
        # The stricter of `all` and the interface counts (the larger number; 1 is strict, 2 is loose, 0 is off).
        SysctlRule("net/ipv4/conf/all/rp_filter", "2", also_fine=("0",)),
        *(rule for link in (bridge, tunnel) for rule in _of_link(link)),
    )


def _of_link(name: str) -> tuple[SysctlRule, ...]:
    return (
        SysctlRule(f"net/ipv4/conf/{name}/forwarding", "1"),
        SysctlRule(f"net/ipv4/conf/{name}/send_redirects", "0"),
        SysctlRule(f"net/ipv4/conf/{name}/rp_filter", "2", also_fine=("0",)),
    )


def diff_sysctls(required: tuple[SysctlRule, ...], found: Mapping[str, str]) -> tuple[SysctlRule, ...]:
    """Return the rules to write; a path that is absent from `found` does not exist on this kernel and is skipped."""
    return tuple(
        rule
        for rule in required
        if rule.path in found and found[rule.path] != rule.value and found[rule.path] not in rule.also_fine
    )
