"""Looks at the host for doctor: reads files, asks nft to check rules without applying them, tries ports."""

import errno
import os
import platform
import shutil
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from minikube_py.doctor.facts import HostFacts, PortFacts, TunnelFacts
from minikube_py.kit.io.process import ProcessError, run_program

# One of each thing that the proxy's and the network's rules are made of.
SAMPLE_RULES = b"""
table ip minikube-py-doctor {
    map verdicts { type ipv4_addr . inet_proto . inet_service : verdict; }
    map endpoints { typeof ip daddr . meta l4proto . th dport . numgen random mod 2 : ip daddr . th dport; }
    set pods { type ipv4_addr . ipv4_addr; }
    chain prerouting {
        type nat hook prerouting priority -100;
        ip daddr . meta l4proto . th dport vmap @verdicts
        fib daddr type local meta mark set meta mark | 0x00004000
    }
    chain pick { dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 2 map @endpoints; }
    chain postrouting {
        type nat hook postrouting priority 100;
        ct status dnat ip saddr . ip daddr @pods masquerade fully-random
    }
    chain forward { type filter hook forward priority -90; ct state new reject with tcp reset; }
}
"""


async def survey_host(data_dir: Path, ports: Mapping[int, str], agent_runs: bool) -> HostFacts:
    """Return what the host shows; `ports` gives what each port is for."""
    existing = _existing(data_dir)
    free = os.statvfs(existing)
    return HostFacts(
        is_root=os.geteuid() == 0,
        python=sys.version_info[:2],
        kernel=platform.release(),
        nft_fault=await _nft_fault(),
        has_iptables=shutil.which("iptables") is not None,
        iptables_needed=await _forward_drops(),
        cgroup_controllers=_cgroup_controllers(),
        can_forward=_read("/proc/sys/net/ipv4/ip_forward") == "1"
        or os.access("/proc/sys/net/ipv4/ip_forward", os.W_OK),
        ports=tuple(PortFacts(number, purpose, _taken(number)) for number, purpose in ports.items()),
        agent_runs=agent_runs,
        data_dir=str(data_dir),
        disk_free_bytes=free.f_bavail * free.f_frsize,
        data_dir_fault=_data_dir_fault(data_dir, existing),
        wall_s=time.time(),  # noqa: TID251 - the clock itself is what is looked at
        newest_data_s=_newest(data_dir / "server" / "store"),
        firewalld_runs=Path("/run/firewalld").exists() or Path("/var/run/firewalld.pid").exists(),
        incoming_dropped=await _incoming_dropped(),
        selinux_enforces=_read("/sys/fs/selinux/enforce") == "1",
    )


def survey_tunnel(mode: str, port: int) -> TunnelFacts:
    """Return what this host shows of what a tunnel on that UDP port needs."""
    modules = Path("/lib/modules", platform.release())
    known = (_read(str(modules / name)) for name in ("modules.builtin", "modules.dep"))
    in_kernel = Path("/sys/module/vxlan").exists() or any("/vxlan.ko" in listed for listed in known)
    return TunnelFacts(mode, port, _taken(port, socket.SOCK_DGRAM), in_kernel)


async def _nft_fault() -> str:
    try:
        checked = await run_program(["nft", "--check", "-f", "-"], stdin=SAMPLE_RULES, timeout_s=10)
    except ProcessError as error:
        return str(error)
    return checked.stderr.strip().partition("\n")[0] if checked.exit_code else ""


async def _forward_drops() -> bool:
    """Return whether an nftables chain (iptables-nft too) drops forwarded packets by policy."""
    try:
        listed = await run_program(["nft", "list", "chains", "ip"], timeout_s=10)
    except ProcessError:
        return False
    return any("hook forward" in line and "policy drop" in line for line in listed.stdout.splitlines())


async def _incoming_dropped() -> bool:
    """Return whether iptables, of either kind, ends its INPUT chain with a refusal."""
    try:
        listed = await run_program(["iptables", "-S", "INPUT"], timeout_s=10)
    except ProcessError:
        return False
    lines = listed.stdout.splitlines()
    return "-P INPUT DROP" in lines or any(
        line.startswith(("-A INPUT -j DROP", "-A INPUT -j REJECT")) for line in lines
    )


def _cgroup_controllers() -> frozenset[str]:
    """Return the controllers of cgroup v2, or those that are mounted for v1."""
    unified = _read("/sys/fs/cgroup/cgroup.controllers")
    if unified:
        return frozenset(unified.split())
    options = [line.split() for line in _read("/proc/self/mounts").splitlines()]
    return frozenset(name for fields in options if fields[2] == "cgroup" for name in fields[3].split(","))


def _taken(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # Of connections that have ended the port may still be seen; of datagrams two programs would share it.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _data_dir_fault(data_dir: Path, existing: Path) -> str:
    if not existing.is_dir():
        return f"{existing} is not a folder"
    return "" if os.access(existing, os.W_OK) else f"{data_dir} cannot be written"


def _newest(folder: Path) -> float:
    if not os.access(folder, os.R_OK):
        return 0.0
    return max((file.stat().st_mtime for file in folder.iterdir()), default=0.0)


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
