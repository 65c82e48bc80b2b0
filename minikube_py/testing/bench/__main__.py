"""The command line of the benchmarks (`scripts/bench`)."""

import importlib
import sys
from pathlib import Path

import click

from minikube_py.testing.bench.report import print_rows, write_json
from minikube_py.testing.lab.machine import LabError

NAMES = ("start", "join", "pods", "idle", "store", "api", "proxy")


@click.command()
@click.argument("names", nargs=-1)
@click.option("--output", type=click.Path(path_type=Path), default=Path("bench-results"), show_default=True)
def main(names: tuple[str, ...], output: Path) -> None:
    """Run the benchmarks NAMES (all when none is given): start, join, pods, idle, store, api, proxy."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise click.UsageError(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    for name in names or NAMES:
        rows = importlib.import_module(f"minikube_py.testing.bench.{name}").run()
        print_rows(name, rows)
        click.echo(f"written to {write_json(output, name, rows)}", err=True)


if __name__ == "__main__":
    try:
        main(standalone_mode=True)
    except LabError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(1)
