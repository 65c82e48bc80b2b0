import os
import re
from pathlib import Path

import pytest

from minikube_py.store.io.local_disk import LocalDisk

DISK = LocalDisk()


def test_files_are_made_written_read_cut_renamed_and_removed(tmp_path):
    file = DISK.create(tmp_path / "a")
    file.write_at(b"hello world", 3)
    assert (file.size, file.read_at(0, 100), file.read_at(8, 3)) == (14, b"\0\0\0hello world", b" wo")
    file.truncate(8)
    file.sync()
    file.close()
    DISK.rename(tmp_path / "a", tmp_path / "b")
    DISK.sync_folder(tmp_path)
    assert DISK.names(tmp_path) == ["b"]
    file = DISK.open(tmp_path / "b")
    assert file.read_at(0, file.size) == b"\0\0\0hello"
    file.close()
    DISK.create(tmp_path / "b").close()
    assert (tmp_path / "b").read_bytes() == b""
    DISK.remove(tmp_path / "b")
    DISK.remove(tmp_path / "b")
    assert DISK.names(tmp_path) == []


def test_a_missing_folder_has_no_files_and_a_missing_file_cannot_be_opened(tmp_path):
    assert DISK.names(tmp_path / "nowhere") == []
    with pytest.raises(FileNotFoundError):
        DISK.open(tmp_path / "nowhere")


def test_a_file_is_for_its_owner_alone_and_the_disk_has_room(tmp_path):
    DISK.create(tmp_path / "a").close()

    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert DISK.free_bytes(tmp_path) > 0


def _open_flags(path):
    """The flags of every descriptor of this process that is open on the file."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        if entry.is_symlink() and os.readlink(entry) == str(path):
            facts = Path(f"/proc/self/fdinfo/{entry.name}").read_text()
            found.append(int(re.search(r"flags:\s*(\d+)", facts)[1], 8))
    return found


def test_what_is_written_through_goes_by_a_descriptor_whose_writes_are_durable_when_they_return(tmp_path):
    path = tmp_path / "log"
    file = DISK.create(path)
    file.write_at(b"0123456789", 0)
    assert not [flags for flags in _open_flags(path) if flags & os.O_DSYNC]
    file.write_through(b"abc", 4)
    file.write_through(b"de", 7)
    assert len([flags for flags in _open_flags(path) if flags & os.O_DSYNC]) == 1
    assert file.read_at(0, 20) == b"0123abcde9"
    file.close()
    assert _open_flags(path) == []
