"""`minikube-py server`: a master and its node in one process.

The nesting below is the start order and, reversed, the stop order: store, API server, controllers and scheduler,
node. A stop leaves pods running; the next start adopts them.
"""

import logging
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from minikube_py.agent.credentials import (
    node_server_context,
    node_serving,
    server_pki,
    server_url,
    write_kubeconfig,
)
from minikube_py.agent.errors import AgentError
from minikube_py.agent.folders import make_folders, sole_agent
from minikube_py.agent.host import this_host
from minikube_py.agent.lifetime import running
from minikube_py.agent.master import Master, master_components, run_master
from minikube_py.agent.node import open_runtime, require_engine, run_node
from minikube_py.agent.process import Process, control_path, require_root, run_process
from minikube_py.apiserver.users import node_user
from minikube_py.config import AgentConfig
from minikube_py.kit.io.control_socket import control_socket
from minikube_py.kit.io.garbage import Garbage
from minikube_py.store.interface import StoreOpenError
from minikube_py.streaming.io.http_listener import ListenError

log = logging.getLogger("agent")


def run_server(config: AgentConfig) -> None:
    """Run until SIGTERM, SIGINT or `minikube-py down`.

    Raises:
        AgentError: it cannot start, or cannot go on, for a reason that the user can mend.
    """
    require_root()
    if config.server_url:
        raise AgentError("this version has one master: a host joins it with `minikube-py agent --server …`")
    run_process(Server(config).run(), (ListenError, StoreOpenError))


class Server:
    """One server process."""

    def __init__(self, config: AgentConfig) -> None:
        self._config = config
        self._host = this_host()
        self._process = Process(config, self._host)
        self._master: Master | None = None

    async def run(self) -> None:
        """Start everything in order, say so, and stop it in reverse order."""
        config, host, process = self._config, self._host, self._process
        process.catch_stop()
        docker = open_runtime(config, host)
        process.say("the store")
        try:
            await require_engine(docker[1])
            async with AsyncExitStack() as stack:
                stack.enter_context(sole_agent(config))
                make_folders(config.server_dir)
                pki = server_pki(config, host.clock.wall_s())
                tls, kubelet_tls = pki.server_context(), pki.kubelet_context()
                node_tls = node_server_context(config, pki, host.clock.wall_s())
                process.catch_hangup(lambda: self._reload(tls, kubelet_tls, node_tls))
                process.say("the API server")
                self._master = master = await stack.enter_async_context(
                    run_master(config, host, tls, pki, kubelet_tls)
                )
                write_kubeconfig(config, pki)
                log.info("kubeconfig: %s", config.kubeconfig_path)
                await stack.enter_async_context(running(host.health, {"garbage": Garbage(host.clock).run}))
                commands = {"status": self.status, "stop": process.stop, **master.state_commands}
                await stack.enter_async_context(control_socket(control_path(config), commands))
                process.say("the node")
                informers = master.informers()
                components = master_components(config, master, informers, pki.ca)
                await stack.enter_async_context(running(host.health, {"informers": informers.run}))
                await stack.enter_async_context(running(host.health, components))
                client = master.client(node_user(config.node_name))
                process.node = await stack.enter_async_context(
                    run_node(config, host, client, informers, docker, node_tls)
                )
                await stack.enter_async_context(running(host.health, {"systemd": process.report}))
                await process.wait_stopping()
        finally:
            await docker[0].close()

    async def status(self) -> Mapping[str, Any]:
        """Return what `minikube-py status` prints."""
        revision = self._master.revision() if self._master else 0
        return {**self._process.status(server_url(self._config)), "revision": revision}

    def _reload(self, tls: ssl.SSLContext, kubelet_tls: ssl.SSLContext, node_tls: ssl.SSLContext) -> None:
        """SIGHUP: renew certificates that are due, and serve new connections with what is on disk."""
        try:
            pki = server_pki(self._config, self._host.clock.wall_s())
            node_tls.load_cert_chain(*node_serving(self._config, pki, self._host.clock.wall_s()))
        except AgentError as error:
            log.error("certificates are not reloaded: %s", error)  # noqa: TRY400 - the message says it all
            return
        pki.load_serving(tls)
        if self._master is not None:
            self._master.api.renew_front_proxy()
        pki.load_kubelet_client(kubelet_tls)
        log.info("certificates reloaded")
