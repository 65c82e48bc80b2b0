"""The completion scripts of the shells."""

import subprocess

import pytest

from minikube_py.cli.completion import render_completion
from minikube_py.cli.root import cli


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_asks_the_program_for_its_words(shell):
    script = render_completion(cli, shell)
    assert f"_MINIKUBE_PY_COMPLETE={shell}_complete" in script
    assert "minikube-py" in script


def test_bash_takes_the_script_also_in_version_4_2():
    script = render_completion(cli, "bash")
    assert "nosort" not in script
    assert "complete " in script
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True).stderr == ""
