"""A host whose first process is systemd, in namespaces of its own, from this machine's /usr: boots in a second.

Its /usr is this machine's, read-only; /etc, /run and /var are its own, in memory. Its cgroups stand below one of this
machine's in every hierarchy that is mounted here.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from minikube_py.kubelet.io.cgroup_mounts import hierarchies
from minikube_py.kubelet.io.mounts import read_mounts

SYSTEMD = Path("/usr/lib/systemd/systemd")
BOOT_S = 30.0
_BOOT = r"""
set -e
mount -t tmpfs root "$ROOT"; cd "$ROOT"
mkdir -p usr proc sys dev run tmp etc/systemd/system var/lib var/log root old
for d in bin sbin lib lib64; do ln -s usr/$d $d; done
mount --rbind /usr usr; mount -o remount,bind,ro usr
mount -t proc proc proc; mount --rbind /dev dev; mount -t tmpfs run run; mount -t tmpfs tmp tmp
mount -t sysfs sysfs sys; mount -t tmpfs cgroup sys/fs/cgroup
for pair in $HIERARCHIES; do
  place=sys/fs/cgroup/${pair%%=*}; mkdir $place; mount -t cgroup -o ${pair#*=} cgroup $place
done
printf 'root:x:0:0::/root:/bin/sh\nmessagebus:x:100:100::/:/bin/false\n' > etc/passwd
printf 'root:x:0:\nmessagebus:x:100:\nnogroup:x:65534:\n' > etc/group
cp -a /etc/alternatives etc/; cp -L /etc/resolv.conf /etc/hosts etc/
: > etc/machine-id
ln -s /usr/lib/systemd/system/multi-user.target etc/systemd/system/default.target
for unit in systemd-logind.service getty.target remote-fs.target cron.service; do
  ln -s /dev/null etc/systemd/system/$unit
done
for path in $SHARED; do
  mkdir -p ".$path"; mount --rbind "$path" ".$path"
done
pivot_root . old; umount -l old; cd /
container=minikube-py exec /usr/lib/systemd/systemd --system --log-target=console --show-status=0
"""


@dataclass(frozen=True, slots=True)
class SystemdHost:
    """A booted host."""

    pid: int
    """Its systemd, seen from here."""
    cgroup: str
    """The name of its cgroup in each hierarchy."""

    @property
    def root(self) -> Path:
        """Return its file system, seen from here."""
        return Path(f"/proc/{self.pid}/root")

    @property
    def bus(self) -> str:
        """Return the socket of its system bus."""
        return f"{self.root}/run/dbus/system_bus_socket"

    @property
    def places(self) -> Mapping[str, str]:
        """Return where the root of its cgroups stands for each controller."""
        return {controller: f"{place}/{self.cgroup}" for controller, place in _places().items()}

    def inside(self, *argv: str) -> list[str]:
        """Return the command that runs `argv` there."""
        return ["nsenter", f"--target={self.pid}", "--all", "--", *argv]

    def run(self, *argv: str) -> str:
        """Run a program there and return its output."""
        done = subprocess.run(self.inside(*argv), capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.strip()


def _places() -> Mapping[str, str]:
    found = {c: place for c, place in hierarchies(read_mounts(), 1).items() if os.path.isdir(place)}
    return {c: place for c, place in found.items() if c.startswith("name=") or os.path.basename(place) == c}


@contextmanager
def systemd_host(folder: Path, shared: Sequence[Path] = ()) -> Iterator[SystemdHost]:
    """Boot a host while the context lasts; nothing of it is left afterwards.

    `shared` are folders of this machine that it sees at the same paths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"systemd-host-{os.getpid()}"
    cgroups = [Path(place) / name for place in (*_places().values(), *hierarchies(read_mounts(), 2).values())]
    for cgroup in cgroups:
        cgroup.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (cgroup / file).exists():
                (cgroup / file).write_text((cgroup.parent / file).read_text())
    mounted = " ".join(f"{os.path.basename(place)}={_option(c)}" for c, place in sorted(_places().items()))
    join = "\n".join(f"echo $$ > {cgroup}/cgroup.procs" for cgroup in cgroups)
    namespaces = "--mount --pid --fork --cgroup --uts --ipc --net --propagation private"
    script = f'{join}\nexec unshare {namespaces} sh -c "$BOOT"'
    environment = {**os.environ, "ROOT": str(folder), "HIERARCHIES": mounted, "BOOT": _BOOT}
    environment["SHARED"] = " ".join(map(str, shared))
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        argv = ["sh", "-c", script]
        with subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as outside:
            try:
                host = SystemdHost(_first_process(outside), name)
                _wait_running(host)
                yield host
            finally:
                for pid in _children(outside.pid):
                    os.kill(pid, signal.SIGKILL)
                outside.wait(30)
                for cgroup in cgroups:
                    _remove(cgroup)


def _option(controller: str) -> str:
    return f"none,{controller}" if controller.startswith("name=") else controller


def _children(pid: int) -> list[int]:
    with suppress(FileNotFoundError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _first_process(outside: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + BOOT_S
    while time.monotonic() < deadline and outside.poll() is None:
        for pid in _children(outside.pid):
            with suppress(OSError):
                if os.path.realpath(f"/proc/{pid}/exe").endswith("systemd/systemd"):
                    return pid
        time.sleep(0.02)
    raise RuntimeError("systemd did not start: see the log beside its folder")


def _wait_running(host: SystemdHost) -> None:
    deadline = time.monotonic() + BOOT_S
    while (state := host.run("systemctl", "is-system-running")) not in ("running", "degraded"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"systemd is not up after {BOOT_S:g} s: {state}")
        time.sleep(0.05)


def _remove(cgroup: Path) -> None:
    for folder, _, _ in os.walk(cgroup, topdown=False):
        with suppress(OSError):
            os.rmdir(folder)
