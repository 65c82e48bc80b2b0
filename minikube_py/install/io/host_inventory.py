"""Looks at everything that an installation could leave on a host (install.inventory says what it means)."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from minikube_py.install.inventory import Inventory
from minikube_py.install.plan import COMPLETION_FILE, CONFIG_DIR, PREVIOUS, PROGRAM, RUNTIME_DIR, UNIT_DIR
from minikube_py.kit.io.process import ProcessError, run_program

_XTABLES = ("iptables-save", "iptables-legacy-save", "ip6tables-save", "ip6tables-legacy-save")


async def take_inventory(data_dir: Path, pod_logs_dir: Path, images: Sequence[str]) -> Inventory:
    """Return what this host has now; `images` are the names of the engine's images, if it answers."""
    return {
        "links": sorted(_links()),
        "rules": sorted(set(await _rules())),
        "mounts": sorted(set(mount_points())),
        "processes": sorted(set(_processes())),
        "files": sorted(_files(data_dir, pod_logs_dir)),
        "cgroups": sorted(_cgroups()),
        "images": sorted(images),
    }


def mount_points() -> list[str]:
    """Return where something is mounted, as this process sees it."""
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def _links() -> Iterator[str]:
    for link in Path("/sys/class/net").iterdir():
        alias = ""
        with suppress(OSError):  # gone since it was listed, or no link but a control file of bonding
            alias = (link / "ifalias").read_text().strip()
        yield f"{link.name} {alias}".rstrip()


async def _rules() -> list[str]:
    """Return nftables' tables and iptables' chains and rules; of a tool that is missing there are none."""
    lines: list[str] = []
    with suppress(ProcessError):
        lines += (await run_program(["nft", "list", "tables"])).stdout.splitlines()
    for program in _XTABLES:
        with suppress(ProcessError):
            saved = (await run_program([program], output_bytes_max=16 << 20)).stdout.splitlines()
            # `:CHAIN POLICY [packets:bytes]`: only chains of somebody's own, whose policy is `-`.
            lines += [f"{program} {line.partition(' [')[0]}" for line in saved if line[:2] == "-A" or " - [" in line]
    return lines


def _processes() -> Iterator[str]:
    """Yield what runs, by name, with a mark for what is ours; not this command and those that started it."""
    own = set(_ancestors(os.getpid()))
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in own:
            continue
        with suppress(OSError):  # it has ended since it was listed
            name = (entry / "comm").read_text().strip()
            command = (entry / "cmdline").read_bytes()
            is_ours = b"minikube_py" in command or b"minikube-py" in command
            in_pod = "kubepods" in (entry / "cgroup").read_text()
            yield f"{name}{' of minikube-py' if is_ours else ''}{' in kubepods' if in_pod else ''}"


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 0:
        yield pid
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return


def _files(data_dir: Path, pod_logs_dir: Path) -> Iterator[str]:
    for path in (PROGRAM, PREVIOUS, CONFIG_DIR, COMPLETION_FILE, RUNTIME_DIR, str(data_dir), str(pod_logs_dir)):
        if os.path.lexists(path):
            yield path
    yield from map(str, Path(UNIT_DIR).rglob("minikube-py-*"))


def _cgroups() -> Iterator[str]:
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        for name in names:
            if "kubepods" in name or name.startswith("minikube-py"):
                yield f"{folder}/{name}"
