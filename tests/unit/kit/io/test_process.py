import pytest

from minikube_py.kit.io.process import ProcessError, run_program


async def test_a_program_gets_its_input_and_gives_its_output():
    finished = await run_program(["sh", "-c", "cat; echo no >&2; exit 3"], stdin=b"yes")

    assert (finished.exit_code, finished.stdout, finished.stderr) == (3, "yes", "no\n")


async def test_a_missing_program_is_named():
    with pytest.raises(ProcessError, match="no-such-program"):
        await run_program(["no-such-program"])


async def test_a_program_that_hangs_is_killed():
    with pytest.raises(ProcessError, match="did not end"):
        await run_program(["sleep", "60"], timeout_s=0.05)
