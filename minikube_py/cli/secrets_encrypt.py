"""`minikube-py secrets-encrypt status|rotate|prune`: the keys that Secrets are encrypted with on the disk."""

import click

from minikube_py.agent.commands import state_command
from minikube_py.cli.output import output_option, print_json, print_table
from minikube_py.cli.settings import STATE_SETTINGS, with_settings
from minikube_py.config import AgentConfig


@click.group("secrets-encrypt")
def secrets_encrypt() -> None:
    """Show and change the keys that Secrets are encrypted with at rest.

    \b
    Examples:
      minikube-py secrets-encrypt status
      minikube-py secrets-encrypt rotate
    """  # noqa: D301 - click's mark against rewrapping


@secrets_encrypt.command("status")
@output_option
@with_settings(*STATE_SETTINGS)
def status_command(config: AgentConfig, output: str) -> None:
    """Show the keys, which of them encrypts, and which are needed to read what is on the disk.

    \b
    Examples:
      minikube-py secrets-encrypt status
    """  # noqa: D301 - click's mark against rewrapping
    facts = state_command(config, "secrets-encrypt-status")
    if output == "json":
        print_json(facts)
        return
    click.echo(f"Keys in {facts['file']}:")
    rows = [(k["name"], "yes" if k["seals"] else "no", "yes" if k["inUse"] else "no") for k in facts["keys"]]
    print_table(("NAME", "ENCRYPTS", "NEEDED"), rows)


@secrets_encrypt.command("rotate")
@output_option
@with_settings(*STATE_SETTINGS)
def rotate_command(config: AgentConfig, output: str) -> None:
    """Make a new key, encrypt with it from now on, and take a snapshot in which every Secret is encrypted with it.

    Earlier keys stay in the file as long as kept snapshots and the log between them need them; `prune` drops them.

    \b
    Examples:
      minikube-py secrets-encrypt rotate
    """  # noqa: D301 - click's mark against rewrapping
    facts = state_command(config, "secrets-encrypt-rotate")
    if output == "json":
        print_json(facts)
        return
    click.echo(f"new key {facts['encryptionKeys'][0]}: snapshot {facts['name']} is encrypted with it")


@secrets_encrypt.command("prune")
@output_option
@with_settings(*STATE_SETTINGS)
def prune_command(config: AgentConfig, output: str) -> None:
    """Drop the keys that no snapshot and no log of this data folder needs (copies kept elsewhere may need them).

    \b
    Examples:
      minikube-py secrets-encrypt prune
    """  # noqa: D301 - click's mark against rewrapping
    facts = state_command(config, "secrets-encrypt-prune")
    if output == "json":
        print_json(facts)
        return
    click.echo(f"removed {', '.join(facts['removed'])}" if facts["removed"] else "every key is needed")
