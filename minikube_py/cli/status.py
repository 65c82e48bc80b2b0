"""`minikube-py status`: how the agent of this host fares."""

import click

from minikube_py.agent.commands import agent_status
from minikube_py.cli.output import output_option, print_json, print_table
from minikube_py.cli.settings import with_settings
from minikube_py.config import AgentConfig


@click.command()
@click.option("--wait", "wait_s", type=float, help="Wait up to so many seconds until the node is Ready; fail if not.")
@output_option
@with_settings("data-dir")
def status(config: AgentConfig, wait_s: float | None, output: str) -> None:
    """Show this node, the API server and the health of each component.

    \b
    Examples:
      minikube-py status
      minikube-py status --wait 60 -o json
    """  # noqa: D301 - click's mark against rewrapping
    facts = agent_status(config, wait_s)
    if output == "json":
        print_json(facts)
        return
    click.echo(f"Node:        {facts['node']} ({facts['address']}), {'Ready' if facts['ready'] else 'NotReady'}")
    click.echo(f"API server:  {facts['api']}")
    if "revision" in facts:
        click.echo(f"Revision:    {facts['revision']}")
    if facts["waiting_for"]:
        click.echo(f"Waiting for: {facts['waiting_for']}")
    click.echo()
    rows = [(c["name"], c["state"], c["last_error"] or "-") for c in facts["components"]]
    print_table(("COMPONENT", "STATE", "LAST ERROR"), rows)
