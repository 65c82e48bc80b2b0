"""Images from what a host has: the example and the tests run without any registry.

A static busybox (Debian: `busybox-static`, CentOS: `busybox` of EPEL) and a link for each applet make an image with a
shell, httpd, wget, nc and nslookup. `scripts/quickstart` makes the example's image with the same code:

    python -m minikube_py.testing.images busybox /bin/busybox minikube-py/busybox:1 >busybox.tar

It needs nothing but Python's own library.
"""

import platform
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from minikube_py.kubelet.image_archive import ArchiveEntry, ImageArchive, render_image

BUSYBOX_TAG = "minikube-py/test-busybox:1"
FURTHER_TAG = "minikube-py/test-busybox:further"
"""A second name that the runtime's contract gives the image, and takes away again."""
BUSYBOX_PATHS = ("/bin/busybox", "/usr/bin/busybox", "/sbin/busybox", "/usr/local/bin/busybox")

_NAMES = """
    [ ash awk base64 basename cat chmod chown cmp cp cut date dd df diff dirname dmesg du echo egrep env
    expr false fgrep find fold free getty grep groups gunzip gzip head hexdump hostname httpd id ifconfig ip
    kill killall less ln ls md5sum mkdir mkfifo mknod mktemp more mount mv nc netstat nohup nproc nslookup
    od pidof ping ping6 printf ps pwd readlink realpath renice reset rm rmdir route sed seq setsid sh
    sha1sum sha256sum shuf sleep sort stat stty su sync tac tail tar tee telnet test time timeout top touch
    tr traceroute true truncate tty umount uname uniq unzip uptime usleep vi watch wc wget which whoami
    xargs xxd yes zcat
"""
APPLETS: Sequence[str] = tuple(_NAMES.split())
"""Linked whether this busybox has them or not: an applet that it lacks says so when it is run."""

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_FOLDERS = ("bin/", "etc/", "proc/", "root/", "sys/", "tmp/", "usr/", "var/", "www/")


def busybox_image(program: bytes, tags: Sequence[str], architecture: str = "") -> ImageArchive:
    """Return an image with `program` as /bin/busybox and links to it.

    Args:
        program: a static busybox.
        tags: the image's names, the first one is its main name.
        architecture: Docker's name of the processor; this machine's unless given.

    Raises:
        ValueError: the program needs shared libraries, which the image does not have.
    """
    if not is_static(program):
        raise ValueError("this busybox is not a static 64-bit program: install busybox-static")
    entries = [ArchiveEntry(name, folder=True, mode=0o1777 if name == "tmp/" else 0o755) for name in _FOLDERS]
    entries.append(ArchiveEntry("bin/busybox", program, 0o755))
    entries += [ArchiveEntry(f"bin/{name}", mode=0o777, link_to="busybox") for name in APPLETS]
    entries.append(ArchiveEntry("usr/bin", mode=0o777, link_to="../bin"))
    entries.append(
        ArchiveEntry("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
    )
    entries.append(ArchiveEntry("etc/group", b"root:x:0:\nnogroup:x:65534:\n"))
    machine = platform.machine()
    config = {"Env": ["PATH=/bin"], "Cmd": ["sh"], "WorkingDir": "/"}
    return render_image(architecture or _ARCHITECTURES.get(machine, machine), tags, entries, config)


def busybox_archive(program: bytes, tags: Sequence[str]) -> bytes:
    """Return the archive of `busybox_image` for this machine."""
    return busybox_image(program, tags).archive


def host_busybox_image(tags: Sequence[str] = (BUSYBOX_TAG,)) -> ImageArchive:
    """Return an image made of this host's busybox.

    Raises:
        FileNotFoundError: the host has none that is static; the message says which package brings it.
    """
    for path in map(Path, BUSYBOX_PATHS):
        if path.is_file() and is_static(program := path.read_bytes()):
            return busybox_image(program, tags)
    raise FileNotFoundError("no static busybox on this host: install busybox-static (Debian) or busybox (EPEL)")


def is_static(program: bytes) -> bool:
    """Return whether a 64-bit little-endian ELF program needs no loader (it has no PT_INTERP segment)."""
    if program[:6] != b"\x7fELF\x02\x01":
        return False
    (table,) = struct.unpack_from("<Q", program, 32)
    entry_size, count = struct.unpack_from("<HH", program, 54)
    interpreter = 3
    return all(struct.unpack_from("<I", program, table + at * entry_size)[0] != interpreter for at in range(count))


def main(argv: Sequence[str]) -> int:
    """Write an image's archive to standard output: `busybox PROGRAM TAG…`."""
    if len(argv) < 3 or argv[0] != "busybox":
        sys.stderr.write("usage: python -m minikube_py.testing.images busybox PROGRAM TAG...\n")
        return 2
    try:
        archive = busybox_archive(Path(argv[1]).read_bytes(), argv[2:])
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{argv[1]}: {error}\n")
        return 1
    sys.stdout.buffer.write(archive)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
