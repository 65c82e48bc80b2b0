"""Images from what a host has: the example and the tests run without any registry.

A static busybox (Debian: `busybox-static`, CentOS: `busybox` of EPEL) and a link for each of its applets make an
image with a shell, httpd, wget, nc, nslookup. `scripts/quickstart` builds the example's image with the same code.
"""

import platform
import struct
import subprocess
from pathlib import Path

from minikube_py.kubelet.image_archive import ArchiveEntry, ImageArchive, render_image

BUSYBOX_TAG = "minikube-py/test-busybox:1"
BUSYBOX_PATHS = ("/bin/busybox", "/usr/bin/busybox", "/sbin/busybox", "/usr/local/bin/busybox")

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def busybox_image(
    program: bytes, applets: tuple[str, ...], architecture: str, tag: str = BUSYBOX_TAG
) -> ImageArchive:
    """Return an image with `program` as /bin/busybox and a link to it for each of `applets`."""
    folders = ("bin/", "etc/", "tmp/", "root/", "www/")
    files = [ArchiveEntry(name, folder=True, mode=0o1777 if name == "tmp/" else 0o755) for name in folders]
    files.append(ArchiveEntry("bin/busybox", program, 0o755))
    files += [ArchiveEntry(f"bin/{name}", mode=0o777, link_to="busybox") for name in applets if name != "busybox"]
    files.append(
        ArchiveEntry("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
    )
    files.append(ArchiveEntry("etc/group", b"root:x:0:\nnogroup:x:65534:\n"))
    return render_image(architecture, tag, files, {"Env": ["PATH=/bin"], "Cmd": ["sh"], "WorkingDir": "/"})


def host_busybox_image(tag: str = BUSYBOX_TAG) -> ImageArchive:
    """Return an image made of this host's busybox.

    Raises:
        FileNotFoundError: the host has none that is static; the message says which package brings it.
    """
    for candidate in BUSYBOX_PATHS:
        path = Path(candidate)
        if path.is_file() and is_static(program := path.read_bytes()):
            listed = subprocess.run([candidate, "--list"], check=True, capture_output=True, text=True).stdout
            return busybox_image(program, tuple(sorted(listed.split())), _architecture(), tag)
    raise FileNotFoundError("no static busybox on this host: install busybox-static (Debian) or busybox (EPEL)")


def is_static(program: bytes) -> bool:
    """Return whether a 64-bit little-endian ELF program needs no loader (it has no PT_INTERP segment)."""
    if program[:6] != b"\x7fELF\x02\x01":
        return False
    (table,) = struct.unpack_from("<Q", program, 32)
    entry_size, count = struct.unpack_from("<HH", program, 54)
    interpreter = 3
    return all(struct.unpack_from("<I", program, table + at * entry_size)[0] != interpreter for at in range(count))


def _architecture() -> str:
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)
