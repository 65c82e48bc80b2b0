"""Where everything of a lab is: names, addresses and paths, all derived from the lab's folder.

Two labs with different folders share nothing, so tests may run beside a lab of a person: names come from a digest
of the folder, and the subnet from a claim (`machine.claim_subnet`), since 256 subnets are too few for a digest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

DEFAULT_DIR = Path("/run/minikube-py-lab")
HOSTS_MAX = 9
SUBNETS = 256


@dataclass(frozen=True, slots=True)
class HostLayout:
    """One host of a lab."""

    name: str
    netns: str
    address: str
    prefix_length: int
    gateway: str
    veth: str
    """The host's link, as the machine's own namespace sees it."""
    dir: Path
    init_pid: int = 0
    """The host's first process (testing.systemd_host), in whose namespaces everything runs; 0: in this machine's."""

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
    bridge: str
    gateway: str
    hosts: tuple[HostLayout, ...]

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


def lay_out(folder: Path, nodes: int, subnet_number: int) -> LabLayout:
    """Return the layout of a lab of `nodes` hosts in `folder`, in the subnet of that number that it has claimed."""
    mark = "" if folder == DEFAULT_DIR else _digest(folder).hex()
    subnet = f"172.31.{subnet_number}"
    hosts = tuple(
        HostLayout(
            name=f"lab{n}",
            netns=f"lab{n}{'-' + mark if mark else ''}",
            address=f"{subnet}.{10 + n}",
            prefix_length=24,
            gateway=f"{subnet}.1",
            veth=f"mkl{mark}n{n}",
            dir=folder / f"lab{n}",
        )
        for n in range(1, nodes + 1)
    )
    return LabLayout(folder, f"mkl{mark or '0'}", f"{subnet}.1", hosts)
