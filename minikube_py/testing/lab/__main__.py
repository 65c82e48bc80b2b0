"""The command line of a lab (`scripts/lab`)."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from minikube_py.testing.lab import machine
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.lab.layout import DEFAULT_DIR

POD_NETWORKS = ("auto", "direct", "vxlan")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=DEFAULT_DIR, show_default=True)
@click.pass_context
def main(context: click.Context, folder: Path) -> None:
    """Whole hosts on one machine: a network namespace, a dockerd and an agent each."""
    context.obj = folder.absolute()


@main.command()
@click.option("--nodes", type=int, default=1, show_default=True)
@click.option("--masters", type=int, default=1, show_default=True)
@click.option("--fast-timers", is_flag=True, help="Shorten heartbeats and grace periods, for tests.")
@click.option("--proxy-mode", type=click.Choice(("auto", "nftables", "iptables")), default="auto", show_default=True)
@click.option("--pod-network", type=click.Choice(POD_NETWORKS), default="auto", show_default=True)
@click.option("--routed", is_flag=True, help="Put each host on a link of its own, behind a router.")
@click.option(
    "--neighbours", type=int, default=0, help="With --routed: the first hosts that share a link all the same."
)
@click.pass_obj
def up(folder: Path, /, nodes: int, masters: int, **options: Any) -> None:
    """Bring up a lab; returns when every node is Ready."""
    if masters != 1:
        raise machine.LabError(f"--masters {masters}: this version has one master; use --masters 1")
    lab = Lab(folder, nodes, **options)
    lab.up()
    click.echo(f"export KUBECONFIG={lab.layout.kubeconfig}")


@main.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("host")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def execute(folder: Path, host: str, command: tuple[str, ...]) -> None:
    """Run a command in a host's network."""
    argv = machine.in_host(Lab.load(folder).layout.host(host), command)
    os.execvp(argv[0], argv)  # noqa: S606


@main.command()
@click.argument("host")
@click.pass_obj
def stop(folder: Path, host: str) -> None:
    """Stop a host's agent in order (SIGTERM); its pods stay."""
    lab = Lab.load(folder)
    lab.stop(lab.layout.host(host))


@main.command()
@click.argument("host")
@click.pass_obj
def start(folder: Path, host: str) -> None:
    """Start a host's agent again."""
    lab = Lab.load(folder)
    lab.start(lab.layout.host(host))


@main.command()
@click.argument("host")
@click.pass_obj
def kill(folder: Path, host: str) -> None:
    """Kill a host's agent (SIGKILL)."""
    lab = Lab.load(folder)
    lab.stop(lab.layout.host(host), sig=signal.SIGKILL)


@main.command()
@click.argument("host")
@click.pass_obj
def pause(folder: Path, host: str) -> None:
    """Freeze a host's agent (SIGSTOP)."""
    lab = Lab.load(folder)
    lab.signal(lab.layout.host(host), signal.SIGSTOP)


@main.command()
@click.argument("host")
@click.pass_obj
def resume(folder: Path, host: str) -> None:
    """Let a frozen agent go on (SIGCONT)."""
    lab = Lab.load(folder)
    lab.signal(lab.layout.host(host), signal.SIGCONT)


@main.command()
@click.argument("host")
@click.pass_obj
def reboot(folder: Path, host: str) -> None:
    """Take a whole host down, its containers too, and bring it back."""
    lab = Lab.load(folder)
    lab.reboot(lab.layout.host(host))


@main.command()
@click.argument("one")
@click.argument("other")
@click.pass_obj
def partition(folder: Path, one: str, other: str) -> None:
    """Let nothing pass between two hosts."""
    lab = Lab.load(folder)
    lab.partition(lab.layout.host(one), lab.layout.host(other))


@main.command()
@click.argument("sender")
@click.argument("receiver")
@click.pass_obj
def cut(folder: Path, sender: str, receiver: str) -> None:
    """Let nothing that SENDER sends reach RECEIVER; the other direction stays."""
    lab = Lab.load(folder)
    lab.cut(lab.layout.host(sender), lab.layout.host(receiver))


@main.command()
@click.pass_obj
def heal(folder: Path) -> None:
    """Mend everything that was cut."""
    Lab.load(folder).heal()


@main.command()
@click.pass_obj
def status(folder: Path) -> None:
    """Show what runs."""
    click.echo(json.dumps(Lab.load(folder).status(), indent=2))


@main.command()
@click.pass_obj
def down(folder: Path) -> None:
    """Remove everything of the lab."""
    Lab.load(folder).down()


if __name__ == "__main__":
    try:
        main(standalone_mode=True)
    except (machine.LabError, LookupError) as error:
        click.echo(f"lab: {error}", err=True)
        sys.exit(1)
