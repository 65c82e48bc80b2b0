"""Writes a volume's payload so that a reader sees the old files or the new ones, never a mixture.

    volume/..2026_01_01_00_00_00.123456789/key    the files
    volume/..data -> ..2026_01_01_00_00_00.123456789     replaced by one rename
    volume/key -> ..data/key                      what the pod sees

Only the first part of a path is a link in the volume. A payload that is already there is not written again. Upstream:
volume/util/atomic_writer.go.
"""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Sequence

from minikube_py.kubelet.volume_ownership import group_mode
from minikube_py.kubelet.volumes import ProjectedFile

DATA = "..data"
_NEW_DATA = "..data_tmp"


def write_payload(directory: str, files: Sequence[ProjectedFile], gid: int | None) -> bool:
    """Bring `directory` to hold exactly `files`; return whether anything was written.

    Raises:
        OSError: it could not be written; the old payload is then still in place.
    """
    data = os.path.join(directory, DATA)
    old = os.readlink(data) if os.path.islink(data) else ""
    if old and _holds(os.path.join(directory, old), files, gid):
        _link_names(directory, files)
        return False
    new = tempfile.mkdtemp(prefix=time.strftime("..%Y_%m_%d_%H_%M_%S.", time.gmtime()), dir=directory)
    os.chmod(new, 0o755)  # noqa: S103 - containers of any user read it
    try:
        for file in files:
            _write(new, file, gid)
    except OSError:
        shutil.rmtree(new, ignore_errors=True)
        raise
    new_link = os.path.join(directory, _NEW_DATA)
    if os.path.islink(new_link):
        os.unlink(new_link)
    os.symlink(os.path.basename(new), new_link)
    os.rename(new_link, data)
    _link_names(directory, files)
    _remove_others(directory, os.path.basename(new))
    return True


def _remove_others(directory: str, kept: str) -> None:
    """Remove the payload that was replaced, and what a kubelet that was killed meanwhile left half-written."""
    for entry in os.scandir(directory):
        if entry.name.startswith("..") and entry.name != kept and entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)


def _write(root: str, file: ProjectedFile, gid: int | None) -> None:
    path = os.path.join(root, file.path)
    parent = os.path.dirname(path)
    if parent != root:
        os.makedirs(parent, 0o755, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(file.data)
    # A group that is to read gets the right to, whatever the mode says.
    os.chmod(path, _mode(file, gid))
    if gid is not None or file.owner is not None:
        os.chown(path, -1 if file.owner is None else file.owner, -1 if gid is None else gid)


def _mode(file: ProjectedFile, gid: int | None) -> int:
    return file.mode if gid is None else group_mode(stat.S_IFREG | file.mode, read_only=True)


def _holds(root: str, files: Sequence[ProjectedFile], gid: int | None) -> bool:
    found: set[str] = set()
    for folder, _, names in os.walk(root):
        found.update(os.path.relpath(os.path.join(folder, name), root) for name in names)
    if found != {file.path for file in files}:
        return False
    return all(_same(os.path.join(root, file.path), file, gid) for file in files)


def _same(path: str, file: ProjectedFile, gid: int | None) -> bool:
    with open(path, "rb") as opened:
        return opened.read() == file.data and stat.S_IMODE(os.fstat(opened.fileno()).st_mode) == _mode(file, gid)


def _link_names(directory: str, files: Sequence[ProjectedFile]) -> None:
    wanted = {file.path.split("/")[0] for file in files}
    for entry in os.scandir(directory):
        if entry.is_symlink() and not entry.name.startswith("..") and entry.name not in wanted:
            os.unlink(entry.path)
    for name in sorted(wanted):
        path = os.path.join(directory, name)
        if not os.path.islink(path):
            os.symlink(os.path.join(DATA, name), path)
