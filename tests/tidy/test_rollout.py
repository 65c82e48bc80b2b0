"""The playbooks and the Vagrantfile, by the tools of their own worlds."""

import json
import os
import shutil
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


@pytest.mark.node
def test_the_vagrantfile_makes_the_wanted_number_of_machines_and_ends_with_the_list_of_nodes(tmp_path):
    folder, tools = tmp_path / "lab", tmp_path / "bin"
    (folder / ".vagrant").mkdir(parents=True)
    shutil.copy(SCRIPTS / "vagrant" / "Vagrantfile", folder)
    program = tmp_path / "minikube-py"
    program.touch()
    tools.mkdir()
    (tools / "kubectl").write_text('#!/bin/sh\necho "kubectl $*"\n')
    (tools / "kubectl").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "NODES": "2",
        "BOX": "generic/centos7",
        "MINIKUBE_PY_FILE": str(program),
    }
    stand_in = Path(__file__).with_name("vagrant_stand_in.rb")
    done = subprocess.run(
        ["ruby", stand_in, folder / "Vagrantfile"], env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout == f"kubectl --kubeconfig {folder}/kubeconfig get nodes -o wide\n"
    made = json.loads(done.stderr)
    assert made["serial"], "agents need the server's token"
    assert made["box"] == "generic/centos7"
    assert made["folders"] == [[".", "/vagrant", {"disabled": True}]]
    machines = {machine["name"]: machine for machine in made["machines"]}
    assert [machine["missing"] for machine in machines.values()] == [[], []]
    for name, role, address in (("node1", "server", "192.168.56.11"), ("node2", "agent", "192.168.56.12")):
        settings = machines[name]["vm"]
        assert settings["hostname"] == name
        assert settings["network calls"] == [["private_network", {"ip": address, "netmask": "255.255.255.0"}]]
        *_, (kind, shell) = settings["provision calls"]
        assert (kind, shell["args"]) == ("shell", [role, address, "192.168.56.11"])
    token, config = folder / ".vagrant" / "token", folder / "kubeconfig"
    assert token.read_text() == "node1: /usr/local/bin/minikube-py token create --ttl 1h"
    assert config.read_text() == "node1: /usr/local/bin/minikube-py kubeconfig"
    assert [path.stat().st_mode & 0o777 for path in (token, config)] == [0o600, 0o600]
