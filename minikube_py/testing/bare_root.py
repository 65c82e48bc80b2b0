"""A root folder with what the one file asks of a host and nothing else: glibc, the network's programs; no Python.

What stands in it is this machine's: the C library, `nft`, `iptables`, `conntrack` and their libraries, copied; /proc,
/sys, /dev and the folders that are shared with a Docker engine, mounted.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("nft", "conntrack", "iptables", "iptables-save", "iptables-restore")
LIBRARIES = (
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libutil.so.1",
)
"""What comes with glibc (the one of GCC's because glibc loads it), and a program for an old one needs."""
SETTINGS = ("passwd", "group", "hosts", "resolv.conf", "nsswitch.conf", "protocols", "services")
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}


class BareRootError(Exception):
    """The root folder cannot be made; the message says what is missing."""


class BareRoot:
    """The root folder, as long as its mounts stand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, file: Path) -> str:
        """Copy a program in, and return its path there."""
        target = self.folder / "usr/local/bin" / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
        return f"/{target.relative_to(self.folder)}"

    def argv(self, *command: str) -> tuple[str, ...]:
        """Return what runs a command there."""
        return ("chroot", str(self.folder), *command)


@contextmanager
def bare_root(folder: Path, shared: Sequence[Path] = ()) -> Iterator[BareRoot]:
    """Make the root in `folder`; what is mounted in one of the `shared` folders is seen from both sides."""
    folder.mkdir(parents=True)
    for name in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "proc", "sys", "dev", "run", "tmp", "var/lib"):
        (folder / name).mkdir(parents=True)
    for name, target in LINKS.items():
        (folder / name).symlink_to(target)
    for name in SETTINGS:
        if Path("/etc", name).exists():
            shutil.copy(Path("/etc", name), folder / "etc" / name)
    _copy_programs(folder)
    try:
        for place in ("/proc", "/sys", "/dev"):
            _mount("--rbind", place, f"{folder}{place}")
            _mount("--make-rslave", f"{folder}{place}")
        for path in shared:
            # A bind mount upon itself can be shared, whatever the mount below it is.
            _mount("--bind", str(path), str(path))
            _mount("--make-shared", str(path))
            inside = Path(f"{folder}{path}")
            inside.mkdir(parents=True)
            _mount("--rbind", str(path), str(inside))
        yield BareRoot(folder)
    finally:
        _unmount_all(folder, shared)


def _copy_programs(folder: Path) -> None:
    needed: set[Path] = set()
    for name in PROGRAMS:
        found = shutil.which(name)
        if found is None:
            raise BareRootError(f"{name} is missing on this machine")
        # Under the name that it is called by: iptables' programs are one, which looks at its name.
        shutil.copy(found, folder / "usr/sbin" / name)
        needed |= _libraries_of(Path(found))
    (loader,) = (path for path in needed if path.name.startswith("ld-linux"))
    needed |= {path for name in LIBRARIES for path in Path("/lib").glob(f"*/{name}") if _is_beside_libc(path, needed)}
    for path in needed - {loader}:
        _copy(path, folder)
    shutil.copy(loader, folder / "lib64" / loader.name)
    for extensions in Path("/usr/lib").glob("*/xtables"):
        shutil.copytree(extensions, f"{folder}{extensions}")


def _is_beside_libc(path: Path, needed: set[Path]) -> bool:
    return any(path.parent == other.parent for other in needed if other.name == "libc.so.6")


def _libraries_of(program: Path) -> set[Path]:
    listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    return {Path(path) for path in re.findall(r"(/\S+) \(0x", listed)}


def _copy(path: Path, folder: Path) -> None:
    target = Path(f"{folder}{path}")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BareRootError(f"mount {' '.join(arguments)}: {done.stderr.strip()}")


def _unmount_all(folder: Path, shared: Sequence[Path]) -> None:
    for place in (*(f"{folder}{path}" for path in shared), *(f"{folder}{p}" for p in ("/proc", "/sys", "/dev"))):
        # Slaves first, so that the host's own are not taken along.
        subprocess.run(["mount", "--make-rprivate", place], capture_output=True, check=False)
        subprocess.run(["umount", "-lR", place], capture_output=True, check=False)
    for path in shared:
        subprocess.run(["umount", "-l", str(path)], capture_output=True, check=False)
