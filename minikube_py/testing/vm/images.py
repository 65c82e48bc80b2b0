"""How Debian's packages become disk images that are kept for later runs; none of them is installed here."""

import fcntl
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from minikube_py.testing.lab.machine import LabError, run

FETCH_TIMEOUT_S = 300.0
KEPT_UNUSED_S = 7 * 86_400.0
_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
_BLOCK_BYTES = 4096


def default_folder() -> Path:
    """Return where images are kept when nobody says."""
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "minikube-py" / "vm"


def require_debian() -> None:
    """Make sure that packages can be had.

    Raises:
        LabError: this machine has no such packages.
    """
    if platform.machine() != "x86_64" or shutil.which("apt-get") is None:
        raise LabError("the virtual machine is made of Debian's packages for amd64: this machine cannot fetch them")


def kept(folder: Path, made_of: Sequence[str], make: Callable[[Path, Path], None]) -> Path:
    """Return what is kept in `folder`, made now if it is not there; what nobody has used for a week is removed then.

    Args:
        folder: where such things are kept.
        made_of: what decides whether it is the same thing.
        make: makes it; it gets a folder to work in, and the folder that is kept.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = sha256("\n".join((*made_of, Path("/etc/os-release").read_text())).encode()).hexdigest()[:16]
    place, used = folder / name, folder / f"used-{name}"
    with used.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        used.touch()
        if not place.exists():
            _remove_unused(folder, time.time() - KEPT_UNUSED_S)
            with tempfile.TemporaryDirectory(prefix="work-", dir=folder) as work:
                (made := Path(work) / "made").mkdir()
                make(Path(work), made)
                made.rename(place)
    return place


def _remove_unused(folder: Path, since_s: float) -> None:
    for used in folder.glob("used-*"):
        if used.stat().st_mtime < since_s:
            shutil.rmtree(folder / used.name.removeprefix("used-"), ignore_errors=True)
            used.unlink()


def new_root(root: Path) -> None:
    """Make a folder for the files of packages: what one puts into /lib goes to /usr/lib, as on this machine."""
    for name, target in _LINKS.items():
        (root / target).mkdir(parents=True)
        (root / name).symlink_to(target)


def drop_links(root: Path) -> None:
    """Remove what would hide this machine's own such links, where the files come to lie on its root."""
    for name in _LINKS:
        (root / name).unlink()


def unpack_packages(root: Path, archives: Path, script: str, *names: str) -> None:
    """Fetch packages and unpack them.

    Args:
        root: where to unpack.
        archives: a new folder for the packages themselves.
        script: a shell's words that fetch them into the folder where it runs; it gets the names.
        names: of packages.
    """
    (archives / "partial").mkdir(parents=True)
    fetch = ["sh", "-euc", f'cd "$1"\nshift\n{script}', "sh", str(archives), *names]
    if run(fetch, check=False, timeout_s=FETCH_TIMEOUT_S).returncode:
        # The lists may be old or not there at all.
        run(["apt-get", "update", "-qq"], check=False, timeout_s=FETCH_TIMEOUT_S)
        run(fetch, timeout_s=FETCH_TIMEOUT_S)
    for archive in sorted(archives.glob("*.deb")):
        run(["sh", "-euc", _UNPACK, "sh", str(archive), str(root)])


def make_image(root: Path, image: Path, *, free_bytes: int = 32 << 20) -> None:
    """Make a disk image that holds the files of a folder, with their owners and labels, and some free space."""
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    blocks = sum(-(-path.stat().st_size // _BLOCK_BYTES) for path in files)
    size = f"{(blocks * _BLOCK_BYTES + free_bytes) // 1024 + len(files)}k"
    run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", str(root), str(image), size])
    image.chmod(0o600)


FETCH_WITH_NEEDED = """
apt-get install -y -qq --download-only --no-install-recommends -o "Dir::Cache::archives=$PWD" "$@"
"""
"""Fetches packages and what they need that this machine does not have."""
_UNPACK = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink'
