import os
import subprocess

import pytest
import uvloop

from minikube_py.kit.io.process import ProcessError, keep_own_files, kill_child, run_program


async def test_a_program_gets_its_input_and_gives_its_output():
    finished = await run_program(["sh", "-c", "cat; echo no >&2; exit 3"], stdin=b"yes")

    assert (finished.exit_code, finished.stdout, finished.stderr) == (3, "yes", "no\n")


async def test_output_beyond_the_bound_is_dropped_and_holds_nobody_up():
    finished = await run_program(["sh", "-c", "echo first; head -c 1000000 /dev/zero"], output_bytes_max=5)

    assert (finished.exit_code, finished.stdout) == (0, "first")


async def test_variables_are_added_to_the_environment():
    finished = await run_program(["sh", "-c", 'echo "$SECRET"; test -n "$PATH"'], variables={"SECRET": "s"})

    assert (finished.exit_code, finished.stdout) == (0, "s\n")


async def test_a_missing_program_is_named():
    with pytest.raises(ProcessError, match="no-such-program"):
        await run_program(["no-such-program"])


async def test_a_program_that_hangs_is_killed():
    with pytest.raises(ProcessError, match="did not end"):
        await run_program(["sleep", "60"], timeout_s=0.05)


def test_a_program_that_ends_without_reading_is_no_fault_under_uvloop():
    # uvloop raises RuntimeError where asyncio's own loop raises BrokenPipeError.
    finished = uvloop.run(run_program(["true"], stdin=b"x" * (1 << 20)))

    assert finished.exit_code == 0


def test_a_child_that_is_just_ending_is_left_to_those_who_wait_for_it():
    child = subprocess.Popen(["false"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    kill_child(child.pid)

    assert os.waitpid(child.pid, os.WNOHANG) == (child.pid, 1 << 8)
    kill_child(child.pid)
    child.wait()


def test_a_program_has_no_file_that_this_process_was_started_with(tmp_path):
    (tmp_path / "in-use").touch()
    mark = os.open(tmp_path / "in-use", os.O_RDONLY)
    os.set_inheritable(mark, True)
    try:
        keep_own_files()
        finished = uvloop.run(run_program(["sh", "-c", "ls -l /proc/self/fd"]))
    finally:
        os.close(mark)

    assert "in-use" not in finished.stdout
    assert [os.get_inheritable(number) for number in range(3)] == [True] * 3
