"""What a virtual machine has that this machine need not have: Debian's kernel, and the NFS server and client.

The packages are fetched by apt and unpacked into an image of their own; none is installed here, so that no service of
theirs runs here. What came of them is kept for later runs.
"""

import fcntl
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from minikube_py.testing.lab.machine import LabError, run

KERNEL = "linux-image-cloud-amd64"
PROGRAMS = ("nfs-kernel-server", "nfs-common")
FETCH_TIMEOUT_S = 300.0
_FORM = "1"
"""Changed when what is made of the packages changes."""
_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
"""So that what a package puts into /lib does not hide this machine's, which is such a link."""


@dataclass(frozen=True, slots=True)
class Packages:
    """What the packages came to."""

    folder: Path

    @property
    def kernel(self) -> Path:
        """Return the kernel."""
        return self.folder / "vmlinuz"

    @property
    def image(self) -> Path:
        """Return a disk image with everything that was in them."""
        return self.folder / "packages.ext4"

    @property
    def modules(self) -> Path:
        """Return the folder of the kernel's modules."""
        (version,) = (self.folder / "modules").iterdir()
        return version


def default_folder() -> Path:
    """Return where packages are kept when nobody says."""
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "minikube-py" / "vm"


def kept_packages(folder: Path) -> Packages:
    """Return what is kept in `folder`, made now if it is not there.

    Raises:
        LabError: this machine has no such packages.
    """
    if platform.machine() != "x86_64" or shutil.which("apt-get") is None:
        raise LabError("the virtual machine's kernel is Debian's package for amd64: this machine cannot fetch it")
    folder.mkdir(parents=True, exist_ok=True)
    made_of = "\n".join((_FORM, KERNEL, *PROGRAMS, Path("/etc/os-release").read_text()))
    place = folder / sha256(made_of.encode()).hexdigest()[:16]
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            with tempfile.TemporaryDirectory(prefix="work-", dir=folder) as work:
                _make(Path(work))
                (Path(work) / "made").rename(place)
    return Packages(place)


def _make(work: Path) -> None:
    archives, root, made = (work / name for name in ("archives", "root", "made"))
    for path in (archives / "partial", root, made):
        path.mkdir(parents=True)
    fetch = ["sh", "-euc", _FETCH, "sh", str(archives), KERNEL, *PROGRAMS]
    if run(fetch, check=False, timeout_s=FETCH_TIMEOUT_S).returncode:
        # The lists may be old or not there at all.
        run(["apt-get", "update", "-qq"], check=False, timeout_s=FETCH_TIMEOUT_S)
        run(fetch, timeout_s=FETCH_TIMEOUT_S)
    for name, target in _LINKS.items():
        (root / target).mkdir(parents=True)
        (root / name).symlink_to(target)
    for archive in sorted(archives.glob("*.deb")):
        run(["sh", "-euc", _UNPACK, "sh", str(archive), str(root)])
    (kernel,) = (root / "boot").glob("vmlinuz-*")
    version = kernel.name.removeprefix("vmlinuz-")
    run(["depmod", "--basedir", str(root), version])
    kernel.rename(made / "vmlinuz")
    modules = root / "usr/lib/modules" / version
    shutil.rmtree(root / "boot")
    for name in _LINKS:
        (root / name).unlink()
    image = made / "packages.ext4"
    run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", str(root), str(image), _size(root)])
    shutil.copytree(modules, made / "modules" / version)


def _size(root: Path) -> str:
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    return f"{sum(-(-path.stat().st_size // 4096) * 4 for path in files) + len(files) + 32768}k"


_FETCH = r"""
cd "$1"
kernel=$(apt-cache depends "$2" | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
apt-get download -qq "$kernel"
shift 2
apt-get install -y -qq --download-only --no-install-recommends -o "Dir::Cache::archives=$PWD" "$@"
"""
_UNPACK = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink'
