"""A host that is a virtual machine: what it runs, sees and leaves is told through a port, as root.

It has no way to any network but its own; this machine reaches its API server through a port of loopback.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from minikube_py.testing.images import BUSYBOX_PATHS, is_static
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.installed_host import InstallingHost
from minikube_py.testing.lab.machine import LabError
from minikube_py.testing.lab.systemd_host import IN_MEMORY, hidden_programs
from minikube_py.testing.vm import guest
from minikube_py.testing.vm.initrd import FOLDERS, INIT, MODULES, File, module_files, render_archive
from minikube_py.testing.vm.packages import Packages

BOOT_TIMEOUT_S = 300.0
"""Emulated, on a machine that runs other tests as well."""
NETWORK, ADDRESS, PREFIX_LENGTH, GATEWAY = "10.0.3.0/24", "10.0.3.15", 24, "10.0.3.2"
"""QEMU's own choice is VirtualBox's too, and no node's address where there is another."""
PROCESSOR = "Nehalem"
"""What newer ones have besides costs an emulated one more than it saves."""
API_PORT = 6443
MEMORY_MIB = 3072
DISK_BYTES = 12 << 30
"""The image has holes: it takes what is written."""
LINES_SHOWN = 30
FILE_SERVERS = ("/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd")
_MASKED = (
    *("apparmor.service", "networking.service", "systemd-timesyncd.service", "timers.target", "cryptsetup.target"),
    *("systemd-sysusers.service", "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount"),
    *("systemd-random-seed.service", "systemd-update-utmp.service", "systemd-journal-flush.service"),
)
"""What has nothing to do there, and would take its time."""
_COMMANDS = """[Unit]
DefaultDependencies=no
After=local-fs.target
[Service]
ExecStart=/bin/sh -c 'exec {python} -S {program} /dev/vport*p1'
"""
_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""A machine of tests that were killed ends with them."""
_KERNEL_WORDS = "console=ttyS0 loglevel=4 panic=-1 mitigations=off hugepagesz=2M hugepages=16"


class VirtualHost(InstallingHost):
    """One such host."""

    def __init__(self, folder: Path, name: str, packages: Packages) -> None:
        """Describe a host of that name that is not booted yet; what it is made of goes to `folder`."""
        self.name = name
        self.address = ADDRESS
        self._folder = folder
        self._packages = packages
        self._console = folder / "console.log"
        self._files: subprocess.Popen[bytes] | None = None
        self._machine: subprocess.Popen[bytes] | None = None
        self._port = socket.socket(socket.AF_UNIX)
        self._unread = b""
        self._request = 0

    @property
    def shared(self) -> Path:
        """Return the folder that the host sees as /mnt/shared."""
        return self._folder / "shared"

    def _last_words(self) -> str:
        """Return what its kernel and its systemd said last: nothing of the machine stays to be looked at."""
        lines = self._console.read_text(errors="replace").splitlines() if self._console.exists() else []
        return "\n".join(lines[-LINES_SHOWN:])

    def boot(self) -> None:
        """Start the machine and wait until it takes commands.

        Raises:
            LabError: a program is missing, or it does not come up.
        """
        self.shared.mkdir(parents=True, exist_ok=True)
        (self._folder / "initrd").write_bytes(render_archive(self._first_files()))
        disk = self._folder / "disk"
        with disk.open("wb") as file:
            file.truncate(DISK_BYTES)
        machine.run(["mke2fs", "-q", "-t", "ext4", "-m", "0", "-E", "discard", str(disk)])
        self._files = self._start([_file_server(), *self._file_server_words()], "files.log")
        self._wait((self._folder / "files.sock").exists, 20, self._files, "files.log")
        self._machine = self._start(["qemu-system-x86_64", *self._machine_words()], "machine.log")
        self._wait(self._connect, 60, self._machine, "machine.log")
        self.run("systemctl", "is-system-running", check=False, timeout_s=BOOT_TIMEOUT_S)

    def _start(self, argv: Sequence[str], log: str) -> subprocess.Popen[bytes]:
        if shutil.which(argv[0]) is None:
            raise LabError(f"{argv[0]} is missing: scripts/test installs it")
        with (self._folder / log).open("ab") as said:
            return subprocess.Popen(
                [*_WITH_US, *argv], stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )

    def _wait(
        self, condition: Callable[[], bool], timeout_s: float, process: subprocess.Popen[bytes], log: str
    ) -> None:
        def running() -> bool:
            if not machine.is_running(process.pid):
                raise LabError(f"the virtual machine ended: {(self._folder / log).read_text()}")
            return condition()

        machine.wait_until(running, timeout_s, f"the virtual machine does not start: see {self._folder / log}")

    def _connect(self) -> bool:
        return self._port.connect_ex(str(self._folder / "port.sock")) == 0

    def _first_files(self) -> Sequence[File]:
        settings = {
            "name": self.name,
            "shared": str(self.shared),
            "own": " ".join(IN_MEMORY),
            "seen": " ".join(map(str, hidden_programs())),
            "masked": " ".join(_MASKED),
            "address": f"{ADDRESS}/{PREFIX_LENGTH}",
            "gateway": GATEWAY,
        }
        shell = "".join(f"{key}='{value}'\n" for key, value in settings.items())
        commands = _COMMANDS.format(python=sys.executable, program=guest.__file__)
        return (
            *FOLDERS,
            File("init", INIT.encode(), 0o100755),
            File("settings", shell.encode()),
            File("commands.service", commands.encode()),
            File("bin/busybox", _busybox(), 0o100755),
            *module_files(self._packages.modules, MODULES),
        )

    def _file_server_words(self) -> Sequence[str]:
        # Its own files are never changed there, so the host may keep what it has seen of them.
        options = "source=/,cache=always,sandbox=chroot"
        return (f"--socket-path={self._folder}/files.sock", "--rlimit-nofile=0", "-o", options)

    def _machine_words(self) -> Sequence[str]:
        memory = f"memory-backend-memfd,id=memory,size={MEMORY_MIB}M,share=on"
        return (
            *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
            *("-accel", "tcg,thread=multi", "-cpu", PROCESSOR, "-smp", "2", "-m", str(MEMORY_MIB)),
            *("-object", memory, "-machine", "q35,memory-backend=memory"),
            *("-serial", f"file:{self._console}"),
            *("-kernel", str(self._packages.kernel), "-initrd", f"{self._folder}/initrd", "-append", _KERNEL_WORDS),
            *("-drive", f"file={self._packages.image},if=virtio,format=raw,readonly=on"),
            *("-drive", f"file={self._folder}/disk,if=virtio,format=raw,cache=unsafe,discard=unmap"),
            *("-chardev", f"socket,id=files,path={self._folder}/files.sock"),
            *("-device", "vhost-user-fs-pci,chardev=files,tag=machine,queue-size=1024"),
            *("-chardev", f"socket,id=port,path={self._folder}/port.sock,server=on,wait=off"),
            *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=port"),
            *("-netdev", f"user,id=net,net={NETWORK},restrict=on,hostfwd=tcp:127.0.0.1:0-:{API_PORT}"),
            *("-device", "virtio-net-pci,netdev=net"),
        )

    def run(
        self, *argv: str, check: bool = True, timeout_s: float = 300, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the host.

        Raises:
            LabError: it failed and `check` is set, or the host does not answer.
        """
        self._request += 1
        request = {"id": self._request, "argv": argv, "stdin": stdin, "timeout_s": timeout_s}
        self._port.sendall(json.dumps(request).encode() + b"\n")
        answer = self._read_answer(" ".join(argv), timeout_s + 60)
        done = subprocess.CompletedProcess(argv, answer["returncode"], answer["stdout"], answer["stderr"])
        if done.returncode is None or (check and done.returncode):
            how = "did not end in time" if done.returncode is None else f"ended with {done.returncode}"
            raise LabError(f"{' '.join(argv)} on {self.name} {how}: {done.stdout}{done.stderr}")
        return done

    def _read_answer(self, command: str, timeout_s: float) -> Any:
        self._port.settimeout(timeout_s)
        while True:
            line, found, rest = self._unread.partition(b"\n")
            if found:
                self._unread = rest
                answer = json.loads(line)
                if answer["id"] == self._request:
                    return answer
                continue
            try:
                read = self._port.recv(1 << 20)
            except TimeoutError:
                raise LabError(f"{self.name} does not answer to {command}: {self._last_words()}") from None
            if not read:
                raise LabError(f"{self.name} ended while it ran {command}: {self._last_words()}")
            self._unread += read

    @property
    def api_url(self) -> str:
        """Return the URL of its API server, as this machine reaches it."""
        assert self._machine is not None
        process = Path(f"/proc/{self._machine.pid}")
        port = listening_port(
            (process / "net/tcp").read_text(), [os.readlink(fd) for fd in (process / "fd").iterdir()]
        )
        if port is None:
            raise LabError(f"nothing forwards to the API server of {self.name}")
        return f"https://127.0.0.1:{port}"

    def written_files(self) -> tuple[str, ...]:
        """Return every file that was written or removed on the host's disk since it was made."""
        found = self.run("find", "/mnt/disk/up", "!", "-type", "d", "-printf", "/%P\\n").stdout
        return tuple(sorted(found.splitlines()))

    def power_off(self) -> None:
        """End the machine, as a power failure would, and remove what it was made of."""
        self._port.close()
        for process in (self._machine, self._files):
            if process is not None:
                machine.stop_process(process.pid, sig=signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)


def listening_port(table: str, files: Sequence[str]) -> int | None:
    """Return the port on which a process listens, None if it does not.

    Args:
        table: /proc/PID/net/tcp.
        files: what its open files are, as /proc/PID/fd links to them.
    """
    listening = "0A"
    for _, local, _, state, *rest in map(str.split, table.splitlines()[1:]):
        if state == listening and f"socket:[{rest[5]}]" in files:
            return int(local.rpartition(":")[2], 16)
    return None


def _file_server() -> str:
    for path in FILE_SERVERS:
        if Path(path).exists():
            return path
    raise LabError("virtiofsd is missing: scripts/test installs it")


def _busybox() -> bytes:
    for path in map(Path, BUSYBOX_PATHS):
        if path.exists() and is_static(program := path.read_bytes()):
            return program
    raise LabError("no static busybox: scripts/test installs busybox-static")


AnyHost = TypeVar("AnyHost", bound=VirtualHost)


@contextmanager
def virtual_host(
    folder: Path, packages: Packages, kind: Callable[[Path, str, Packages], AnyHost]
) -> Iterator[AnyHost]:
    """Boot a host; nothing of it is left afterwards."""
    host = kind(folder, "vm1", packages)
    try:
        host.boot()
        yield host
    finally:
        host.power_off()
