"""Kernel settings that a pod may ask for: the safe ones, and those that the node's owner allows besides.

Upstream: kubelet/sysctl allowlist.go, safe_sysctls.go.
"""

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


def _matches(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
