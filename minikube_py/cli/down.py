"""`minikube-py down`: stop every pod of this node and take its links, rules and mounts away."""

import click

from minikube_py.agent.commands import take_down
from minikube_py.cli.output import output_option, print_json
from minikube_py.cli.settings import with_settings
from minikube_py.config import AgentConfig
from minikube_py.kit.io.logs import set_up_logs


@click.command()
@output_option
@with_settings()
def down(config: AgentConfig, output: str) -> None:
    """Stop this node's agent and pods and remove its links, rules and mounts; the data stays.

    \b
    Examples:
      minikube-py down
      minikube-py down --data-dir /srv/n2 --docker-host unix:///srv/n2/docker.sock
    """  # noqa: D301 - click's mark against rewrapping
    set_up_logs(config.log_format, 0)
    removed = take_down(config)
    if output == "json":
        print_json(removed)
        return
    counts = ", ".join(f"{count} {what}" for what, count in removed.items())
    click.echo(f"{counts} removed, with their links, rules and mounts; the data stays in {config.data_dir}")
