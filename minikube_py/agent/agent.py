"""`minikube-py agent`: one node without the master role.

It imports nothing of a master: a worker is to be small. What it knows of its cluster is in `DATA/agent`, so it starts
without a server, too.
"""

import asyncio
import logging
import shutil
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from minikube_py.agent.cluster_settings import with_cluster_settings
from minikube_py.agent.errors import AgentError
from minikube_py.agent.folders import sole_agent
from minikube_py.agent.host import this_host
from minikube_py.agent.joining import come_back, join, require_same_cluster
from minikube_py.agent.lifetime import Run, running
from minikube_py.agent.node import open_runtime, require_engine, run_node
from minikube_py.agent.node_credentials import Membership, NodeCredentials
from minikube_py.agent.process import Process, control_path, require_root, run_process
from minikube_py.agent.program import program_version
from minikube_py.api.resources import NODES
from minikube_py.api.rules.signers import NODE_PREFIX
from minikube_py.client.interface import Change, Client, Informers, Selection
from minikube_py.client.io.http_transport import HttpTransport
from minikube_py.client.io.informer import InformerSet
from minikube_py.client.io.replica_files import ReplicaFiles
from minikube_py.client.io.rest_client import WATCH_TIMEOUT_S_RANGE, RestClient
from minikube_py.config import AgentConfig
from minikube_py.kit.io.control_socket import control_socket
from minikube_py.kit.io.garbage import Garbage
from minikube_py.kit.io.tls import server_context
from minikube_py.kubelet.io.certificate_renewal import CertificateRenewal
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_runtime import DockerRuntime
from minikube_py.kubelet.node_certificates import wanted_client, wanted_serving
from minikube_py.streaming.io.http_listener import ListenError

log = logging.getLogger("agent")


def run_agent(config: AgentConfig) -> None:
    """Run until SIGTERM, SIGINT or `minikube-py down`.

    Raises:
        AgentError: it cannot start, or cannot go on, for a reason that the user can mend.
    """
    require_root()
    run_process(Agent(config).run(), (ListenError,))


class Agent:
    """One agent process."""

    def __init__(self, config: AgentConfig) -> None:
        self._config = config
        self._host = this_host()
        self._process = Process(config, self._host)
        self._credentials = NodeCredentials(config)
        self._server_url = config.server_url
        self._replica_dir = config.agent_dir / "replica"
        self._own: CertificateRenewal | None = None
        self._serving: CertificateRenewal | None = None
        self._shown: list[tuple[ssl.SSLContext, Path]] = []
        """What is shown to others, and the file that it is in."""

    async def run(self) -> None:
        """Join if need be, start everything in order, say so, and stop it in reverse order."""
        process = self._process
        process.catch_stop()
        process.catch_hangup(self._reload)
        docker = open_runtime(self._config, self._host)
        try:
            await require_engine(docker[1])
            async with AsyncExitStack() as stack:
                stack.enter_context(sole_agent(self._config))
                commands = {"status": self.status, "stop": process.stop}
                await stack.enter_async_context(control_socket(control_path(self._config), commands))
                membership = await self._membership()
                config = with_cluster_settings(self._config, membership.cluster)
                await self._run_node(stack, config, membership, docker)
                await process.wait_stopping()
        finally:
            await docker[0].close()
            self._credentials.remove_empty_folders()

    async def _membership(self) -> Membership:
        """Return the cluster that this host is a node of, from now on or since it joined.

        Raises:
            AgentError: it can be of none.
        """
        config = self._config
        try:
            kept = self._credentials.load(self._host.clock.wall_s())
            if kept is None:
                joined = await join(config, self._credentials, self._process, self._host.clock)
                # What is kept of the API may be of another cluster.
                await asyncio.to_thread(shutil.rmtree, self._replica_dir, ignore_errors=True)
                return joined
            require_same_cluster(config, kept.ca_pem)
            if config.server_url and config.server_url != kept.server_url:
                kept = replace(kept, server_url=config.server_url)
                self._credentials.remember(kept)
        except OSError as error:
            raise AgentError(f"cannot keep this host's credentials in {config.agent_dir}: {error}") from error
        return kept

    async def _run_node(
        self,
        stack: AsyncExitStack,
        config: AgentConfig,
        membership: Membership,
        docker: tuple[DockerApi, DockerRuntime],
    ) -> None:
        """Start everything that a node has; the stack stops it."""
        host, process = self._host, self._process
        self._server_url = membership.server_url
        client_tls = ssl.create_default_context(cadata=membership.ca_pem.decode())
        client_tls.load_cert_chain(self._credentials.client)
        transport = await stack.enter_async_context(
            HttpTransport(membership.server_url, client_tls, user_agent=f"minikube-py/{program_version()}")
        )
        user = f"{NODE_PREFIX}{config.node_name}"
        client = RestClient(transport, user, lambda: host.rng.randint(*WATCH_TIMEOUT_S_RANGE))
        replica = ReplicaFiles(client, self._replica_dir, host.clock)
        informers = InformerSet(replica, host.clock, host.rng.random)
        node_tls = server_context(membership.ca_pem)
        renewals = self._renewals(client, informers, client_tls, node_tls)
        process.say(f"node {config.node_name} to be Ready at {membership.server_url}")
        components = {
            "garbage": Garbage(host.clock).run,
            "informers": informers.run,
            "replica": replica.run,
            **renewals,
        }
        await stack.enter_async_context(running(host.health, components))
        process.node = await stack.enter_async_context(run_node(config, host, client, informers, docker, node_tls))
        await stack.enter_async_context(running(host.health, {"systemd": self._report}))

    def _renewals(
        self, client: Client, informers: Informers, client_tls: ssl.SSLContext, node_tls: ssl.SSLContext
    ) -> Mapping[str, Run]:
        """Return what keeps this node's certificates good."""
        host, name = self._host, self._config.node_name
        self._shown = [(client_tls, self._credentials.client), (node_tls, self._credentials.serving)]
        renewal = partial(CertificateRenewal, client, host.clock, host.rng.random)
        again = partial(come_back, self._config, self._credentials, self._server_url, host.clock)
        self._own = own = renewal(self._credentials.client, client_tls.load_cert_chain, again)
        own.want(wanted_client(name))
        self._serving = serving = renewal(self._credentials.serving, node_tls.load_cert_chain)
        if serving.held is not None:
            node_tls.load_cert_chain(self._credentials.serving)

        def look(change: Change) -> None:
            addresses = ((change.new or {}).get("status") or {}).get("addresses") or ()
            if addresses:
                serving.want(wanted_serving(name, [str(address["address"]) for address in addresses]))

        informers.informer(NODES, Selection(field_selector=f"metadata.name={name}")).subscribe(look)
        return {"client-certificate": own.run, "serving-certificate": serving.run}

    def _reload(self) -> None:
        """SIGHUP: show the certificates that are on disk in new connections."""
        for context, path in self._shown:
            try:
                context.load_cert_chain(path)
            except OSError as error:
                log.error("certificate %s is not reloaded: %s", path, error)  # noqa: TRY400 - the message says it all
        log.info("certificates reloaded")

    async def status(self) -> Mapping[str, Any]:
        """Return what `minikube-py status` prints."""
        facts = self._process.status(self._server_url)
        serves = self._serving is not None and self._serving.first.is_set()
        fault = self._own.fault if self._own is not None else ""
        waiting_for = f"the API server: {fault}" if fault else facts["waiting_for"]
        return {**facts, "ready": facts["ready"] and serves and not fault, "waiting_for": waiting_for}

    async def _report(self) -> None:
        """Tell systemd when the node is Ready and its kubelet can be asked."""
        assert self._serving is not None
        await self._serving.first.wait()
        await self._process.report()
