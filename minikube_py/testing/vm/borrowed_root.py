"""A system whose root is this machine's, below Debian's kernel with its modules, and the NFS server and client.

So what runs there are the programs that are tested here. NFS is not installed here: a server of it would start.
"""

import shutil
from pathlib import Path

from minikube_py.testing.lab.machine import run
from minikube_py.testing.lab.systemd_host import IN_MEMORY, hidden_programs
from minikube_py.testing.vm.images import (
    FETCH_WITH_NEEDED,
    drop_links,
    kept,
    make_image,
    new_root,
    require_debian,
    unpack_packages,
)
from minikube_py.testing.vm.system import System

KERNEL = "linux-image-cloud-amd64"
PROGRAMS = ("nfs-kernel-server", "nfs-common")
_JOIN = r"""
mount -t ext4 -o ro /dev/vda /image
mount -t ext4 -o noatime /dev/vdb /disk
mount -t overlay -o lowerdir=/image:/machine,upperdir=/disk/up,workdir=/disk/work root /root
rm -f /root/.dockerenv
mkdir -p /root/mnt/disk /root/var/lib/docker
mount --bind /disk/docker /root/var/lib/docker
mount --move /disk /root/mnt/disk
"""
_WRITTEN = r"find /mnt/disk/up ! -type d -printf '/%P\n'"
_FORM = "2"
"""Changed when what is made of the packages changes."""
_FETCH = f"""
apt-get download -qq "$(apt-cache depends "$1" | sed -n 's/^ *Depends: \\(linux-image-.*\\)/\\1/p')"
shift
{FETCH_WITH_NEEDED}
"""


def borrowed_root(folder: Path) -> System:
    """Return the system, made of what is kept in `folder`.

    Raises:
        LabError: this machine has no such packages.
    """
    require_debian()
    place = kept(folder, (_FORM, KERNEL, *PROGRAMS), _make)
    (modules,) = (place / "modules").iterdir()
    own = "".join(f"mount -t tmpfs own /root{folder}\n" for folder in IN_MEMORY)
    seen = "".join(f"mkdir -p /root{path}\nmount --bind /machine{path} /root{path}\n" for path in hidden_programs())
    image = place / "packages.ext4"
    return System(place / "vmlinuz", modules, image, _JOIN + own + seen, _WRITTEN, needs_disk=True)


def _make(work: Path, made: Path) -> None:
    root = work / "root"
    new_root(root)
    unpack_packages(root, work / "archives", _FETCH, KERNEL, *PROGRAMS)
    (kernel,) = (root / "boot").glob("vmlinuz-*")
    version = kernel.name.removeprefix("vmlinuz-")
    run(["depmod", "--basedir", str(root), version])
    kernel.rename(made / "vmlinuz")
    shutil.rmtree(root / "boot")
    drop_links(root)
    make_image(root, made / "packages.ext4")
    shutil.copytree(root / "usr/lib/modules" / version, made / "modules" / version)
