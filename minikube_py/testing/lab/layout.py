"""Where everything of a lab is: names, addresses and paths, all derived from the lab's folder.

Two labs with different folders share nothing, so tests may run beside a lab of a person: names come from a digest
of the folder, and the subnet from a claim (`machine.claim_subnet`), since 256 subnets are too few for a digest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

DEFAULT_DIR = Path("/run/minikube-py-lab")
HOSTS_MAX = 9
SUBNETS = 256


def mac_of(address: str) -> str:
    """Return the MAC of what has an address in a lab."""
    return "02:6c:" + IPv4Address(address).packed.hex(":")


@dataclass(frozen=True, slots=True)
class HostLayout:
    """One host of a lab."""

    name: str
    netns: str
    address: str
    prefix_length: int
    gateway: str
    dir: Path
    init_pid: int = 0
    """The host's systemd (testing.lab.systemd_host), in whose namespaces everything runs; 0: in this machine's."""

    @property
    def mac(self) -> str:
        """Return the MAC of the host's network card: the same after a reboot, so that nobody's ARP entry is stale."""
        return mac_of(self.address)

    @property
    def docker_socket(self) -> Path:
        """Return the socket of this host's Docker engine."""
        return self.dir / "docker.sock"

    @property
    def data_dir(self) -> Path:
        """Return the agent's data folder."""
        return self.dir / "data"

    @property
    def agent_log(self) -> Path:
        """Return the file that holds what the agent wrote."""
        return self.dir / "agent.log"

    @property
    def docker_log(self) -> Path:
        """Return the file that holds what dockerd wrote."""
        return self.dir / "dockerd.log"


@dataclass(frozen=True, slots=True)
class LabLayout:
    """One lab."""

    dir: Path
    netns: str
    """The namespace of what joins the hosts: a bridge, or with `routed` a router."""
    uplink: str
    """This machine's link to it."""
    gateway: str
    """This machine's address on the uplink."""
    subnet: str
    routed: bool
    """Hosts are on links of their own, and reach one another through a router."""
    neighbours: int
    """So many of them, from the first on, share a link all the same; without `routed` all do."""
    hosts: tuple[HostLayout, ...]

    @property
    def shared_link(self) -> tuple[HostLayout, ...]:
        """Return the hosts that share a link."""
        return self.hosts[: self.neighbours]

    @property
    def master(self) -> HostLayout:
        """Return the host that has the master role."""
        return self.hosts[0]

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig."""
        return self.dir / "kubeconfig.yaml"

    def host(self, name: str) -> HostLayout:
        """Return the host of that name.

        Raises:
            LookupError: there is none.
        """
        for host in self.hosts:
            if host.name == name:
                return host
        known = ", ".join(host.name for host in self.hosts)
        raise LookupError(f"the lab has no host {name!r}; it has {known}")


def _digest(folder: Path) -> bytes:
    return blake2b(str(folder).encode(), digest_size=2).digest()


def subnet_candidates(folder: Path) -> Iterator[int]:
    """Yield every subnet number, the one that a lab in `folder` likes best first."""
    first = SUBNETS - 1 if folder == DEFAULT_DIR else _digest(folder)[0]
    return ((first + step) % SUBNETS for step in range(SUBNETS))


def lay_out(folder: Path, nodes: int, subnet_number: int, *, routed: bool = False, neighbours: int = 0) -> LabLayout:
    """Return the layout of a lab of `nodes` hosts in `folder`, in the subnet of that number that it has claimed."""
    neighbours = neighbours if routed else nodes
    mark = "" if folder == DEFAULT_DIR else _digest(folder).hex()
    suffix = f"-{mark}" if mark else ""
    subnet = IPv4Network(f"172.31.{subnet_number}.0/24")
    hosts = []
    for number in range(1, nodes + 1):
        # With a router the machine has the first range of 16 addresses, the first link the next, and so on.
        first_of_link = 1 if number <= neighbours else number
        link = list(subnet.subnets(new_prefix=28))[first_of_link] if routed else subnet
        hosts.append(
            HostLayout(
                name=f"lab{number}",
                netns=f"lab{number}{suffix}",
                address=str(link[2 + number - first_of_link] if routed else subnet[10 + number]),
                prefix_length=link.prefixlen,
                gateway=str(link[1]),
                dir=folder / f"lab{number}",
            )
        )
    return LabLayout(
        folder,
        netns=f"lab-net{suffix}",
        uplink=f"mkl{mark or '0'}",
        gateway=str(subnet[1]),
        subnet=str(subnet),
        routed=routed,
        neighbours=neighbours,
        hosts=tuple(hosts),
    )
