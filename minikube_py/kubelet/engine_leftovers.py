"""What an engine that was killed leaves on its host and knows no more, and which of it belongs to nobody.

A start that the engine's end breaks off leaves a process which waits for ever to be let go, in the cgroup that was
made for it, and the shim above it, which outlives the process. The container's record may say `created`; once that
is removed nothing but the kernel knows of them. The shim's bundle names the cgroup, and so whose container it was.

Upstream: the kubelet's cleanupOrphanedPodCgroups, of pods' cgroups alone; shims stay until the host is restarted.
"""

import itertools
import json
from collections.abc import Set
from dataclasses import dataclass

from minikube_py.kubelet.cgroup_names import cgroup_path

_SHIM = "containerd-shim"
_NAMESPACE = "moby"
"""Docker's containers among those of containerd."""
_ID_LENGTH = 64
_SCOPE_PREFIX, _SCOPE_SUFFIX = "docker-", ".scope"


@dataclass(frozen=True, slots=True)
class ContainerCgroup:
    """A cgroup that was made for one container."""

    container_id: str
    path: str
    """Below the roots of the hierarchies."""

    @property
    def pod_uid(self) -> str:
        """Return whose container it is."""
        return pod_uid_of(self.path.split("/")[-2])


@dataclass(frozen=True, slots=True)
class Shim:
    """A process that the engine starts beside each container."""

    pid: int
    container_id: str


@dataclass(frozen=True, slots=True)
class HostTraces:
    """What the kernel shows of this node's containers."""

    pod_uids: frozenset[str] = frozenset()
    """Whose cgroups there are."""
    cgroups: tuple[ContainerCgroup, ...] = ()
    shims: tuple[Shim, ...] = ()

    @property
    def container_ids(self) -> frozenset[str]:
        """Return the containers that something is seen of."""
        return frozenset((*(c.container_id for c in self.cgroups), *(s.container_id for s in self.shims)))

    def only(self, pod_uids: Set[str], container_ids: Set[str]) -> "HostTraces":
        """Return what is left of these pods and containers."""
        return HostTraces(
            self.pod_uids & pod_uids,
            tuple(cgroup for cgroup in self.cgroups if cgroup.container_id in container_ids),
            tuple(shim for shim in self.shims if shim.container_id in container_ids),
        )


def pod_uid_of(name: str) -> str:
    """Return the uid of the pod that a cgroup of this name holds; empty when it is no pod's.

    cgroupfs: `podUID`; systemd: `kubepods-burstable-podUID.slice`, where `_` stands for `-`.
    """
    if name.endswith(".slice"):
        return name.removesuffix(".slice").rpartition("-pod")[2].replace("_", "-") if "-pod" in name else ""
    return name.removeprefix("pod") if name.startswith("pod") else ""


def container_id_of(name: str) -> str:
    """Return the id of the container that a cgroup of this name was made for; empty when it is no container's."""
    identity = name.removeprefix(_SCOPE_PREFIX).removesuffix(_SCOPE_SUFFIX)
    return identity if len(identity) == _ID_LENGTH and set(identity) <= set("0123456789abcdef") else ""


def shim_container(command: str) -> str:
    """Return the id of the container that a process is Docker's shim of; empty when it is no such shim.

    Args:
        command: its command line, words parted by NUL.
    """
    words = command.split("\0")
    if not words[0].rpartition("/")[2].startswith(_SHIM):
        return ""
    flags = dict(itertools.pairwise(words))
    return flags.get("-id", "") if flags.get("-namespace") == _NAMESPACE else ""


def bundle_cgroup(config: str) -> str:
    """Return the cgroup that a bundle's configuration (OCI's config.json) names, below the hierarchies' roots.

    With the systemd driver it is written `SLICE:docker:ID`. Empty when it names none.
    """
    try:
        named = str(json.loads(config)["linux"]["cgroupsPath"])
    except (ValueError, KeyError, TypeError):
        return ""
    slice_name, parts, rest = named.partition(":")
    return f"{cgroup_path(slice_name)}/{rest.replace(':', '-')}{_SCOPE_SUFFIX}" if parts else named
