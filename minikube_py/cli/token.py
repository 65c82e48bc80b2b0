"""`minikube-py token create|list|delete`: what lets hosts join the cluster."""

from typing import Any

import click

from minikube_py.agent.credentials import server_url
from minikube_py.agent.tokens import TokenOrder, create_token, delete_token, list_tokens
from minikube_py.api.columns.ages import human_duration
from minikube_py.api.join_token_secrets import TokenRecord
from minikube_py.api.meta import format_time
from minikube_py.cli.output import output_option, print_json, print_table
from minikube_py.cli.settings import with_settings
from minikube_py.config import AgentConfig
from minikube_py.kit.io.system_clock import SystemClock

MASTER_SETTINGS = ("data-dir", "node-ip", "https-listen-port")


@click.group()
def token() -> None:
    """Make, show and take back what lets hosts join the cluster.

    This is done on a master, as root. A token holds the hash of the cluster's CA, by which a host knows the right
    server, and a secret that is shown once: the cluster keeps a hash of it. The cluster's own token, in
    DATA/server/token, is not among these.

    \b
    Examples:
      minikube-py token create                                   good for a day
      minikube-py token create --ttl 1h --uses 3 --description "rack 7"
      minikube-py token create --print-join-command
      minikube-py token list
      minikube-py token delete abcdef
    """  # noqa: D301 - click's mark against rewrapping


@token.command("create")
@click.option("--ttl", default="24h", show_default=True, help="How long it is good, such as 30m; 0: for ever.")
@click.option("--uses", default=0, show_default=True, help="How many hosts may join by it; 0: any number.")
@click.option("--description", default="", help="What it is for.")
@click.option("--print-join-command", is_flag=True, help="Print the whole command for the host that is to join.")
@output_option
@with_settings(*MASTER_SETTINGS)
def create_command(
    config: AgentConfig, ttl: str, uses: int, description: str, print_join_command: bool, output: str
) -> None:
    """Make a token and print it.

    \b
    Examples:
      TOKEN=$(minikube-py token create --ttl 10m --uses 1)
      minikube-py token create --print-join-command
    """  # noqa: D301 - click's mark against rewrapping
    made, record = create_token(config, TokenOrder(ttl, uses, description))
    command = f"minikube-py agent --server {server_url(config)} --token {made.render()}"
    if output == "json":
        print_json({**_shown(record), "token": made.render(), "server": server_url(config), "command": command})
    else:
        click.echo(command if print_join_command else made.render())


@token.command("list")
@output_option
@with_settings(*MASTER_SETTINGS)
def list_command(config: AgentConfig, output: str) -> None:
    """Show the tokens: never their secrets, which the cluster does not keep.

    \b
    Examples:
      minikube-py token list
      minikube-py token list -o json
    """  # noqa: D301 - click's mark against rewrapping
    records = list_tokens(config)
    if output == "json":
        print_json([_shown(record) for record in records])
        return
    now_s = SystemClock().wall_s()
    rows = [
        (
            record.id,
            _left(record, now_s),
            f"{len(record.claims)}/{record.uses}" if record.uses else "<any>",
            ",".join(claim.node for claim in record.claims) or "<none>",
            record.description or "<none>",
        )
        for record in records
    ]
    print_table(("ID", "TTL", "USES", "NODES", "DESCRIPTION"), rows)


def _left(record: TokenRecord, now_s: float) -> str:
    if record.expires_at_s is None:
        return "<forever>"
    left_s = record.expires_at_s - now_s
    return human_duration(left_s) if left_s > 0 else "<expired>"


def _shown(record: TokenRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "description": record.description,
        "expires": None if record.expires_at_s is None else format_time(record.expires_at_s),
        "uses": record.uses or None,
        "nodes": [claim.node for claim in record.claims],
    }


@token.command("delete")
@click.argument("tokens", nargs=-1, required=True, metavar="TOKEN...")
@with_settings(*MASTER_SETTINGS)
def delete_command(config: AgentConfig, tokens: tuple[str, ...]) -> None:
    """Take tokens back, given whole or by ID: no host joins by them any more; nodes that did stay.

    \b
    Examples:
      minikube-py token delete abcdef
    """  # noqa: D301 - click's mark against rewrapping
    for text in tokens:
        click.echo(f"token {delete_token(config, text)} deleted")
