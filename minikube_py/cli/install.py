"""`minikube-py install [server|agent]`: run the node under systemd, from this boot on."""

from collections.abc import Mapping
from typing import Any

import click

from minikube_py.agent.installation import InstallOrder
from minikube_py.agent.installation import install as install_program
from minikube_py.cli.completion import render_completion
from minikube_py.cli.output import output_option, print_json, steps_printer
from minikube_py.cli.settings import with_given_settings
from minikube_py.config import AgentConfig
from minikube_py.kit.io.logs import set_up_logs


@click.command()
@click.argument("role", type=click.Choice(["server", "agent"]), default="server")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@output_option
@click.option("--no-start", "start", flag_value=False, default=True, help="Enable the unit, but do not start it now.")
@with_given_settings
def install(config: AgentConfig, given: Mapping[str, Any], output: str, **chosen: Any) -> None:
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
    completion = render_completion(click.get_current_context().find_root().command, "bash")
    order = InstallOrder(config=config, given=given, completion=completion, **chosen)
    effects = install_program(order, steps_printer(output))
    if output == "json":
        steps = [{"path": path, "effect": effect} for path, effect in effects]
        print_json({"changed": any(effect != "unchanged" for _, effect in effects), "steps": steps})
