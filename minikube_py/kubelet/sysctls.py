"""Kernel settings that a pod may ask for: the safe ones, and those that the node's owner allows besides.

Upstream: kubelet/sysctl allowlist.go, safe_sysctls.go.
"""

import re

from minikube_py.kubelet.pod import Pod

FORBIDDEN = "SysctlForbidden"
SAFE = frozenset(
    (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    )
)
NAME_MAX = 253
_PATTERN = re.compile(r"([a-z0-9](?:[-_a-z0-9]*[a-z0-9])?[./])*(?:[a-z0-9][-_a-z0-9]*)?[a-z0-9*]")
_IPC = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")


def check_sysctls(pod: Pod, allowed_unsafe: tuple[str, ...]) -> str:
    """Return why a pod's sysctls are refused, empty when they are not.

    Args:
        pod: the pod.
        allowed_unsafe: names and patterns that end in `*`.
    """
    for entry in pod.security.get("sysctls") or ():
        name = str(entry.get("name", "")).replace("/", ".")
        if not (name in SAFE or any(_matches(name, pattern) for pattern in allowed_unsafe)):
            return f'forbidden sysctl: "{name}" not allowlisted'
        if pod.host_network and name.startswith("net."):
            return f'forbidden sysctl: "{name}" not allowed with host net enabled'
        if pod.host_ipc and name.startswith(_IPC):
            return f'forbidden sysctl: "{name}" not allowed with host ipc enabled'
    return ""


def pattern_fault(pattern: str) -> str:
    """Return why a pattern cannot be allowed, empty when it can: what no namespace has would be the host's."""
    if len(pattern) > NAME_MAX or not _PATTERN.fullmatch(pattern):
        return f"{pattern!r} is no sysctl, nor the beginning of some and a `*`"
    if not pattern.removesuffix("*").startswith(("net.", *_IPC)):
        return f"the sysctl {pattern!r} is not known to be namespaced"
    return ""


def _matches(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
