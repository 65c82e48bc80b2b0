"""`minikube-py doctor`: could a node run on this host, and what stands in its way."""

import sys

import click

from minikube_py.agent.commands import examine_host
from minikube_py.cli.output import output_option, print_json
from minikube_py.cli.settings import with_settings
from minikube_py.config import AgentConfig

_MARKS = {"ok": "ok", "warning": "WARN", "failure": "FAIL"}


@click.command()
@output_option
@with_settings()
def doctor(config: AgentConfig, output: str) -> None:
    """Check this host and say how to mend each failure; exit status 0 only when a node could run.

    \b
    Examples:
      minikube-py doctor
      minikube-py doctor -o json
    """  # noqa: D301 - click's mark against rewrapping
    findings = examine_host(config)
    if output == "json":
        print_json([{"name": f.name, "verdict": f.verdict, "seen": f.seen, "remedy": f.remedy} for f in findings])
    else:
        for finding in findings:
            click.echo(f"{_MARKS[finding.verdict]:<5} {finding.name:<11} {finding.seen}")
            if finding.remedy:
                click.echo(f"{'':<17} → {finding.remedy}")
    failures = [f.name for f in findings if f.verdict == "failure"]
    if failures:
        click.echo(f"minikube-py: a node cannot run on this host: {', '.join(failures)}", err=True)
        sys.exit(1)
