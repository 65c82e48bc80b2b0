"""The verdicts: each check takes the facts and returns a finding with the way to mend it.

Failures are what a node cannot run with; warnings are what it will run into. The order is that of a first start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from minikube_py.doctor.facts import EngineFacts, HostFacts

Verdict = Literal["ok", "warning", "failure"]

PYTHON_MIN = (3, 11)
DISK_FREE_BYTES_MIN = 256 << 20
DISK_FREE_BYTES_GOOD = 2 << 30
CLOCK_MIN_S = 1_700_000_000.0
"""November 2023: a clock before this was never set."""
CLOCK_BACK_S = 60.0
CONTROLLERS = frozenset({"cpu", "memory", "pids"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome: `remedy` is a command or an instruction, empty when all is well."""

    name: str
    verdict: Verdict
    seen: str
    remedy: str = ""


Check = Callable[[HostFacts, EngineFacts], Finding]


def _user(host: HostFacts, _engine: EngineFacts) -> Finding:
    if host.is_root:
        return Finding("user", "ok", "root")
    return Finding("user", "failure", "not root", "run it as root: it makes network links and sets kernel rules")


def _python(host: HostFacts, _engine: EngineFacts) -> Finding:
    seen = ".".join(map(str, host.python))
    if host.python >= PYTHON_MIN:
        return Finding("python", "ok", seen)
    return Finding("python", "failure", seen, "install Python 3.11 or later")


def _docker(_host: HostFacts, engine: EngineFacts) -> Finding:
    if engine.error:
        remedy = engine.remedy or "systemctl enable --now docker"
        return Finding("docker", "failure", engine.error, f"{remedy}, or name another engine with --docker-host")
    seen = f"{engine.version} (API {engine.api_version}, {engine.storage_driver}) at {engine.address}"
    if engine.storage_driver not in ("overlay2", "overlayfs", "btrfs", "zfs"):
        return Finding(
            "docker", "warning", seen, 'set "storage-driver": "overlay2": this one is slow or fills the disk'
        )
    if not engine.can_lower_oom_scores:
        remedy = "give dockerd CAP_SYS_RESOURCE; without it pods of high rank are not spared when memory runs out"
        return Finding("docker", "warning", f"{seen}, cannot lower OOM scores", remedy)
    if engine.user_namespaces:
        remedy = "take userns-remap out of Docker's settings: with it each pod's start takes about a third longer"
        return Finding("docker", "warning", f"{seen}, with user namespaces", remedy)
    return Finding("docker", "ok", seen)


def _cgroups(host: HostFacts, engine: EngineFacts) -> Finding:
    missing = sorted(CONTROLLERS - host.cgroup_controllers)
    if missing:
        remedy = "boot with cgroup_enable=" + ",".join(missing) + " (Raspberry Pi), or mount the cgroup file systems"
        return Finding("cgroups", "failure", f"no {', '.join(missing)} controller", remedy)
    version = f", v{engine.cgroup_version}" if engine.cgroup_version else ""
    return Finding("cgroups", "ok", ", ".join(sorted(CONTROLLERS)) + version)


def _nftables(host: HostFacts, _engine: EngineFacts) -> Finding:
    if not host.nft_fault:
        return Finding("nftables", "ok", f"kernel {host.kernel}")
    if host.has_iptables:
        return Finding(
            "nftables", "warning", host.nft_fault, "Services go through iptables instead: slower to change"
        )
    remedy = "install the package nftables; the kernel needs nf_tables with numgen, fib, nat and masq (5.4 or later)"
    return Finding("nftables", "failure", host.nft_fault, remedy)


def _iptables(host: HostFacts, _engine: EngineFacts) -> Finding:
    if host.has_iptables:
        return Finding("iptables", "ok", "here")
    verdict: Verdict = "failure" if host.iptables_needed else "warning"
    return Finding(
        "iptables", verdict, "missing", "install the package iptables: Docker drops what pods send otherwise"
    )


def _forwarding(host: HostFacts, _engine: EngineFacts) -> Finding:
    if host.can_forward:
        return Finding("forwarding", "ok", "net.ipv4.ip_forward can be 1")
    return Finding("forwarding", "failure", "net.ipv4.ip_forward is 0", "sysctl -w net.ipv4.ip_forward=1")


def _ports(host: HostFacts, _engine: EngineFacts) -> Finding:
    taken = [port for port in host.ports if port.taken]
    if not taken or host.agent_runs:
        return Finding("ports", "ok", ", ".join(str(port.number) for port in host.ports))
    seen = ", ".join(f"{port.number} ({port.purpose}) is taken" for port in taken)
    return Finding("ports", "failure", seen, f"ss -ltnp 'sport = :{taken[0].number}' names the program")


def _disk(host: HostFacts, _engine: EngineFacts) -> Finding:
    if host.data_dir_fault:
        return Finding("disk", "failure", host.data_dir_fault, "give another folder with --data-dir")
    seen = f"{host.disk_free_bytes >> 20} MiB free at {host.data_dir}"
    if host.disk_free_bytes < DISK_FREE_BYTES_MIN:
        return Finding("disk", "failure", seen, "make room: the store stops taking writes before the disk is full")
    if host.disk_free_bytes < DISK_FREE_BYTES_GOOD:
        return Finding("disk", "warning", seen, "make room: images and logs need some GiB")
    return Finding("disk", "ok", seen)


def _clock(host: HostFacts, _engine: EngineFacts) -> Finding:
    remedy = "set the clock (timedatectl set-ntp true): certificates are valid between two times"
    if host.wall_s < CLOCK_MIN_S:
        return Finding("clock", "failure", "the clock was never set", remedy)
    if host.wall_s < host.newest_data_s - CLOCK_BACK_S:
        return Finding("clock", "failure", "the clock went back: the store was written later than now", remedy)
    return Finding("clock", "ok", "plausible")


def _tunnel(host: HostFacts, _engine: EngineFacts) -> Finding:
    tunnel = host.tunnel
    if tunnel.mode == "direct":
        return Finding("tunnel", "ok", "not wanted (--pod-network direct)")
    verdict: Verdict = "failure" if tunnel.mode == "vxlan" else "warning"
    if not tunnel.in_kernel:
        remedy = "modprobe vxlan, or install the kernel's module; without it nodes behind a router are not reached"
        return Finding("tunnel", verdict, f"kernel {host.kernel} has no VXLAN", remedy)
    if tunnel.port_taken and not host.agent_runs:
        remedy = "give every node another --vxlan-port, unless it is a VXLAN device that has it: that may stay"
        return Finding("tunnel", "warning", f"UDP port {tunnel.port} is taken", remedy)
    return Finding("tunnel", "ok", f"VXLAN on UDP port {tunnel.port}")


def _firewalld(host: HostFacts, _engine: EngineFacts) -> Finding:
    if not host.firewalld_runs:
        return Finding("firewalld", "ok", "does not run")
    ports = " ".join(f"--add-port={port}" for port in _ports_from_nodes(host))
    links = "firewall-cmd --permanent --zone=trusted --add-interface=mkpy0 --add-interface=mkpy-vxlan"
    remedy = f"{links} && firewall-cmd --permanent {ports} && firewall-cmd --reload"
    return Finding("firewalld", "warning", "runs: it drops what it does not know", remedy)


def _incoming(host: HostFacts, _engine: EngineFacts) -> Finding:
    if host.firewalld_runs or not host.incoming_dropped:
        return Finding("incoming", "ok", "firewalld decides" if host.firewalld_runs else "is let in")
    remedy = f"let other nodes in at {', '.join(_ports_from_nodes(host))}, or they cannot join and be reached"
    return Finding("incoming", "warning", "a filter rule drops what nobody has allowed", remedy)


def _ports_from_nodes(host: HostFacts) -> tuple[str, ...]:
    """Return the ports at which other nodes come in, as firewall-cmd writes them."""
    tunnel = () if host.tunnel.mode == "direct" else (f"{host.tunnel.port}/udp",)
    return (*(f"{port.number}/tcp" for port in host.ports), *tunnel)


def _selinux(host: HostFacts, _engine: EngineFacts) -> Finding:
    if not host.selinux_enforces:
        return Finding("selinux", "ok", "does not enforce")
    pods = f"{host.data_dir}/agent/pods"
    remedy = f"semanage fcontext -a -t container_file_t '{pods}(/.*)?' && restorecon -R {pods}"
    return Finding("selinux", "warning", "enforces: containers may not read pod volumes", remedy)


def _state(host: HostFacts, _engine: EngineFacts) -> Finding:
    faults = host.state.faults
    if not faults:
        return Finding("state", "ok", host.state.seen)
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    remedy = "minikube-py snapshot verify tells all; minikube-py snapshot restore goes back to what can be read"
    return Finding("state", "failure", f"{faults[0]}{more}", remedy)


def _registries(host: HostFacts, _engine: EngineFacts) -> Finding:
    if host.registries_fault:
        return Finding(
            "registries", "failure", host.registries_fault.splitlines()[0], f"correct {host.registries_path}"
        )
    if not host.registries_ignored:
        return Finding("registries", "ok", "as their file says")
    seen, _, remedy = host.registries_ignored[0].partition(": ")
    more = f" (and {len(host.registries_ignored) - 1} more)" if len(host.registries_ignored) > 1 else ""
    return Finding("registries", "warning", f"{seen}{more}", remedy)


CHECKS: tuple[Check, ...] = (
    _user,
    _python,
    _docker,
    _cgroups,
    _nftables,
    _iptables,
    _forwarding,
    _ports,
    _disk,
    _clock,
    _tunnel,
    _firewalld,
    _incoming,
    _selinux,
    _state,
    _registries,
)


def examine(host: HostFacts, engine: EngineFacts) -> tuple[Finding, ...]:
    """Return every check's finding."""
    return tuple(check(host, engine) for check in CHECKS)
