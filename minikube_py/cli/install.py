"""`minikube-py install [server|agent]`: run the node under systemd, from this boot on."""

from collections.abc import Mapping
from typing import Any

import click

from minikube_py.agent.installation import InstallOrder
from minikube_py.agent.installation import install as install_program
from minikube_py.cli.completion import render_completion
from minikube_py.cli.settings import with_given_settings
from minikube_py.config import AgentConfig
from minikube_py.install.plan import Role
from minikube_py.kit.io.logs import set_up_logs


@click.command()
@click.argument("role", type=click.Choice(["server", "agent"]), default="server")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--no-start", is_flag=True, help="Enable the unit, but do not start it now.")
@with_given_settings
@click.pass_context
def install(
    context: click.Context, config: AgentConfig, given: Mapping[str, Any], role: Role, dry_run: bool, no_start: bool
) -> None:
    """Put this program, its settings, its systemd unit and its completion in their places, and start it.

    Flags and MINIKUBE_PY_* variables are kept in /etc/minikube-py/config.yaml, so that later starts know them. Done
    again with the same settings it changes nothing.

    \b
    Examples:
      minikube-py install                                  a server with the defaults
      minikube-py install server --node-ip 192.0.2.10 --tls-san api.example.org
      minikube-py install agent --server https://192.0.2.10:6443 --token TOKEN
      minikube-py install --dry-run                        what would be done
    """  # noqa: D301 - click's mark against rewrapping
    set_up_logs(config.log_format, 0)
    completion = render_completion(context.find_root().command, "bash")
    install_program(InstallOrder(role, config, given, completion, start=not no_start, dry_run=dry_run), click.echo)
