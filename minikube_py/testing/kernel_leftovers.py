"""What the kernel and the disk of a lab's host have of pods that they should not have.

Each function yields one line for each fault; testing.host_leftovers puts them together.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minikube_py.config import cgroup_root_of
from minikube_py.testing.lab.cluster import Cluster

Obj = dict[str, Any]

_CONTAINER_ID_LENGTH = 64


@dataclass(frozen=True, slots=True)
class HostScene:
    """A lab's host and what should be on it."""

    cluster: Cluster
    living: Mapping[str, Obj]
    """By uid: the pods that are not over."""
    known: frozenset[str]
    """Uids of all pods that the API has."""
    containers: tuple[Obj, ...]
    """What the engine has of pods, as inspected."""

    @property
    def running(self) -> frozenset[str]:
        """Return the ids of the containers that run, as the engine says."""
        return frozenset(c["Id"] for c in self.containers if c["State"]["Running"])

    @property
    def agent_dir(self) -> Path:
        """Return the kubelet's own folder."""
        return self.cluster.host.data_dir / "agent"


def network_faults(scene: HostScene) -> Iterator[str]:
    """Yield links of no pod, pods without link or with another address, and pods in the host's network by mistake."""
    living = {uid: pod for uid, pod in scene.living.items() if not pod["spec"].get("hostNetwork")}
    links = json.loads(scene.cluster.in_host("ip", "-j", "-d", "link", "show", "type", "veth").stdout or "[]")
    aliases = [str(link.get("ifalias", "")) for link in links if link["ifname"] != "eth0"]
    wanted = sorted(f"minikube-py pod {uid} {pod['status'].get('podIP')}" for uid, pod in living.items())
    for alias in sorted(set(aliases) - set(wanted)):
        yield f"link with the alias {alias!r} is no living pod's"
    for alias in sorted(set(wanted) - set(aliases)):
        yield f"no link has the alias {alias!r}"
    host = os.readlink(f"/proc/{scene.cluster.lab.pids[f'{scene.cluster.host.name}/agent']}/ns/net")
    for container in scene.containers:
        uid, pid = container["Config"]["Labels"]["io.kubernetes.pod.uid"], container["State"]["Pid"]
        if pid and uid in living:
            with suppress(FileNotFoundError):  # it has ended since it was inspected
                if os.readlink(f"/proc/{pid}/ns/net") == host:
                    yield f"container {container['Name']} is in the host's network"
                yield from _address_faults(scene.cluster, container, living[uid]["status"].get("podIP"))


def _address_faults(cluster: Cluster, container: Obj, pod_ip: str) -> Iterator[str]:
    argv = ["nsenter", f"--net=/proc/{container['State']['Pid']}/ns/net", "ip", "-j", "-4", "addr", "show", "eth0"]
    links = json.loads(cluster.in_host(*argv, check=False).stdout or "[]")
    addresses = [info["local"] for link in links for info in link.get("addr_info", ())]
    if addresses != [pod_ip]:
        yield f"container {container['Name']} has the addresses {addresses}, its pod's status says {pod_ip}"


def folder_faults(scene: HostScene) -> Iterator[str]:
    """Yield pods' folders and logs whose pod is gone."""
    for path in _children(scene.agent_dir / "pods"):
        if path.name not in scene.living:
            yield f"folder {path} is {'a finished' if path.name in scene.known else 'no'} pod's"
    for path in _children(scene.cluster.host.data_dir / "log" / "pods"):
        if path.name.rpartition("_")[2] not in scene.known:
            yield f"log folder {path} is no pod's"


def mount_faults(scene: HostScene) -> Iterator[str]:
    """Yield mounts of volumes whose pod is gone, and the engine's mounts of containers that do not run."""
    pods, engine = f"{scene.agent_dir / 'pods'}/", f"{scene.cluster.host.dir / 'docker'}/"
    layers = {(c["GraphDriver"]["Data"] or {}).get("MergedDir") for c in scene.containers if c["State"]["Running"]}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount = line.split()[4]
        if mount.startswith(pods) and mount.removeprefix(pods).split("/")[0] not in scene.living:
            yield f"mount {mount} is no living pod's"
        parts = mount.removeprefix(engine).split("/") if mount.startswith(engine) else [""]
        if parts[0] == "overlay2" and mount not in layers:
            yield f"mount {mount} is the layer of no running container"
        if parts[0] == "containers" and parts[1] not in scene.running:
            yield f"mount {mount} is of a container that does not run"


def cgroup_faults(scene: HostScene) -> Iterator[str]:
    """Yield cgroups of pods that are gone, and of containers that do not run."""
    for place in Path("/sys/fs/cgroup").glob(f"*{cgroup_root_of(scene.cluster.host.data_dir)}"):
        for path in sorted(p for p in place.rglob("*") if p.is_dir()):
            if path.name.startswith("pod") and path.name.removeprefix("pod") not in scene.living:
                yield f"cgroup {path} is no living pod's"
            elif len(path.name) == _CONTAINER_ID_LENGTH and path.name not in scene.running:
                with suppress(OSError):  # it has gone since it was listed
                    left = (path / "cgroup.procs").read_text().split()
                    yield f"cgroup {path} is of a container that does not run, and has the processes {left}"


def process_faults(scene: HostScene) -> Iterator[str]:
    """Yield zombies of the agent and the engine, and shims of containers that do not run."""
    cluster = scene.cluster
    parents = {cluster.lab.pids[f"{cluster.host.name}/{part}"] for part in ("agent", "dockerd")}
    commands = {int(p.name): p for p in Path("/proc").iterdir() if p.name.isdigit()}
    for pid, entry in sorted(commands.items()):
        with suppress(OSError):  # it has ended since it was listed
            words = (entry / "cmdline").read_text(errors="replace").split("\0")
            if not words[0].endswith("containerd-shim-runc-v2") or not _mentions(words, cluster.host.dir):
                continue
            parents.add(pid)
            identity = words[words.index("-id") + 1]
            if identity not in scene.running:
                left = (entry / "task" / entry.name / "children").read_text().split()
                yield f"shim {pid} of the container {identity[:12]}, which does not run, has the processes {left}"
    for pid, entry in sorted(commands.items()):
        with suppress(OSError):
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            if stat[0] == "Z" and int(stat[1]) in parents:
                yield f"process {pid} is a zombie of {stat[1]}"


def _mentions(words: list[str], folder: Path) -> bool:
    return any(word.startswith(f"{folder}/") for word in words)


def volume_faults(scene: HostScene) -> Iterator[str]:
    """Yield claims' volumes that nobody has any more, in the API and on the disk."""
    items = scene.cluster.get("persistentvolumes")["items"]
    claims = {c["metadata"]["uid"] for c in scene.cluster.get("persistentvolumeclaims", "-A")["items"]}
    paths: set[str] = set()
    for volume in items:
        source = volume["spec"].get("hostPath") or volume["spec"].get("local") or {}
        paths.add(str(source.get("path", "")))
        if volume["spec"]["claimRef"]["uid"] not in claims:
            yield f"volume {volume['metadata']['name']} is of a claim that is gone ({volume['status'].get('phase')})"
    for path in _children(scene.agent_dir / "storage"):
        if str(path) not in paths:
            yield f"folder {path} is no volume's"


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []
