"""The root command, and how every command ends: 0, 1 with one explaining line, 2 for wrong usage.

A command's module is imported when the command is called: the server's parts take over a second of CPU to import, and
`version` needs none of them.
"""

import sys
from importlib import import_module

import click

from minikube_py.kit.errors import UserError

COMMANDS = {
    "server": "Run one node with everything: API server, scheduler, controllers, kubelet, proxy, DNS.",
    "agent": "Run one node of a cluster whose master is elsewhere: kubelet, proxy, DNS.",
    "token": "Make, show and take back what lets hosts join the cluster.",
    "status": "Show this node, the API server and the health of each component.",
    "doctor": "Check this host and say how to mend each failure; exit status 0 only when a node could run.",
    "kubeconfig": "Print a kubeconfig with everything inside, for kubectl here or on another host.",
    "down": "Stop this node's agent and pods and remove its links, rules and mounts; the data stays.",
    "image": "Make, load and list the images of this node's Docker engine.",
    "snapshot": "Save, list, check and restore snapshots of the cluster's state.",
    "secrets-encrypt": "Show and change the keys that Secrets are encrypted with at rest.",
    "install": "Put this program, its settings, its systemd unit and its completion in their places, and start it.",
    "upgrade": "Put FILE in the installed program's place and restart the unit; pods run on meanwhile.",
    "uninstall": "Stop the unit and every pod, then remove links, rules, data, settings and program; asks first.",
    "completion": "Print the completion script of a shell.",
    "version": "Print this program's version and the Kubernetes version that it serves.",
}
"""The commands in the order of the help, each with its docstring's first sentence, and in the module of its name."""


class LazyCommands(click.Group):
    """The group whose commands' modules are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, imported now; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(f"minikube_py.cli.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table: help needs no command's module."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """A whole Kubernetes in one process per Linux host.

    \b
    Examples:
      minikube-py doctor                      could a node run on this host
      minikube-py server                      run one node with everything
      minikube-py token create                what another host needs to join
      minikube-py agent --server … --token …  join, on that host
      minikube-py status                      how it fares
      minikube-py kubeconfig > config.yaml    for kubectl on another host
      minikube-py down                        stop every pod of this node
    """  # noqa: D301 - click's mark against rewrapping


def run() -> None:
    """Run the command line and exit."""
    try:
        cli(prog_name="minikube-py")
    except UserError as error:
        for line in str(error).splitlines():
            click.echo(f"minikube-py: {line}", err=True)
        sys.exit(1)
