"""What a lab's host has of pods: containers, processes, links, mounts, cgroups, folders; and what should not be.

The API's pods say what should be there; the engine, the kernel and the disk say what is. Every difference is one
line of text, so that a chaos run ends with a list of what leaked and not with the first of it.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from minikube_py.config import cgroup_root_of
from minikube_py.testing.lab.cluster import Cluster

Obj = dict[str, Any]

POD_UID = "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
SANDBOX = "POD"
_LISTS = ("initContainerStatuses", "containerStatuses")


def find_faults(cluster: Cluster, pods: Sequence[Obj]) -> list[str]:
    """Return what differs between the API's pods and the host, one line each; empty when nothing does."""
    containers = inspect_all(cluster)
    over = ("Succeeded", "Failed")
    living = {p["metadata"]["uid"]: p for p in pods if p.get("status", {}).get("phase") not in over}
    known = {p["metadata"]["uid"] for p in pods}
    return [
        *container_faults(pods, living, containers),
        *status_faults(pods, containers),
        *_network_faults(cluster, living, containers),
        *_folder_faults(cluster, living, known),
        *_process_faults(cluster, containers),
    ]


def inspect_all(cluster: Cluster) -> list[Obj]:
    """Return the engine's full records of every container that is a pod's, dead ones too."""
    found: list[Obj] = []
    for identity in cluster.docker("ps", "-aq", "--no-trunc", f"--filter=label={POD_UID}").split():
        with suppress(ValueError, IndexError):  # removed since it was listed
            found.append(json.loads(cluster.docker("inspect", identity, check=False))[0])
    return found


def label(container: Obj, key: str) -> str:
    """Return a container's label, empty when it has none of that name."""
    return str((container["Config"].get("Labels") or {}).get(key, ""))


def container_faults(pods: Sequence[Obj], living: Mapping[str, Obj], containers: Sequence[Obj]) -> Iterator[str]:
    """Yield what runs and should not, and what should and does not; `living` are the pods that are not over."""
    known = {p["metadata"]["uid"]: p["metadata"]["name"] for p in pods}
    running: dict[tuple[str, str], list[str]] = {}
    dead: dict[tuple[str, str], int] = {}
    for container in containers:
        uid, name = label(container, POD_UID), label(container, CONTAINER_NAME)
        if uid not in known:
            yield f"container {container['Name']} is of a pod that is gone ({container['State']['Status']})"
        elif container["State"]["Running"]:
            running.setdefault((uid, name), []).append(container["Id"][:12])
        else:
            dead[uid, name] = dead.get((uid, name), 0) + 1
    for uid, pod in living.items():
        for name in (SANDBOX, *(c["name"] for c in pod["spec"]["containers"])):
            state = _state_of(pod, name)
            if name != SANDBOX and "running" not in state:
                continue
            found = running.get((uid, name), [])
            if len(found) != 1:
                yield f"pod {known[uid]} has {len(found)} running containers {name}: {found}"
    for (uid, name), ids in running.items():
        if uid not in living:
            yield f"pod {known[uid]} is over, and still runs {name}: {ids}"


def _state_of(pod: Obj, name: str) -> Obj:
    for key in _LISTS:
        for entry in pod.get("status", {}).get(key) or ():
            if entry["name"] == name:
                state: Obj = entry["state"]
                return state
    return {}


def status_faults(pods: Sequence[Obj], containers: Sequence[Obj]) -> Iterator[str]:
    """Yield what statuses say of containers and is not so."""
    by_id = {c["Id"]: c for c in containers}
    for pod in pods:
        name = pod["metadata"]["name"]
        for entry in (e for key in _LISTS for e in pod.get("status", {}).get(key) or ()):
            what = f"status of {name}/{entry['name']}"
            container = by_id.get(entry.get("containerID", "").removeprefix("docker://"))
            if "running" in entry["state"]:
                if container is None or not container["State"]["Running"]:
                    yield f"{what} says running, {entry.get('containerID')} does not run"
                elif int(container["Name"].split("_")[5]) != entry["restartCount"]:
                    yield f"{what} says {entry['restartCount']} restarts, the container is {container['Name']}"
            elif "terminated" in entry["state"] and container is not None:
                said, is_so = entry["state"]["terminated"]["exitCode"], container["State"]["ExitCode"]
                if container["State"]["Running"] or said != is_so:
                    yield f"{what} says exit code {said}, the engine {is_so} ({container['State']['Status']})"


def _network_faults(cluster: Cluster, living: Mapping[str, Obj], containers: Sequence[Obj]) -> Iterator[str]:
    links = json.loads(cluster.in_host("ip", "-j", "-d", "link", "show", "type", "veth").stdout or "[]")
    aliases = [str(link.get("ifalias", "")) for link in links if link.get("master")]
    wanted = sorted(f"minikube-py pod {uid} {pod['status'].get('podIP')}" for uid, pod in living.items())
    for alias in sorted(set(aliases) - set(wanted)):
        yield f"link with the alias {alias!r} is no living pod's"
    for alias in sorted(set(wanted) - set(aliases)):
        yield f"no link has the alias {alias!r}"
    host = os.readlink(f"/proc/{cluster.lab.pids[f'{cluster.host.name}/agent']}/ns/net")
    for container in containers:
        pid = container["State"]["Pid"]
        if pid and os.readlink(f"/proc/{pid}/ns/net") == host:
            yield f"container {container['Name']} is in the host's network"


def _folder_faults(cluster: Cluster, living: Mapping[str, Obj], known: set[str]) -> Iterator[str]:
    folder = cluster.host.data_dir / "agent" / "pods"
    for path in sorted(folder.iterdir()) if folder.exists() else ():
        if path.name not in living:
            yield f"folder {path} is {'a finished' if path.name in known else 'no'} pod's"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount = line.split()[4]
        if mount.startswith(f"{folder}/") and mount.removeprefix(f"{folder}/").split("/")[0] not in living:
            yield f"mount {mount} is no living pod's"
    for place in Path("/sys/fs/cgroup").glob(f"*{cgroup_root_of(cluster.host.data_dir)}"):
        for path in sorted(p for p in place.rglob("pod*") if p.is_dir()):
            if path.name.removeprefix("pod") not in living:
                yield f"cgroup {path} is no living pod's"


def _process_faults(cluster: Cluster, containers: Sequence[Obj]) -> Iterator[str]:
    running = {c["Id"] for c in containers if c["State"]["Running"]}
    parents = {cluster.lab.pids[f"{cluster.host.name}/{part}"] for part in ("agent", "dockerd")}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):  # it has ended since it was listed
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            if stat[0] == "Z" and int(stat[1]) in parents:
                yield f"process {entry.name} is a zombie of {stat[1]}"
            words = (entry / "cmdline").read_text().split("\0")
            if words[0].endswith("containerd-shim-runc-v2") and str(cluster.host.dir) in " ".join(words):
                identity = words[words.index("-id") + 1] if "-id" in words else ""
                # The engine forgets the shim of a start that its own end broke off: a process in it would be a leak.
                left = (entry / "task" / entry.name / "children").read_text().split()
                if identity and identity not in running and left:
                    yield f"shim {entry.name} of the container {identity[:12]}, which does not run, has {left}"
