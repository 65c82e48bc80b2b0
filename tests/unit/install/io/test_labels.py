import pytest

from minikube_py.install.io.labels import restore_labels
from minikube_py.install.plan import InstallError


def a_program(folder, text):
    program = folder / "restorecon"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return str(program)


async def test_files_and_folders_get_their_labels_where_they_are_there(tmp_path):
    program = a_program(tmp_path, f'echo "$@" > {tmp_path}/asked')

    assert await restore_labels(["/a", "/b"], program) == ""
    assert (tmp_path / "asked").read_text() == "-R -i /a /b\n"


async def test_a_host_without_the_program_is_told_so_and_is_no_fault(tmp_path):
    assert "restorecon" in await restore_labels(["/a"], f"{tmp_path}/restorecon")


async def test_labels_that_cannot_be_set_end_the_installation(tmp_path):
    program = a_program(tmp_path, "echo no such context >&2; exit 255")

    with pytest.raises(InstallError, match="no such context"):
        await restore_labels(["/a"], program)
