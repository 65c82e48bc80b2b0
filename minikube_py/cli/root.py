"""The root command, and how every command ends: 0, 1 with one explaining line, 2 for wrong usage."""

import sys

import click

from minikube_py.agent.errors import AgentError
from minikube_py.cli.completion import completion
from minikube_py.cli.doctor import doctor
from minikube_py.cli.down import down
from minikube_py.cli.image import image
from minikube_py.cli.install import install
from minikube_py.cli.kubeconfig import kubeconfig
from minikube_py.cli.secrets_encrypt import secrets_encrypt
from minikube_py.cli.server import server
from minikube_py.cli.snapshot import snapshot
from minikube_py.cli.status import status
from minikube_py.cli.uninstall import uninstall
from minikube_py.cli.upgrade import upgrade
from minikube_py.cli.version import version
from minikube_py.config import ConfigError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """A whole Kubernetes in one process per Linux host.

    \b
    Examples:
      minikube-py doctor                      could a node run on this host
      minikube-py server                      run one node with everything
      minikube-py status                      how it fares
      minikube-py kubeconfig > config.yaml    for kubectl on another host
      minikube-py down                        stop every pod of this node
    """  # noqa: D301 - click's mark against rewrapping


COMMANDS = (
    *(server, status, doctor, kubeconfig, down, image, snapshot, secrets_encrypt),
    *(install, upgrade, uninstall, completion, version),
)
for command in COMMANDS:
    cli.add_command(command)


def run() -> None:
    """Run the command line and exit."""
    try:
        cli(prog_name="minikube-py")
    except (AgentError, ConfigError) as error:
        for line in str(error).splitlines():
            click.echo(f"minikube-py: {line}", err=True)
        sys.exit(1)
