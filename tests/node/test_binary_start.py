"""How the one file starts: its own front end with small archives behind it, on hosts that stand in its way."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools.onefile.payload import join, pack, split
from tools.onefile.tree import PROGRAM

pytestmark = pytest.mark.node

SAY_ARGUMENTS = '#!/bin/sh\necho "$MINIKUBE_PY_FILE" "$@"\n'
UNTIL_END_OF_INPUT = "#!/bin/sh\necho started\nread line\n"


@pytest.fixture
def make_file(binary, tmp_path):
    """Gives what makes a file with the front end of the real one and a script in place of Python."""
    stub = split(binary.read_bytes()).stub
    made = []

    def make(script=SAY_ARGUMENTS, ballast=b""):
        tree = tmp_path / f"tree-{len(made)}"
        program = tree / PROGRAM
        program.parent.mkdir(parents=True)
        program.write_text(script)
        program.chmod(0o755)
        more = tmp_path / f"more-{len(made)}"
        (more / "bin").mkdir(parents=True)
        (more / "bin/ballast").write_bytes(ballast)
        file = tmp_path / f"file-{len(made)}"
        file.write_bytes(join(stub, [pack(tree), pack(more)]))
        file.chmod(0o755)
        made.append(file)
        return file

    return make


@pytest.fixture
def runtimes(tmp_path):
    return tmp_path / "deep/runtimes"


@pytest.fixture
def open_folder():
    """A folder that other users can reach: pytest's own are root's alone."""
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}


def start(file, runtimes, *arguments, **options):
    environment = {**os.environ, "MINIKUBE_PY_RUNTIME_DIR": str(runtimes)}
    return subprocess.Popen(
        [file, *arguments], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def run(file, runtimes, *arguments, **options):
    process = start(file, runtimes, *arguments, **options)
    out, err = process.communicate()
    return process.returncode, out, err


@contextmanager
def mounted(folder, options):
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def one_line(outcome):
    code, out, err = outcome
    assert (code, out) == (1, "")
    assert err.startswith("minikube-py: ")
    assert err.count("\n") == 1
    return err


def test_program_gets_the_arguments_and_the_files_own_path(make_file, runtimes):
    file = make_file()
    for _ in range(2):
        assert run(file, runtimes, "a b", "") == (0, f"{file} -I -B -m minikube_py a b \n", "")


def test_starts_at_the_same_time_unpack_once(make_file, runtimes):
    file = make_file(ballast=os.urandom(2_000_000))
    processes = [start(file, runtimes) for _ in range(12)]
    assert [process.communicate()[1:] + (process.returncode,) for process in processes] == [("", 0)] * 12
    assert names(runtimes) == [".unpacking", split(file.read_bytes()).name]


def test_what_a_killed_start_left_is_removed_by_the_next(make_file, runtimes):
    left = runtimes / ".new-abcdef/bin"
    left.mkdir(parents=True)
    (left / "half").write_text("half")
    file = make_file()
    assert run(file, runtimes)[0] == 0
    assert names(runtimes) == [".unpacking", split(file.read_bytes()).name]


def test_older_runtime_stays_while_a_process_uses_it(make_file, runtimes):
    old, new, third = make_file(UNTIL_END_OF_INPUT), make_file(ballast=b"new"), make_file(ballast=b"third")
    old_name, new_name, third_name = (split(file.read_bytes()).name for file in (old, new, third))
    user = start(old, runtimes)
    assert user.stdout.readline() == "started\n"
    run(new, runtimes)
    assert {old_name, new_name} < set(names(runtimes))
    user.communicate()
    run(third, runtimes)
    assert names(runtimes) == sorted([".unpacking", third_name])


def test_other_users_start_what_root_unpacked_whatever_roots_umask(make_file, open_folder):
    file = shutil.copy2(make_file(), open_folder)
    assert run(file, open_folder / "runtimes", umask=0o077)[0] == 0
    assert run(file, open_folder / "runtimes", "x", **NOBODY) == (0, f"{file} -I -B -m minikube_py x\n", "")


def test_file_that_is_cut_short_says_so(make_file, runtimes):
    file = make_file(ballast=os.urandom(100_000))
    whole = file.read_bytes()
    file.write_bytes(whole[:-50_000])
    assert "cut short: copy it again" in one_line(run(file, runtimes))
    middle = len(whole) - 60_000
    file.write_bytes(whole[:middle] + bytes(100) + whole[middle + 100 :])
    assert "damaged: copy it again" in one_line(run(file, runtimes))
    assert names(runtimes) == [".unpacking"]


def test_full_disk_is_named_and_left_as_it_was(make_file, tmp_path):
    file = make_file(ballast=os.urandom(300_000))
    with mounted(tmp_path / "full", "size=128k") as folder:
        line = one_line(run(file, folder / "runtimes"))
        assert "No space left on device" in line
        assert "MINIKUBE_PY_RUNTIME_DIR" in line
        assert names(folder / "runtimes") == [".unpacking"]


def test_read_only_disk_is_named_until_something_is_unpacked_there(make_file, tmp_path):
    file = make_file()
    with mounted(tmp_path / "disk", "size=1m") as folder:
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        assert "Read-only file system; start it once" in one_line(run(file, folder / "runtimes"))
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        assert run(file, folder / "runtimes")[0] == 0
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        assert run(file, folder / "runtimes")[0] == 0


def test_mount_without_programs_is_named(make_file, tmp_path):
    file = make_file()
    with mounted(tmp_path / "disk", "size=1m,noexec") as folder:
        assert "is on a mount with noexec" in one_line(run(file, folder / "runtimes"))
        assert not (folder / "runtimes" / split(file.read_bytes()).name).exists()
        subprocess.run(["mount", "-o", "remount,exec", folder], check=True)
        assert run(file, folder / "runtimes")[0] == 0
        subprocess.run(["mount", "-o", "remount,noexec", folder], check=True)
        assert "is on a mount with noexec" in one_line(run(file, folder / "runtimes"))


def test_user_who_may_not_write_is_told_what_to_do(make_file, open_folder):
    file = shutil.copy2(make_file(), open_folder)
    assert "Permission denied; start it once as root" in one_line(run(file, open_folder / "runtimes", **NOBODY))
    assert "an absolute path is needed" in one_line(run(file, "somewhere"))


def test_host_without_glibc_is_told_so(make_file, tmp_path):
    root = tmp_path / "root"
    (root / "proc").mkdir(parents=True)
    file = make_file()
    tree = tmp_path / "real"
    (tree / "bin").mkdir(parents=True)
    shutil.copy("/bin/true", tree / PROGRAM)
    file.write_bytes(join(split(file.read_bytes()).stub, [pack(tree)]))
    shutil.copy(file, root / "file")
    subprocess.run(["mount", "--bind", "/proc", root / "proc"], check=True)
    try:
        done = subprocess.run(["chroot", root, "/file"], capture_output=True, text=True)
    finally:
        subprocess.run(["umount", root / "proc"], check=True)
    assert "lacks the GNU C library" in one_line((done.returncode, done.stdout, done.stderr))
