"""The playbooks and the Vagrantfile, by the tools of their own worlds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
PLAYBOOKS = SCRIPTS / "ansible"
TOOLS = Path(sys.executable).parent


def run(*argv, home):
    environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "ANSIBLE_HOME": str(home), "NO_COLOR": "1"}
    done = subprocess.run(argv, cwd=PLAYBOOKS, env=environment, capture_output=True, text=True)
    return done.returncode, f"{done.stdout}{done.stderr}"


def test_yamllint_has_nothing_to_say(tmp_path):
    assert run("yamllint", "--strict", ".", home=tmp_path) == (0, "")


@pytest.mark.slow
def test_ansible_lint_passes_its_production_profile(tmp_path):
    code, said = run("ansible-lint", "--offline", home=tmp_path)
    assert code == 0, said
    assert "Profile 'production' was required, and it passed" in said


@pytest.mark.slow
@pytest.mark.parametrize("playbook", ["site.yml", "upgrade.yml", "reset.yml"])
def test_the_example_inventory_and_every_playbook_are_understood(playbook, tmp_path):
    code, said = run("ansible-playbook", "--syntax-check", "-i", "inventory.example.yml", playbook, home=tmp_path)
    assert code == 0, said
    assert f"playbook: {playbook}" in said


@pytest.mark.node
def test_ruby_understands_the_vagrantfile(tmp_path):
    assert run("ruby", "-c", str(SCRIPTS / "vagrant" / "Vagrantfile"), home=tmp_path) == (0, "Syntax OK\n")
