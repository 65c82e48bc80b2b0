"""A lab's host whose init is systemd: what `install`, `upgrade` and `uninstall` are shown on.

Everything that makes a host is its own: processes, mounts, name, network (the lab's) and cgroups. Its disk is this
machine's, with a layer on top that takes every write, so that the layer is the list of what anybody left. Docker's
data lies on the real disk, since one overlay cannot lie on another.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import minikube_py
from minikube_py.kubelet.io.cgroup_mounts import hierarchies
from minikube_py.kubelet.io.mounts import read_mounts
from minikube_py.testing.lab import machine, network
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.lab.layout import HostLayout
from minikube_py.testing.lab.machine import LabError

BOOT_TIMEOUT_S = 60.0
SHARED = "/mnt/shared"
"""Where a host sees a folder that it shares with this machine."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
IN_MEMORY = ("/run", "/tmp", "/var/log")  # noqa: S108 - where mounts go, not files
"""Folders that a host has of its own, empty."""
_MASKED = (
    # They would change this machine's kernel, devices or the lab's link, which are not theirs alone.
    *("systemd-sysctl.service", "systemd-modules-load.service", "systemd-binfmt.service", "systemd-udevd.service"),
    *("systemd-udev-trigger.service", "systemd-udevd-kernel.socket", "systemd-udevd-control.socket"),
    *("systemd-remount-fs.service", "systemd-tmpfiles-setup-dev.service", "systemd-timesyncd.service"),
    *(
        "proc-sys-fs-binfmt_misc.automount",
        "dev-hugepages.mount",
        "sys-kernel-debug.mount",
        "sys-kernel-tracing.mount",
    ),
    *("sys-fs-fuse-connections.mount", "sys-kernel-config.mount", "apparmor.service", "networking.service"),
)
_BOOT = r"""
set -eu
place=$1; name=$2; host_name=$3; masked=$4; shared=$5; own=$6
for folder in /sys/fs/cgroup/*/; do
    [ -e "$folder/cgroup.procs" ] || continue
    mkdir -p "$folder/$name"
    for part in cpuset.cpus cpuset.mems; do
        [ ! -e "$folder/$part" ] || cat "$folder/$part" > "$folder/$name/$part"
    done
    echo $$ > "$folder/$name/cgroup.procs"
done
mount -t tmpfs -o mode=755 layer "$place/layer"
mkdir "$place/layer/up" "$place/layer/work"
exec unshare --mount --pid --fork --uts --ipc --cgroup --propagation private /bin/sh -eu -c '
    place=$1; root=$place/root; masked=$3; shared=$4; own=$5
    hostname "$2"
    mount -t overlay -o "lowerdir=/,upperdir=$place/layer/up,workdir=$place/layer/work" root "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t tmpfs -o mode=755 cgroups "$root/sys/fs/cgroup"
    grep -E "^[^ ]+ [^ ]+ cgroup2? " /proc/mounts | while read -r _ at kind options _; do
        case $at in "$place"/*) continue ;; esac
        [ -d "$root$at" ] || mkdir -p "$root$at" 2>/dev/null || continue
        options=$(printf %s "$options" | sed "s/^rw,//; s/relatime,*//; s/nosuid,//; s/nodev,//; s/noexec,//")
        mount -t "$kind" ${options:+-o "$options"} "$kind" "$root$at"
    done
    mount -t tmpfs -o mode=755 dev "$root/dev"
    mkdir "$root/dev/pts" "$root/dev/shm"
    for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 kmsg:1:11; do
        node=${device%%:*}; numbers=${device#*:}
        mknod -m 666 "$root/dev/$node" c "${numbers%:*}" "${numbers#*:}"
    done
    mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    mount -t tmpfs shm "$root/dev/shm"
    for folder in $own; do mount -t tmpfs own "$root$folder"; done
    mkdir -p "$root/var/lib/docker" "$root/mnt/shared"
    mount --bind "$place/docker" "$root/var/lib/docker"
    mount --bind "$place/shared" "$root/mnt/shared"
    hostname > "$root/etc/hostname"
    mkdir -p "$root/etc/systemd/system"
    for folder in $shared; do
        mkdir -p "$root$folder"
        mount --bind "$folder" "$root$folder"
    done
    for unit in $masked; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
    cd "$root"
    mkdir -p mnt/earlier
    pivot_root . mnt/earlier
    umount -l /mnt/earlier
    rmdir /mnt/earlier
    mount --make-rshared /
    exec env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --system --unit=basic.target --show-status=no --log-target=journal
' sh "$place" "$host_name" "$masked" "$shared" "$own"
"""


class SystemdHost:
    """One such host."""

    def __init__(self, host: HostLayout, *, own_network: bool = False, shared: Sequence[Path] = ()) -> None:
        """Describe a host that is not booted yet.

        Args:
            host: its name and folder, and the lab's network namespace that it lives in.
            own_network: it has a network namespace of its own instead.
            shared: folders of this machine that it sees at the same paths, where its own are in memory.
        """
        self.name = host.name
        self._own_network = own_network
        self._shared_folders = shared
        self.address = host.address
        self._host = host
        self._place = host.dir / "systemd"
        self._cgroup = f"mkpysd-{blake2b(str(host.dir).encode(), digest_size=4).hexdigest()}"
        self._process: subprocess.Popen[bytes] | None = None
        self._init = 0

    @property
    def shared(self) -> Path:
        """Return the folder that the host sees as SHARED."""
        return self._place / "shared"

    @property
    def init_pid(self) -> int:
        """Return its systemd's process id, seen from here."""
        return self._init

    @property
    def bus(self) -> str:
        """Return the socket of its system bus, seen from here."""
        return f"/proc/{self._init}/root/run/dbus/system_bus_socket"

    @property
    def cgroup_places(self) -> Mapping[str, str]:
        """Return where the root of its cgroups stands for each controller, seen from here."""
        return {
            controller: f"{place}/{self._cgroup}"
            for controller, place in hierarchies(read_mounts(), 1).items()
            # Controllers that are mounted together have a link for each beside the folder of them all.
            if os.path.isdir(place) and (controller.startswith("name=") or os.path.basename(place) == controller)
        }

    @property
    def entry(self) -> list[str]:
        """Return the words before a command that is run on the host as its root."""
        inside = ["--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup"]
        environment = ["env", "--chdir=/root", "-i", "HOME=/root", f"PATH={PATH}"]
        return ["nsenter", f"--target={self._init}", *inside, "--", *environment]

    def written_files(self) -> tuple[str, ...]:
        """Return every file that was written or removed on the host's disk since it was made."""
        layer = self._place / "layer" / "up"
        return tuple(sorted(f"/{path.relative_to(layer)}" for path in layer.rglob("*") if not path.is_dir()))

    def boot(self) -> None:
        """Start systemd and wait until its basic target is reached.

        Raises:
            LabError: it does not come up.
        """
        for folder in ("layer", "root", "docker", "shared"):
            (self._place / folder).mkdir(parents=True, exist_ok=True)
        shared = map(str, (*self._shared_folders, *hidden_programs()))
        lists = (" ".join(_MASKED), " ".join(shared), " ".join(IN_MEMORY))
        words = (str(self._place), self._cgroup, self.name, *lists)
        boot = ["sh", "-c", _BOOT, "sh", *words]
        log = (self._place / "boot.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                ["unshare", "--net", "--", *boot] if self._own_network else machine.in_host(self._host, boot),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        machine.wait_until(self._is_up, BOOT_TIMEOUT_S, f"systemd of {self.name} does not come up: see {log.name}")

    def _is_up(self) -> bool:
        assert self._process is not None
        if not machine.is_running(self._process.pid):
            raise LabError(f"the init of {self.name} ended: see {self._place}/boot.log")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        if not children or Path(f"/proc/{children[0]}/comm").read_text().strip() != "systemd":
            return False
        self._init = int(children[0])
        done = self.run("systemctl", "is-active", "basic.target", check=False)
        return done.stdout.strip() == "active"

    def run(
        self, *argv: str, check: bool = True, timeout_s: float = 120, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the host.

        Raises:
            LabError: it failed and `check` is set.
        """
        done = subprocess.run(
            [*self.entry, *argv],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            input=stdin,
        )
        if check and done.returncode:
            said = f"{done.stdout}{done.stderr}"
            raise LabError(f"{' '.join(argv)} on {self.name} ended with {done.returncode}: {said}")
        return done

    def power_off(self) -> None:
        """End every process of the host, as a power failure would, and remove what it was made of."""
        if self._init:
            machine.stop_process(self._init, sig=signal.SIGKILL)
        if self._process is not None:
            machine.stop_process(self._process.pid, sig=signal.SIGKILL)
        machine.unmount_below(self._place)
        machine.remove_cgroups(f"/{self._cgroup}")
        shutil.rmtree(self._place, ignore_errors=True)


def hidden_programs() -> list[Path]:
    """Return where this Python and the program are, if a host's own folders would hide them."""
    needed = {Path(minikube_py.__file__).parents[1], Path(sys.prefix), Path(sys.base_prefix)}
    return sorted(path for path in needed if any(path.is_relative_to(folder) for folder in IN_MEMORY))


AnyHost = TypeVar("AnyHost", bound=SystemdHost)


@contextmanager
def systemd_hosts(folder: Path, nodes: int, kind: Callable[[HostLayout], AnyHost]) -> Iterator[list[AnyHost]]:
    """Boot the hosts of a lab, each with its engine running; nothing of them is left afterwards."""
    lab = Lab(folder, nodes)
    hosts = [kind(layout) for layout in lab.layout.hosts]
    try:
        network.make_network(lab.layout)
        for host, layout in zip(hosts, lab.layout.hosts, strict=True):
            layout.dir.mkdir(parents=True, exist_ok=True)
            network.attach_host(lab.layout, layout)
            host.boot()
            host.run("systemctl", "start", "docker")
        yield hosts
    finally:
        for host in hosts:
            host.power_off()
        lab.down()
