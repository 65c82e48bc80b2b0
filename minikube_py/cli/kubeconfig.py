"""`minikube-py kubeconfig`: an administrator's kubeconfig on standard output."""

import click

from minikube_py.agent.commands import admin_kubeconfig
from minikube_py.cli.settings import with_settings
from minikube_py.config import AgentConfig


@click.command()
@click.option("--server", "server_url", help="The API server's URL in it.  [default: https://NODE-IP:PORT]")
@with_settings("data-dir", "node-ip", "https-listen-port")
def kubeconfig(config: AgentConfig, server_url: str | None) -> None:
    """Print a kubeconfig with everything inside, for kubectl here or on another host.

    \b
    Examples:
      minikube-py kubeconfig > ~/.kube/config
      minikube-py kubeconfig --server https://api.example.org:6443
    """  # noqa: D301 - click's mark against rewrapping
    click.echo(admin_kubeconfig(config, server_url), nl=False)
