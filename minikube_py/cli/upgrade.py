"""`minikube-py upgrade FILE`: another version in the place of the installed one."""

from pathlib import Path

import click

from minikube_py.agent.upgrade import upgrade as replace_program
from minikube_py.cli.output import output_option, print_json, steps_printer
from minikube_py.kit.io.logs import set_up_logs


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path))
@output_option
def upgrade(file: Path, output: str) -> None:
    """Put FILE in the installed program's place and restart the unit; pods run on meanwhile.

    When the node does not become Ready with it, the earlier program comes back and runs again.

    \b
    Examples:
      minikube-py upgrade ./minikube-py
      minikube-py upgrade ./minikube-py -o json
    """  # noqa: D301 - click's mark against rewrapping
    set_up_logs("text", 0)
    changed = replace_program(file, steps_printer(output))
    if output == "json":
        print_json({"changed": changed})
