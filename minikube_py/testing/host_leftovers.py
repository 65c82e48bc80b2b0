"""What a lab's host has of pods: what should not be there, what should be and is not, and statuses that are not true.

The API's pods say what should be there; the engine, the kernel and the disk say what is. Every difference is one
line of text, so that a chaos run ends with a list of what leaked and not with the first of it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from minikube_py.testing.kernel_leftovers import (
    HostScene,
    cgroup_faults,
    folder_faults,
    mount_faults,
    network_faults,
    process_faults,
    volume_faults,
)
from minikube_py.testing.lab.cluster import Cluster
from minikube_py.testing.service_answers import endpoint_faults, port_faults

Obj = dict[str, Any]

POD_UID = "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
SANDBOX = "POD"
_LISTS = ("initContainerStatuses", "containerStatuses")
_OVER = ("Succeeded", "Failed")


def find_faults(cluster: Cluster, pods: Sequence[Obj]) -> list[str]:
    """Return what differs between the API's pods and the host, one line each; empty when nothing does."""
    containers = inspect_all(cluster)
    living = {p["metadata"]["uid"]: p for p in pods if p.get("status", {}).get("phase") not in _OVER}
    scene = HostScene(cluster, living, frozenset(p["metadata"]["uid"] for p in pods), tuple(containers))
    return [
        *container_faults(pods, living, containers),
        *status_faults(pods, containers),
        *network_faults(scene),
        *folder_faults(scene),
        *mount_faults(scene),
        *cgroup_faults(scene),
        *process_faults(scene),
        *volume_faults(scene),
        *endpoint_faults(cluster, pods),
        *port_faults(cluster, living.values()),
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
    known = {p["metadata"]["uid"]: p for p in pods}
    running: dict[tuple[str, str], list[str]] = {}
    for container in containers:
        uid, name = label(container, POD_UID), label(container, CONTAINER_NAME)
        if uid not in known:
            yield f"container {container['Name']} is of a pod that is gone ({container['State']['Status']})"
        elif container["State"]["Running"]:
            running.setdefault((uid, name), []).append(str(container["Id"]))
    for uid, pod in living.items():
        if len(running.get((uid, SANDBOX), ())) != 1:
            found = running.get((uid, SANDBOX), [])
            yield f"pod {pod['metadata']['name']} has {len(found)} running containers {SANDBOX}: {found}"
    for (uid, name), ids in running.items():
        pod = known[uid]
        if uid not in living:
            yield f"pod {pod['metadata']['name']} is over, and still runs {name}: {ids}"
        elif name != SANDBOX:
            entry = _entry_of(pod, name)
            if "running" not in entry.get("state", {}) or [entry["containerID"].removeprefix("docker://")] != ids:
                yield f"pod {pod['metadata']['name']} runs {name} as {ids}, its status says {entry}"


def _entry_of(pod: Obj, name: str) -> Obj:
    entries: Iterator[Obj] = (e for key in _LISTS for e in pod.get("status", {}).get(key) or ())
    return next((entry for entry in entries if entry["name"] == name), {})


def status_faults(pods: Sequence[Obj], containers: Sequence[Obj]) -> Iterator[str]:
    """Yield what statuses say of containers and is not so."""
    by_id = {c["Id"]: c for c in containers}
    for pod in pods:
        for entry in (e for key in _LISTS for e in pod.get("status", {}).get(key) or ()):
            what = f"status of {pod['metadata']['name']}/{entry['name']}"
            container = by_id.get(entry.get("containerID", "").removeprefix("docker://"))
            if "running" in entry["state"]:
                yield from _running_faults(what, entry, container)
            elif "terminated" in entry["state"] and container is not None:
                said, is_so = entry["state"]["terminated"]["exitCode"], container["State"]["ExitCode"]
                if container["State"]["Running"] or said != is_so:
                    yield f"{what} says exit code {said}, the engine {is_so} ({container['State']['Status']})"


def _running_faults(what: str, entry: Obj, container: Obj | None) -> Iterator[str]:
    if container is None or not container["State"]["Running"]:
        yield f"{what} says running, {entry.get('containerID')} does not run"
        return
    if int(container["Name"].split("_")[5]) != entry["restartCount"]:
        yield f"{what} says {entry['restartCount']} restarts, the container is {container['Name']}"
    said, is_so = entry["state"]["running"]["startedAt"], container["State"]["StartedAt"]
    if datetime.fromisoformat(said) != datetime.fromisoformat(f"{is_so[:19]}Z"):
        yield f"{what} says started at {said}, the engine {is_so}"
