"""`minikube-py agent`: one node without the master role."""

import click

from minikube_py.agent.agent import run_agent
from minikube_py.cli.settings import NODE_SETTINGS, with_settings
from minikube_py.config import AgentConfig
from minikube_py.kit.io.logs import set_up_logs


@click.command()
@click.option("-v", "--verbose", "verbosity", count=True, help="More log lines; -vv for the libraries' too.")
@with_settings(*NODE_SETTINGS)
def agent(config: AgentConfig, verbosity: int) -> None:
    """Run one node of a cluster whose master is elsewhere: kubelet, proxy, DNS.

    The token is needed for joining only; later starts use what the host was given then, and need no server.

    \b
    Examples:
      minikube-py agent --server https://192.0.2.10:6443 --token K10…::abcdef.0123456789abcdef
      minikube-py agent --server https://192.0.2.10:6443 --token-file /etc/minikube-py/token
    """  # noqa: D301 - click's mark against rewrapping
    set_up_logs(config.log_format, verbosity)
    run_agent(config)
