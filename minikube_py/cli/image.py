"""`minikube-py image build-pause|import|list`: the images a node needs, without a registry."""

from pathlib import Path

import click

from minikube_py.agent.commands import build_pause, import_image, list_images
from minikube_py.cli.output import output_option, print_json, print_table
from minikube_py.cli.settings import with_settings
from minikube_py.config import AgentConfig


@click.group()
def image() -> None:
    """Make, load and list the images of this node's Docker engine.

    \b
    Examples:
      minikube-py image build-pause
      minikube-py image import app.tar
      minikube-py image list -o json
    """  # noqa: D301 - click's mark against rewrapping


@image.command("build-pause")
@with_settings("docker-host")
def build_pause_command(config: AgentConfig) -> None:
    """Make the pause image and load it; no compiler and no registry is needed.

    \b
    Examples:
      minikube-py image build-pause
    """  # noqa: D301 - click's mark against rewrapping
    click.echo(build_pause(config))


@image.command("import")
@click.argument("archive", type=click.Path(path_type=Path))
@with_settings("docker-host")
def import_command(config: AgentConfig, archive: Path) -> None:
    """Load an ARCHIVE that `docker save` wrote.

    \b
    Examples:
      docker save -o app.tar app:1; minikube-py image import app.tar
    """  # noqa: D301 - click's mark against rewrapping
    for name in import_image(config, archive):
        click.echo(f"{name} loaded")


@image.command("list")
@output_option
@with_settings("docker-host")
def list_command(config: AgentConfig, output: str) -> None:
    """List the images on this host.

    \b
    Examples:
      minikube-py image list -o json
    """  # noqa: D301 - click's mark against rewrapping
    images = list_images(config)
    if output == "json":
        print_json(images)
        return
    rows = [(", ".join(i["tags"]) or "<none>", i["id"].removeprefix("sha256:")[:12], i["size"]) for i in images]
    print_table(("TAGS", "ID", "BYTES"), rows)
