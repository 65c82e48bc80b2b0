"""The command line of the long runs (`scripts/soak`)."""

import importlib
import pkgutil
import time

import click

from minikube_py.testing import soak

NAMES = tuple(sorted(m.name for m in pkgutil.iter_modules(soak.__path__) if not m.name.startswith("_")))


@click.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--minutes", type=float, default=30.0, show_default=True)
@click.option("--seed", type=int, help="The first seed.  [default: the time of day]")
def main(name: str, minutes: float, seed: int | None) -> None:
    """Run NAME for so many minutes; ends with an error at the first fault."""
    first = int(time.time()) if seed is None else seed
    click.echo(f"scripts/soak {name} --minutes {minutes:g} --seed {first}")
    summary = importlib.import_module(f"minikube_py.testing.soak.{name}").run(minutes, first)
    click.echo(f"{name}: {summary}")


if __name__ == "__main__":
    main()
