"""The first files that the kernel of a virtual machine gets: modules for its disks, and a script that joins these."""

import lzma
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "virtiofs", "overlay")
"""What must be in the kernel before it has a root; the others are loaded from there, when they are asked for."""
INIT = r"""#!/bin/busybox sh
set -eu
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done < /modules/order
. /settings
mount -t virtiofs -o ro machine /machine
. /join
mkdir -p /root/mnt/shared
mount --bind "/machine$shared" /root/mnt/shared
hostname "$name"
ip link set lo up
ip address add "$address" dev eth0
ip link set eth0 up
ip route add default via "$gateway"
umount /proc /sys
exec switch_root /root /lib/systemd/systemd --system --unit=basic.target --show-status=yes
"""


@dataclass(frozen=True, slots=True)
class File:
    """One file or folder of an archive."""

    path: str
    content: bytes = b""
    mode: int = 0o100644


FOLDERS = tuple(
    File(path, mode=0o040755) for path in ("bin", "dev", "disk", "image", "machine", "modules", "proc", "root", "sys")
)


def load_order(dependencies: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the files of the `wanted` modules and of those that they need, in the order of loading.

    Args:
        dependencies: the kernel's modules.dep; a module that it does not have is built in.
        wanted: names of modules.
    """
    needs = {path: rest.split() for path, _, rest in (line.partition(":") for line in dependencies.splitlines())}
    by_name = {module_name(path): path for path in needs}
    order: dict[str, None] = {}
    for path in (by_name[name] for name in wanted if name in by_name):
        # The needed ones stand there with the deepest last.
        order.update(dict.fromkeys((*reversed(needs[path]), path)))
    return tuple(order)


def module_name(path: str) -> str:
    """Return a module's name, as a program asks for it."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def module_files(folder: Path, wanted: Sequence[str]) -> tuple[File, ...]:
    """Return the `wanted` modules of the kernel whose modules are in `folder`, and the list of them, in order."""
    order = load_order((folder / "modules.dep").read_text(), wanted)
    files = [File(f"modules/{module_name(path)}.ko", _unpacked(folder / path)) for path in order]
    names = "".join(f"{module_name(path)}.ko\n" for path in order)
    return (*files, File("modules/order", names.encode()))


def _unpacked(path: Path) -> bytes:
    content = path.read_bytes()
    match path.suffix:
        case ".xz":
            return lzma.decompress(content)
        case ".gz":
            return zlib.decompress(content, wbits=31)
        case _:
            return content


def render_archive(files: Sequence[File]) -> bytes:
    """Return the files as a cpio archive in the form that kernels read (newc)."""
    entries = [_render_entry(number, file) for number, file in enumerate(files, 1)]
    return b"".join((*entries, _render_entry(0, File("TRAILER!!!", mode=0))))


def _render_entry(number: int, file: File) -> bytes:
    name = file.path.encode() + b"\0"
    links, size = (1, len(file.content)) if file.mode else (1, 0)
    fields = (number, file.mode, 0, 0, links, 0, size, 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return _padded(head) + _padded(file.content)


def _padded(part: bytes) -> bytes:
    return part + bytes(-len(part) % 4)
