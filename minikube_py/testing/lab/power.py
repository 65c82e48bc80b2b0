"""A host loses its power: every process of it ends at once, and what a reboot clears is gone.

Nothing is stopped in order, so the engine finds its containers as a crash leaves them. A host's processes are those
in its network namespace, the shims of its engine, and whatever descends from either (containers have namespaces of
their own, but a shim for a parent). Each is ended by its process id.
"""

import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from minikube_py.config import cgroup_root_of
from minikube_py.testing.lab.layout import HostLayout
from minikube_py.testing.lab.machine import LabError, is_running, remove_cgroups, unmount_below

END_TIMEOUT_S = 20.0
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One process, as /proc shows it."""

    pid: int
    parent: int
    netns: str
    words: tuple[str, ...]


def belonging(processes: Sequence[Process], netns: str, folder: Path) -> frozenset[int]:
    """Return the ids of a host's processes: in its network, of its engine's folder, or descended of such."""
    children: dict[int, list[int]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process.pid)
    engine = str(folder / "exec")
    waiting = [
        process.pid
        for process in processes
        if (netns and process.netns == netns) or any(engine in word for word in process.words)
    ]
    found: set[int] = set()
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, ())
    return frozenset(found)


def cut_power(host: HostLayout) -> None:
    """End every process of the host, unmount what it had mounted, and remove what a reboot clears.

    Raises:
        LabError: a process does not end.
    """
    deadline = time.monotonic() + END_TIMEOUT_S
    while pids := _living(host):
        if time.monotonic() > deadline:
            raise LabError(f"processes {sorted(pids)} of {host.name} do not end")
        for pid in sorted(pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    unmount_below(host.dir)
    shutil.rmtree(host.dir / "exec", ignore_errors=True)
    for path in (host.docker_socket, host.dir / "docker.pid"):
        path.unlink(missing_ok=True)
    remove_cgroups(cgroup_root_of(host.data_dir))


def _living(host: HostLayout) -> frozenset[int]:
    place = Path("/run/netns", host.netns)
    netns = f"net:[{place.stat().st_ino}]" if place.exists() else ""
    return frozenset(pid for pid in belonging(tuple(_read_processes()), netns, host.dir) if is_running(pid))


def _read_processes() -> Iterator[Process]:
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):  # it has ended since it was listed
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = tuple((entry / "cmdline").read_text(errors="replace").split("\0"))
            yield Process(int(entry.name), parent, os.readlink(entry / "ns" / "net"), words)
