"""Running the build's programs."""

import pytest

from tools.onefile.steps import BuildError, Steps, output_of


def test_failing_step_shows_its_own_last_lines(tmp_path):
    steps = Steps(tmp_path / "log")
    steps.run(["sh", "-c", "echo fine"], cwd=tmp_path)
    with pytest.raises(BuildError) as failed:
        steps.run(["sh", "-c", "echo $WHY; exit 3"], cwd=tmp_path, WHY="no-such-header")
    assert "failed (3)" in str(failed.value)
    assert str(failed.value).endswith("no-such-header")
    assert "fine" not in str(failed.value)
    assert "fine" in (tmp_path / "log").read_text()


def test_output_of_a_failing_program_is_an_error_with_its_words():
    assert output_of(["echo", "yes"]) == "yes\n"
    with pytest.raises(BuildError, match="nothing here"):
        output_of(["sh", "-c", "echo nothing here >&2; exit 1"])
