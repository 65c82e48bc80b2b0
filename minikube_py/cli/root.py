"""The root command, and how every command ends: 0, 1 with one explaining line, 2 for wrong usage.

A command's module is imported when the command is asked for: an agent has no use for what a server imports.
"""

import importlib
import sys

import click

from minikube_py.agent.errors import AgentError
from minikube_py.config import ConfigError

COMMANDS = (
    "server",
    "agent",
    "status",
    "doctor",
    "kubeconfig",
    "down",
    "image",
    "snapshot",
    "secrets-encrypt",
    "version",
)
"""Each is in the module of its name."""


class CommandModules(click.Group):
    """Finds its commands in modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"minikube_py.cli.{name}"), name)
        return command


@click.group(cls=CommandModules, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """A whole Kubernetes in one process per Linux host.

    \b
    Examples:
      minikube-py doctor                      could a node run on this host
      minikube-py server                      run one node with everything
      minikube-py agent --server … --token …  join, on that host
      minikube-py status                      how it fares
      minikube-py kubeconfig > config.yaml    for kubectl on another host
      minikube-py down                        stop every pod of this node
    """  # noqa: D301 - click's mark against rewrapping


def run() -> None:
    """Run the command line and exit."""
    try:
        cli(standalone_mode=True)
    except (AgentError, ConfigError) as error:
        for line in str(error).splitlines():
            click.echo(f"minikube-py: {line}", err=True)
        sys.exit(1)
