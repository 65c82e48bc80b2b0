import os
import subprocess
import sys

import pytest

from minikube_py.kit.io.files import FolderHeldError, held_folder, make_private_folder, write_atomic


def test_a_written_file_has_its_content_and_mode(tmp_path):
    write_atomic(tmp_path / "f", b"new", 0o600)

    assert (tmp_path / "f").read_bytes() == b"new"
    assert os.stat(tmp_path / "f").st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "f"
    target.mkdir()

    with pytest.raises(IsADirectoryError):
        write_atomic(target, b"new", 0o600)
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_private_folder_is_private_even_when_it_was_there(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True, mode=0o755)

    make_private_folder(folder)

    assert folder.stat().st_mode & 0o777 == 0o700


HOLD = """
import sys
from pathlib import Path
from minikube_py.kit.io.files import held_folder
with held_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_has_one_holder_and_is_free_when_that_is_killed(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(FolderHeldError), held_folder(tmp_path):
            pass
        other.kill()
    with held_folder(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
