"""A host that the program is installed on, as users install it: by one file, which stands in `/mnt/shared`.

The file is a script that stands for the one file: it says where it is, and starts the Python of these tests.
"""

import json
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path

import minikube_py
from minikube_py.testing.images import busybox_archive
from minikube_py.testing.lab.cluster import IMAGE
from minikube_py.testing.lab.systemd_host import SHARED, SystemdHost

INSTALLED = "/usr/local/bin/minikube-py"
_PROGRAM = """#!/bin/sh
# {mark}
export MINIKUBE_PY_FILE="$(readlink -f "$0")" PYTHONPATH={root}
{before}
exec {python} -m minikube_py "$@"
"""
_OTHERS = ("/var/lib/docker", "/var/lib/containerd", "/var/lib/systemd", "/etc/docker", "/var/cache", "/root")


class InstallingHost(ABC):
    """What tests ask of such a host, however it is made."""

    @property
    @abstractmethod
    def shared(self) -> Path:
        """Return the folder that the host sees as SHARED."""

    @abstractmethod
    def run(
        self, *argv: str, check: bool = True, timeout_s: float = 120, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the host."""

    @abstractmethod
    def written_files(self) -> tuple[str, ...]:
        """Return every file that was written or removed on the host's disk since it was made."""

    def write_program(self, name: str, *, before: str = "") -> Path:
        """Write a program that differs from others by its name, and by the shell's words that it runs `before`."""
        root = Path(minikube_py.__file__).parents[1]
        path = self.shared / name
        path.write_text(_PROGRAM.format(mark=name, root=root, python=sys.executable, before=before))
        path.chmod(0o755)
        return path

    def program(self, name: str, *, before: str = "") -> str:
        """Write a program and return its path on the host."""
        return f"{SHARED}/{self.write_program(name, before=before).name}"

    def is_ready(self) -> bool:
        """Return whether the node is Ready, after a minute at most."""
        done = self.run(INSTALLED, "status", "-o", "json", "--wait=60")
        return bool(json.loads(done.stdout)["ready"])

    def load_image(self) -> None:
        """Load the test image into the host's engine."""
        busybox = shutil.which("busybox")
        assert busybox is not None, "busybox is missing: scripts/test installs it"
        (self.shared / "image.tar").write_bytes(busybox_archive(Path(busybox).read_bytes(), (IMAGE,)))
        self.run("docker", "load", "-i", f"{SHARED}/image.tar")

    def links(self) -> list[str]:
        """Return the host's network links."""
        return sorted(self.run("ls", "/sys/class/net").stdout.split())

    def pod_cgroups(self) -> list[str]:
        """Return the roots of the pods' cgroups, one for each hierarchy."""
        return self.run("find", "/sys/fs/cgroup", "-type", "d", "-name", "kubepods").stdout.split()

    def files(self) -> set[str]:
        """Return every file that was written but those of Docker, systemd and Python itself."""
        return {n for n in self.written_files() if not n.startswith(_OTHERS) and "__pycache__" not in n}


class InstalledHost(SystemdHost, InstallingHost):
    """Such a host of a lab."""
