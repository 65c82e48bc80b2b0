"""Finished parts of earlier builds, each under the hash of what it was made from, in a folder of the user's.

One build at a time uses a cache. A part appears by a rename, so what is there is whole.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.onefile.steps import told

PARTS = ("interpreter-*", "base-*", "stub-*")
KEPT_MAX = 4
"""So many of each part stay, the last used: for branches that differ."""


def key_of(parts: Iterable[str]) -> str:
    """Return the name under which what was made from `parts` is kept."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()[:16]


def default_folder() -> Path:
    """Return where the cache is when nobody says."""
    given = os.environ.get("MINIKUBE_PY_BUILD_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minikube-py" / "build"


class Cache:
    """The parts in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "build.log"
        """What the programs of the last build said."""

    @contextmanager
    def working(self, *, fresh: bool) -> Iterator[Path]:
        """Have the cache alone; yields a work folder beside the parts. With `fresh`, no part is there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"waiting for another build in {self.folder} …", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            self.log.write_bytes(b"")
            _remove(self.folder.glob("work-*"))  # of builds that were killed
            self._trim(0 if fresh else KEPT_MAX)
            with tempfile.TemporaryDirectory(prefix="work-", dir=self.folder) as work:
                yield Path(work)

    def _trim(self, kept: int) -> None:
        for pattern in PARTS:
            by_use = sorted(self.folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
            _remove(by_use[kept:])

    def part(self, name: str, what: str, make: Callable[[Path], None]) -> Path:
        """Return the part `name`; when it is not there, `make` writes it to the path that it is given."""
        path = self.folder / name
        if not path.exists():
            with told(what), tempfile.TemporaryDirectory(prefix="work-", dir=self.folder) as work:
                made = Path(work) / name
                make(made)
                made.rename(path)
        os.utime(path)
        return path


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
