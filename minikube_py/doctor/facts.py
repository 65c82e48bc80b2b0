"""What doctor looks at: one value with everything seen on the host, so that the verdicts are a pure function."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What the Docker engine said of itself; `error` when it did not answer, or is not one to work with."""

    address: str
    error: str = ""
    remedy: str = ""
    """What helps against `error`; empty: start the engine."""
    version: str = ""
    api_version: str = ""
    storage_driver: str = ""
    cgroup_version: int = 0
    user_namespaces: bool = False
    """userns-remap, or rootless: pause containers cannot make a network of their own, the engine does it."""
    can_lower_oom_scores: bool = True
    """False: containers of system components get score 0 instead of a negative one (no CAP_SYS_RESOURCE)."""


@dataclass(frozen=True, slots=True)
class PortFacts:
    """One port that the agent listens on."""

    number: int
    purpose: str
    taken: bool


@dataclass(frozen=True, slots=True)
class TunnelFacts:
    """What a tunnel to nodes behind a router needs of this host."""

    mode: str = "auto"
    """--pod-network."""
    port: int = 8472
    """Its UDP port."""
    port_taken: bool = False
    in_kernel: bool = True
    """The kernel has VXLAN, or can load it."""


@dataclass(frozen=True, slots=True)
class StateFacts:
    """What the walk over log, snapshots and memory found (`minikube-py snapshot verify`)."""

    seen: str = "nothing yet"
    """What was looked at."""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostFacts:
    """Everything else."""

    is_root: bool
    python: tuple[int, int]
    kernel: str
    nft_fault: str
    """Why nft could not check our kind of rules; empty when it could."""
    has_iptables: bool
    iptables_needed: bool
    """Another program's filter rules drop forwarded packets: ours must be let through with iptables."""
    cgroup_controllers: frozenset[str]
    can_forward: bool
    """net.ipv4.ip_forward is 1, or may be set to it."""
    ports: tuple[PortFacts, ...]
    agent_runs: bool
    """An agent of this data folder runs: the ports are its own."""
    data_dir: str
    disk_free_bytes: int
    data_dir_fault: str
    """Why the data folder cannot be written; empty when it can."""
    wall_s: float
    newest_data_s: float
    """When the newest file of the store was written (seconds since the epoch); 0 when there is none."""
    firewalld_runs: bool
    incoming_dropped: bool
    """A filter rule drops or rejects what comes in and nobody has allowed."""
    selinux_enforces: bool
    tunnel: TunnelFacts = TunnelFacts()
    state: StateFacts = StateFacts()
    registries_path: str = ""
    registries_fault: str = ""
    """Why the file with mirrors and credentials cannot be used; empty when it can, or when there is none."""
    registries_ignored: tuple[str, ...] = ()
    """What it asks for and this engine will not do, with the way to mend it."""
