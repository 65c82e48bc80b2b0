"""`minikube-py uninstall`: everything of this host's node goes, and what is left is told."""

import sys

import click

from minikube_py.agent.uninstallation import uninstall as remove_all
from minikube_py.cli.output import output_option, print_json, steps_printer
from minikube_py.cli.settings import with_settings
from minikube_py.config import AgentConfig
from minikube_py.kit.io.logs import set_up_logs


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask first.")
@output_option
@with_settings()
def uninstall(config: AgentConfig, yes: bool, output: str) -> None:
    """Stop the unit and every pod, then remove links, rules, data, settings and program; asks first.

    In the end links, rules, mounts, processes, files, cgroups and images are compared with what the host had before
    the installation; the exit status is 0 only when nothing of this program is left.

    \b
    Examples:
      minikube-py uninstall
      minikube-py uninstall --yes -o json
    """  # noqa: D301 - click's mark against rewrapping
    set_up_logs(config.log_format, 0)
    if not yes:
        click.confirm(
            f"Remove all pods of this node, {config.data_dir} with the cluster's state, settings and program?",
            abort=True,
        )
    difference = remove_all(config, steps_printer(output))
    if output == "json":
        print_json({"leftOver": difference.left_over, "changedByOthers": difference.others})
    elif not difference.left_over:
        click.echo("nothing of minikube-py is left on this host")
    for line in difference.left_over:
        click.echo(f"minikube-py: left over: {line}", err=True)
    sys.exit(bool(difference.left_over))
