"""The command line of the long runs (`scripts/soak`)."""

import asyncio
import logging
import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp

import click

from minikube_py.testing.disk_lives import BrokenPromiseError, run_story
from minikube_py.testing.kill_rounds import KillFaultError, Totals, run_rounds


@click.group()
def main() -> None:
    """Run one of the long tests; a failure prints the command that repeats it."""


@main.command("store")
@click.option("--rounds", type=int, default=200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where the store is, for instance on a full disk.")
def store_command(rounds: int, seed: int, folder: Path | None) -> None:
    """Kill a process with 64 writers again and again, and check each time that nothing was lost or made up."""
    made = folder is None
    where = folder or Path(mkdtemp(prefix="mkpy-soak-"))

    def report(totals: Totals) -> None:
        if totals.rounds % 10 == 0 or totals.rounds == rounds:
            click.echo(
                f"{totals.rounds} rounds: {totals.acknowledged} acknowledged, {totals.unanswered} unanswered, "
                f"{totals.refused} refused, {totals.reads} reads, {totals.watched} watched"
            )

    try:
        asyncio.run(run_rounds(where / "store", rounds, seed, report))
    except KillFaultError as error:
        click.echo(f"{error}\nthe store is in {where}; repeat: scripts/soak store --seed {seed} --rounds {rounds}")
        sys.exit(1)
    if made:
        shutil.rmtree(where)
    click.echo("0 acknowledged writes lost, 0 phantom writes, every watch without a gap")


@main.command("store-disk")
@click.option("--first", type=int, default=0, show_default=True, help="The first seed.")
@click.option("--seeds", type=int, default=5000, show_default=True)
def store_disk_command(first: int, seeds: int) -> None:
    """Let the store live on a disk that fails, one story for each seed."""
    logging.disable(logging.CRITICAL)
    opened = refused = acknowledged = 0
    failed = []
    for seed in range(first, first + seeds):
        try:
            story = run_story(seed)
        except (BrokenPromiseError, BaseExceptionGroup, OSError) as error:
            failed.append(seed)
            click.echo(f"{error!r}\nrepeat: scripts/soak store-disk --first {seed} --seeds 1")
            continue
        opened, refused = opened + story.opened, refused + story.refused
        acknowledged += story.acknowledged
    click.echo(
        f"{seeds} seeds: {opened} lives, {refused} refused to open, {acknowledged} acknowledged, {len(failed)} failed"
    )
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
