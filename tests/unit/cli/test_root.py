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


def every_command(group=cli, *before):
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        yield pytest.param(command, id=" ".join((*before, name)))
        if isinstance(command, click.Group):
            yield from every_command(command, *before, name)


@pytest.mark.parametrize("command", tuple(every_command()))
def test_every_command_shows_how_it_is_used(command, request):
    words = request.node.callspec.id
    examples = command.help.partition("Examples:\n")[2]
    assert f"minikube-py {words}" in examples, f"its help has no example of {words}"


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
