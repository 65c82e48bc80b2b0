"""The root command knows its commands without importing them."""

import json
import subprocess
import sys

import click
import pytest

from minikube_py.cli.root import COMMANDS, cli

HEAVY = ("asyncio", "aiohttp", "cryptography", "minikube_py.agent.server", "minikube_py.config", "yaml")


@pytest.mark.parametrize("name", COMMANDS)
def test_table_says_what_the_command_says_of_itself(name):
    command = cli.get_command(click.Context(cli), name)
    assert command.name == name
    first = " ".join(command.help.split("\n\n")[0].split())
    assert first.startswith(COMMANDS[name].rstrip("."))


def test_there_is_no_command_of_another_name():
    assert cli.get_command(click.Context(cli), "sever") is None


def test_version_and_help_import_nothing_of_the_server():
    script = (
        "import sys, json\nfrom minikube_py.cli.root import cli\n"
        "cli(['version'], standalone_mode=False)\ncli(['--help'], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = json.loads(done.stdout.splitlines()[-1])
    assert "minikube_py.cli.version" in imported
    assert not [name for name in HEAVY if name in imported]
