"""A store's folder belongs to one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minikube_py.kit.io.files import sync_folder
from minikube_py.store.interface import StoreOpenError
from minikube_py.store.layout import LOCK


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder if need be, and hold it for this process alone (flock: it ends with the process).

    Raises:
        StoreOpenError: it cannot be used, or another process holds it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(folder.parent)
        fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreOpenError(f"cannot use {folder}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "unknown"
            raise StoreOpenError(f"the store in {folder} is in use by process {holder}") from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(fd)
