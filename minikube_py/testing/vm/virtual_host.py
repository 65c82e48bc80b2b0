"""A host that is a virtual machine: what it runs, sees and leaves is told through a port, as root.

It has no way to any network but its own; this machine reaches its API server through a port of loopback.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from minikube_py.testing.images import BUSYBOX_PATHS, is_static
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.installed_host import InstallingHost
from minikube_py.testing.lab.machine import LabError
from minikube_py.testing.vm.command_port import CommandPort
from minikube_py.testing.vm.initrd import FOLDERS, INIT, MODULES, File, module_files, render_archive
from minikube_py.testing.vm.settings import HOST_NAME, write_settings
from minikube_py.testing.vm.system import System

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
_DISK = "if=virtio,format=raw,cache=unsafe,discard=unmap"
_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""A machine of tests that were killed ends with them."""
_KERNEL_WORDS = "console=ttyS0 loglevel=4 panic=-1 mitigations=off hugepagesz=2M hugepages=16"


class VirtualHost(InstallingHost):
    """One such host."""

    def __init__(self, folder: Path, name: str, system: System) -> None:
        """Describe a host of that name that is not booted yet; what it is made of goes to `folder`."""
        self.name = name
        self.address = ADDRESS
        self._folder = folder
        self._system = system
        self._console = folder / "console.log"
        self._files: subprocess.Popen[bytes] | None = None
        self._machine: subprocess.Popen[bytes] | None = None
        self._port = CommandPort(folder / "port.sock")

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
        if self._system.needs_disk:
            self._make_disk()
        self._files = self._start([_file_server(), *self._file_server_words()], "files.log")
        self._wait((self._folder / "files.sock").exists, 20, self._files, "files.log")
        self._machine = self._start(["qemu-system-x86_64", *self._machine_words()], "machine.log")
        self._wait(self._port.connect_nowait, 60, self._machine, "machine.log")
        self.run("systemctl", "is-system-running", check=False, timeout_s=BOOT_TIMEOUT_S)

    def _make_disk(self) -> None:
        content, disk = self._folder / "content", self._folder / "disk"
        for name in ("up", "work", "docker"):
            (content / name).mkdir(parents=True)
        write_settings(content / "up")
        with disk.open("wb") as file:
            file.truncate(DISK_BYTES)
        machine.run(["mke2fs", "-q", "-t", "ext4", "-m", "0", "-E", "discard", "-d", str(content), str(disk)])

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

    def _first_files(self) -> Sequence[File]:
        settings = {
            "name": self.name,
            "shared": str(self.shared),
            "address": f"{ADDRESS}/{PREFIX_LENGTH}",
            "gateway": GATEWAY,
        }
        shell = "".join(f"{key}='{value}'\n" for key, value in settings.items())
        return (
            *FOLDERS,
            File("init", INIT.encode(), 0o100755),
            File("settings", shell.encode()),
            File("join", self._system.join.encode()),
            File("bin/busybox", _busybox(), 0o100755),
            *module_files(self._system.modules, MODULES),
        )

    def _file_server_words(self) -> Sequence[str]:
        # Its own files are never changed there, so the host may keep what it has seen of them.
        options = "source=/,cache=always,sandbox=chroot"
        return (f"--socket-path={self._folder}/files.sock", "--rlimit-nofile=0", "-o", options)

    def _machine_words(self) -> Sequence[str]:
        words = f"{_KERNEL_WORDS} {self._system.words}"
        memory = f"memory-backend-memfd,id=memory,size={MEMORY_MIB}M,share=on"
        return (
            *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
            *("-accel", "tcg,thread=multi", "-cpu", PROCESSOR, "-smp", "2", "-m", str(MEMORY_MIB)),
            *("-object", memory, "-machine", "q35,memory-backend=memory"),
            *("-serial", f"file:{self._console}"),
            *("-kernel", str(self._system.kernel), "-initrd", f"{self._folder}/initrd", "-append", words),
            *("-drive", f"file={self._system.image},if=virtio,format=raw,snapshot=on"),
            *(("-drive", f"file={self._folder}/disk,{_DISK}") if self._system.needs_disk else ()),
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
        try:
            done = self._port.run(argv, timeout_s, stdin)
        except LabError as error:
            raise LabError(f"{' '.join(argv)} on {self.name}: {error}: {self._last_words()}") from error
        if check and done.returncode:
            said = f"{done.stdout}{done.stderr}"
            raise LabError(f"{' '.join(argv)} on {self.name} ended with {done.returncode}: {said}")
        return done

    @contextmanager
    def lent_port(self) -> Iterator[Path]:
        """Give the socket that takes commands to another program, and take it back afterwards."""
        self._port.close()
        try:
            yield self._port.path
        finally:
            self._port = CommandPort(self._port.path)
            assert self._port.connect_nowait()

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
        found = self.run("sh", "-euc", self._system.written).stdout
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
def virtual_host(folder: Path, system: System, kind: Callable[[Path, str, System], AnyHost]) -> Iterator[AnyHost]:
    """Boot a host; nothing of it is left afterwards."""
    host = kind(folder, HOST_NAME, system)
    try:
        host.boot()
        yield host
    finally:
        host.power_off()
