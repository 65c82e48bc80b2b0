"""The command line of a lab (`scripts/lab`)."""

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
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


def _done_to_hosts(name: str, help_text: str, do: Callable[..., None], *hosts: str) -> None:
    """Add a command that does something to one host, or to two: `hosts` are the names of its arguments."""

    @main.command(name, help=help_text)
    @click.pass_obj
    def command(folder: Path, /, **named: str) -> None:
        lab = Lab.load(folder)
        do(lab, *(lab.layout.host(named[host]) for host in hosts))

    for host in hosts:
        command.params.append(click.Argument([host]))


_done_to_hosts("stop", "Stop a host's agent in order (SIGTERM); its pods stay.", Lab.stop, "host")
_done_to_hosts("start", "Start a host's agent again.", Lab.start, "host")
_done_to_hosts("kill", "Kill a host's agent (SIGKILL).", partial(Lab.stop, sig=signal.SIGKILL), "host")
_done_to_hosts("pause", "Freeze a host's agent (SIGSTOP).", partial(Lab.signal, sig=signal.SIGSTOP), "host")
_done_to_hosts("resume", "Let a frozen agent go on (SIGCONT).", partial(Lab.signal, sig=signal.SIGCONT), "host")
_done_to_hosts("reboot", "Take a whole host down, its containers too, and bring it back.", Lab.reboot, "host")
_done_to_hosts("partition", "Let nothing pass between two hosts.", Lab.partition, "one", "other")
_done_to_hosts(
    "cut", "Let nothing that SENDER sends reach RECEIVER; the other direction stays.", Lab.cut, "sender", "receiver"
)


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
