"""`minikube-py server`: a master and its node in one process.

The nesting below is the start order and, reversed, the stop order: store, API server, controllers and scheduler,
node. A stop leaves pods running; the next start adopts them.
"""

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from random import SystemRandom
from typing import Any

import uvloop

from minikube_py.agent.commands import control_path, require_root
from minikube_py.agent.credentials import (
    authenticator,
    make_folders,
    node_server_context,
    node_serving,
    server_pki,
    server_url,
    write_kubeconfig,
)
from minikube_py.agent.errors import AgentError, leaves
from minikube_py.agent.lifetime import running
from minikube_py.agent.master import Host, Master, master_components, run_master
from minikube_py.agent.node import Node, open_runtime, require_engine, run_node
from minikube_py.config import AgentConfig
from minikube_py.kit.io.control_socket import control_socket
from minikube_py.kit.io.garbage import Garbage
from minikube_py.kit.io.sd_notify import SdNotify, watchdog_interval_s
from minikube_py.kit.io.system_clock import SystemClock, system_ids
from minikube_py.store.interface import StoreOpenError
from minikube_py.streaming.io.http_listener import ListenError

log = logging.getLogger("agent")


def run_server(config: AgentConfig) -> None:
    """Run until SIGTERM, SIGINT or `minikube-py down`.

    Raises:
        AgentError: it cannot start, or cannot go on, for a reason that the user can mend.
    """
    require_root()
    try:
        uvloop.run(Server(config).run())
    except BaseExceptionGroup as group:
        for error in leaves(group):
            if isinstance(error, AgentError | ListenError | StoreOpenError):
                raise AgentError(str(error)) from group
        raise
    except (ListenError, StoreOpenError) as error:
        raise AgentError(str(error)) from error


class Server:
    """One server process."""

    def __init__(self, config: AgentConfig) -> None:
        self._config = config
        self._host = Host(SystemClock(), system_ids(), SystemRandom(), {})
        self._stopping = asyncio.Event()
        self._notify = SdNotify()
        self._master: Master | None = None
        self._node: Node | None = None
        self._waiting_for = "the store"

    async def run(self) -> None:
        """Start everything in order, say so, and stop it in reverse order."""
        config, host = self._config, self._host
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        docker = open_runtime(config, host)
        try:
            await require_engine(docker[1])
            make_folders(config)
            pki = server_pki(config, host.clock.wall_s())
            tls, kubelet_tls = pki.server_context(), pki.kubelet_context()
            node_tls = node_server_context(config, pki, host.clock.wall_s())
            loop.add_signal_handler(signal.SIGHUP, self._reload, tls, kubelet_tls, node_tls)
            async with AsyncExitStack() as stack:
                self._say("the API server")
                self._master = master = await stack.enter_async_context(
                    run_master(config, host, tls, authenticator(config), pki, kubelet_tls)
                )
                write_kubeconfig(config, pki)
                await stack.enter_async_context(running(host.health, {"garbage": Garbage(host.clock).run}))
                commands = {"status": self.status, "stop": self.stop, **master.state_commands}
                await stack.enter_async_context(control_socket(control_path(config), commands))
                self._say("the node")
                informers = master.informers()
                components = master_components(config, master, informers, pki.ca)
                await stack.enter_async_context(running(host.health, {"informers": informers.run}))
                await stack.enter_async_context(running(host.health, components))
                self._node = await stack.enter_async_context(run_node(config, master, informers, docker, node_tls))
                await stack.enter_async_context(running(host.health, {"systemd": self._report}))
                await self._stopping.wait()
                self._notify.send("STOPPING=1")
        finally:
            await docker[0].close()

    async def status(self) -> Mapping[str, Any]:
        """Return what `minikube-py status` prints."""
        ready = self._is_ready()
        return {
            "node": self._config.node_name,
            "address": self._config.node_ip,
            "ready": ready,
            "api": server_url(self._config),
            "revision": self._master.revision() if self._master else 0,
            "pid": os.getpid(),
            "waiting_for": "" if ready else self._waiting_for,
            "components": [
                {"name": h.name, "state": h.state, "restarts": h.restarts, "last_error": h.last_error}
                for h in self._host.health.values()
            ],
        }

    async def stop(self) -> Mapping[str, Any]:
        """Begin an orderly stop; answers at once."""
        self._stopping.set()
        return {"pid": os.getpid()}

    def _is_ready(self) -> bool:
        return self._node is not None and self._node.kubelet.node.ready.is_set()

    def _say(self, waiting_for: str) -> None:
        self._waiting_for = waiting_for
        self._notify.send(f"STATUS=waiting for {waiting_for}")

    async def _report(self) -> None:
        """Tell systemd when the node is Ready, and from then on that the loop is alive."""
        assert self._node is not None
        await self._node.proxier.wait_first_sync()
        await self._node.kubelet.node.ready.wait()
        self._waiting_for = ""
        self._notify.send("READY=1", f"STATUS=node {self._config.node_name} is Ready")
        log.info("node %s is Ready; kubeconfig: %s", self._config.node_name, self._config.kubeconfig_path)
        interval_s = watchdog_interval_s()
        while interval_s:
            self._notify.send("WATCHDOG=1")
            await asyncio.sleep(interval_s)
        await self._stopping.wait()

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
