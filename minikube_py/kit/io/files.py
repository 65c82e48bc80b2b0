"""Files and folders that processes and crashes share: a file is the old or the new one, a folder has one holder."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

COPY_BYTES = 1 << 20


class FolderHeldError(Exception):
    """Another process holds the folder."""


def write_atomic(path: Path, data: bytes, mode: int) -> None:
    """Write `data` beside `path`, sync it, and rename it into place; the folder is synced too.

    Raises:
        OSError: it could not be written; the old file is untouched.
    """
    with _replacing(path, mode) as file:
        file.write(data)


def copy_atomic(source: Path, target: Path, mode: int) -> None:
    """Copy a file of any size, as `write_atomic` writes one.

    Raises:
        OSError: it could not be copied; what was at `target` is untouched.
    """
    with source.open("rb") as reader, _replacing(target, mode) as writer:
        shutil.copyfileobj(reader, writer, COPY_BYTES)


@contextmanager
def _replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    """Give a file that takes the place of `path` when the context ends without an error."""
    temporary = path.with_name(f".{path.name}.tmp")
    with suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)  # whatever the umask took away
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    sync_folder(path.absolute().parent)


def sync_folder(folder: Path) -> None:
    """Make renames and new files in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private_folder(path: Path) -> None:
    """Make `path` (and its parents) with mode 0700 if it is not there, and its own mode 0700 in any case.

    Raises:
        OSError: it cannot be made or is not ours to change.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


@contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Hold a folder for this process alone while the context lasts (flock: it ends with the process).

    Raises:
        FolderHeldError: another process holds it.
        OSError: it cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderHeldError(str(folder)) from None
        yield
    finally:
        os.close(descriptor)
