"""`minikube-py server`: one node with everything."""

import click

from minikube_py.agent.server import run_server
from minikube_py.cli.settings import with_settings
from minikube_py.config import AgentConfig
from minikube_py.kit.io.logs import set_up_logs


@click.command()
@click.option("-v", "--verbose", "verbosity", count=True, help="More log lines; -vv for the libraries' too.")
@with_settings()
def server(config: AgentConfig, verbosity: int) -> None:
    """Run one node with everything: API server, scheduler, controllers, kubelet, proxy, DNS.

    \b
    Examples:
      minikube-py server
      minikube-py server --node-name n1 --node-ip 192.0.2.10 --tls-san api.example.org
      MINIKUBE_PY_LOG_FORMAT=json minikube-py server
    """  # noqa: D301 - click's mark against rewrapping
    set_up_logs(config.log_format, verbosity)
    run_server(config)
