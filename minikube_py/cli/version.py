"""`minikube-py version`: what this program is, and which Kubernetes it serves."""

import platform
from importlib.metadata import version as package_version

import click

from minikube_py.api.served import GIT_VERSION
from minikube_py.cli.output import output_option, print_json


@click.command()
@output_option
def version(output: str) -> None:
    """Print this program's version and the Kubernetes version that it serves.

    \b
    Examples:
      minikube-py version
      minikube-py version -o json
    """  # noqa: D301 - click's mark against rewrapping
    facts = {
        "version": package_version("minikube-py"),
        "kubernetes": GIT_VERSION,
        "python": platform.python_version(),
    }
    if output == "json":
        print_json(facts)
        return
    click.echo(f"minikube-py {facts['version']} (Kubernetes {facts['kubernetes']}, Python {facts['python']})")
