"""The real disk (store.disk.Disk): thin calls to the operating system, each of which blocks."""

import os
from contextlib import suppress
from pathlib import Path


class LocalFile:
    """An open file (store.disk.DiskFile)."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._through_fd: int | None = None

    @property
    def size(self) -> int:
        """The file's length in bytes."""
        return os.fstat(self._fd).st_size

    def write_at(self, data: bytes | memoryview, offset: int) -> None:
        """Write all of `data`."""
        _write_all(self._fd, data, offset)

    def write_through(self, data: bytes, offset: int) -> None:
        """Write all of `data` and make it durable, in one call.

        Between two calls a thread must wait for the interpreter, which a busy event loop lends only now and then.
        """
        if self._through_fd is None:
            # The same file once more, by an open flag: pwritev2's needs Linux 4.7 and a Python made for glibc 2.26.
            self._through_fd = os.open(f"/proc/self/fd/{self._fd}", os.O_WRONLY | os.O_DSYNC | os.O_CLOEXEC)
        _write_all(self._through_fd, data, offset)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes, fewer at the file's end."""
        data = os.pread(self._fd, length, offset)
        while len(data) < length and (more := os.pread(self._fd, length - len(data), offset + len(data))):
            data += more
        return data

    def truncate(self, size: int) -> None:
        """Cut the file off at `size`."""
        os.ftruncate(self._fd, size)

    def sync(self) -> None:
        """Make what was written durable."""
        os.fdatasync(self._fd)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)
        if self._through_fd is not None:
            os.close(self._through_fd)


def _write_all(fd: int, data: bytes | memoryview, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


class LocalDisk:
    """The files of this host."""

    def names(self, folder: Path) -> list[str]:
        """Return the names of the files in a folder, sorted; none when it does not exist."""
        try:
            return sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
        except FileNotFoundError:
            return []

    def open(self, path: Path) -> LocalFile:
        """Open an existing file for reading and writing."""
        return LocalFile(os.open(path, os.O_RDWR | os.O_CLOEXEC))

    def create(self, path: Path) -> LocalFile:
        """Make an empty file, readable by its owner alone, in place of any that is there."""
        return LocalFile(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))

    def rename(self, path: Path, new: Path) -> None:
        """Give a file another name, in place of any that has it."""
        path.rename(new)

    def remove(self, path: Path) -> None:
        """Remove a file; fine when it is gone already."""
        with suppress(FileNotFoundError):
            path.unlink()

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def free_bytes(self, folder: Path) -> int:
        """Return how much room there is for files in the folder."""
        facts = os.statvfs(folder)
        return facts.f_bavail * facts.f_frsize
