"""`minikube-py snapshot save|list|verify|restore`: copies of the cluster's state, and the way back to them."""

import sys
from datetime import datetime
from pathlib import Path

import click

from minikube_py.agent.commands import restore_state, state_command
from minikube_py.agent.errors import AgentError
from minikube_py.cli.output import output_option, print_json, print_table
from minikube_py.cli.settings import STATE_SETTINGS, with_settings
from minikube_py.config import AgentConfig
from minikube_py.kit.io.files import copy_atomic
from minikube_py.store.io.recovery import Until


@click.group()
def snapshot() -> None:
    """Save, list, check and restore snapshots of the cluster's state.

    The agent takes snapshots by itself, and keeps the log between them; Secrets in them are encrypted with the keys
    of DATA/server/cred/encryption-config.json, without which they cannot be restored elsewhere.

    \b
    Examples:
      minikube-py snapshot save --to /backup/cluster.snapshot
      minikube-py snapshot list
      minikube-py snapshot restore --to-time 2026-11-24T07:00:00Z
    """  # noqa: D301 - click's mark against rewrapping


@snapshot.command("save")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Also copy the snapshot to this file.")
@output_option
@with_settings(*STATE_SETTINGS)
def save_command(config: AgentConfig, target: Path | None, output: str) -> None:
    """Take a snapshot now, also while the agent runs.

    \b
    Examples:
      minikube-py snapshot save
      minikube-py snapshot save --to /backup/cluster.snapshot
    """  # noqa: D301 - click's mark against rewrapping
    facts = state_command(config, "snapshot-save")
    if target is not None:
        try:
            copy_atomic(Path(facts["path"]), target, 0o600)
        except OSError as error:
            raise AgentError(f"cannot copy {facts['path']} to {target}: {error.strerror}") from error
    if output == "json":
        print_json(facts)
        return
    click.echo(f"{facts['name']}: revision {facts['revision']}, {facts['keys']} keys, {facts['size']} bytes")
    click.echo(f"in {target or facts['path']}")


@snapshot.command("list")
@output_option
@with_settings(*STATE_SETTINGS)
def list_command(config: AgentConfig, output: str) -> None:
    """List the snapshots of this data folder.

    \b
    Examples:
      minikube-py snapshot list -o json
    """  # noqa: D301 - click's mark against rewrapping
    facts = state_command(config, "snapshot-list")
    if output == "json":
        print_json(facts)
        return
    rows = [
        (i["name"], i["revision"], i.get("time", "-"), i.get("keys", "-"), i["size"], i["damage"] or i["reason"])
        for i in facts["items"]
    ]
    print_table(("NAME", "REVISION", "TIME", "KEYS", "BYTES", "REASON"), rows)


@snapshot.command("verify")
@output_option
@with_settings(*STATE_SETTINGS)
def verify_command(config: AgentConfig, output: str) -> None:
    """Read all snapshots and the log between them, and compare; with a running agent also its memory.

    \b
    Examples:
      minikube-py snapshot verify
    """  # noqa: D301 - click's mark against rewrapping
    report = state_command(config, "snapshot-verify")
    if output == "json":
        print_json(report)
    else:
        click.echo(
            f"epoch {report['epoch']}, revision {report['revision']}: {report['keys']} keys, "
            f"{report['snapshots']} snapshots, {report['transactions']} transactions replayed"
        )
        for note in report["notes"]:
            click.echo(f"note: {note}")
        for fault in report["faults"]:
            click.echo(f"fault: {fault}")
        click.echo("damaged" if report["faults"] else "everything agrees")
    if report["faults"]:
        sys.exit(1)


@snapshot.command("restore")
@click.argument("name", default="", metavar="[NAME|FILE]")
@click.option("--to-revision", type=int, help="Go back to this revision within the kept log.")
@click.option("--to-time", help="Go back to this time, as 2026-11-24T07:00:00Z, within the kept log.")
@output_option
@with_settings(*STATE_SETTINGS)
def restore_command(
    config: AgentConfig, name: str, to_revision: int | None, to_time: str | None, output: str
) -> None:
    """Make an earlier state the cluster's state: that of a snapshot, a revision or a time.

    Without any of them: the newest state that can be read, for a store that is damaged. The agent must not run; what
    was there stays on disk for the time being, so a restore can be undone by another one.

    \b
    Examples:
      minikube-py snapshot restore --to-time 2026-11-24T07:00:00Z
      minikube-py snapshot restore /backup/cluster.snapshot
    """  # noqa: D301 - click's mark against rewrapping
    if sum((bool(name), to_revision is not None, to_time is not None)) > 1:
        raise click.UsageError("give a snapshot, --to-revision or --to-time, only one of them")
    done = restore_state(config, name, Until(to_revision, _wall_s(to_time)))
    if output == "json":
        print_json(done)
        return
    for note in done["notes"]:
        click.echo(f"note: {note}")
    click.echo(
        f"the state of revision {done['fromRevision']} with {done['keys']} keys is now revision {done['revision']}"
    )
    click.echo("start the agent: every client lists anew, and pods follow the restored state")


def _wall_s(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"--to-time {text!r} is no time such as 2026-11-24T07:00:00Z") from error
    if time.tzinfo is None:
        raise click.UsageError(f"--to-time {text!r} names no time zone: add Z or an offset such as +01:00")
    return time.timestamp()
