"""The master's part: store, API server, informers for everything in this process."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from minikube_py.agent.cluster_token import join_settings
from minikube_py.agent.credentials import audit_settings, token_key_pem
from minikube_py.agent.host import Host
from minikube_py.agent.lifetime import Run, running
from minikube_py.agent.node_role import NodeRole
from minikube_py.agent.state import open_state
from minikube_py.agent.state_commands import Command
from minikube_py.api.resources import EVENTS
from minikube_py.apiserver.authn import Authenticator
from minikube_py.apiserver.canonical import stamp
from minikube_py.apiserver.config import ApiServerConfig, with_fast_timers
from minikube_py.apiserver.io.certificates import KeyPair, Pki
from minikube_py.apiserver.io.server import ApiServer, ApiServerPorts
from minikube_py.apiserver.server_args import read_server_args
from minikube_py.apiserver.users import AUTHENTICATED, LOOPBACK, SYSTEM_MASTERS, UserInfo
from minikube_py.client.io.informer import InformerSet
from minikube_py.client.io.rest_client import WATCH_TIMEOUT_S_RANGE, RestClient
from minikube_py.config import AgentConfig
from minikube_py.controllers import accounts as accounts_of
from minikube_py.controllers.certificate_authority import load_authority
from minikube_py.controllers.config import ControllersConfig, with_fast_periods
from minikube_py.controllers.controller_args import read_controller_args
from minikube_py.controllers.io.controller_loop import Controllers
from minikube_py.controllers.io.recycler_templates import with_recycler_templates
from minikube_py.controllers.table import controllers
from minikube_py.scheduler.config import SchedulerConfig
from minikube_py.scheduler.io.scheduler_loop import Scheduler
from minikube_py.store.expiry import ExpiryRule
from minikube_py.store.io.memory_store import MemoryStore

CONTROLLER_MANAGER = "system:kube-controller-manager"

EVENT_EXPIRY = ExpiryRule(EVENTS.storage_prefix, after_s=3600.0, keys_max=20_000)
"""Events live for an hour after their last change (upstream: --event-ttl), the oldest less when there are many."""


@dataclass(frozen=True, slots=True)
class Master:
    """A running API server and how components reach it."""

    api: ApiServer
    host: Host
    revision: Callable[[], int]
    state_commands: Mapping[str, Command]
    """What the control socket offers for the store, by word."""

    def client(self, user: UserInfo, agent: str = "") -> RestClient:
        """Return the API for a component in this process; `agent` names it in managed fields, if not the user."""
        rng = self.host.rng
        transport = self.api.local_transport(user)
        return RestClient(transport, agent or user.name, lambda: rng.randint(*WATCH_TIMEOUT_S_RANGE))

    def controller_client(self, component: str) -> RestClient:
        """Return the API as a controller's own account."""
        accounts = "system:serviceaccounts"
        groups = (SYSTEM_MASTERS, accounts, f"{accounts}:{accounts_of.NAMESPACE}", AUTHENTICATED)
        return self.client(UserInfo(accounts_of.account_of(component), groups), CONTROLLER_MANAGER)

    def informers(self, user: UserInfo = LOOPBACK) -> InformerSet:
        """Return a set of informers; it runs when its `run` runs."""
        return InformerSet(self.client(user), self.host.clock, self.host.rng.random)


def api_config(config: AgentConfig) -> ApiServerConfig:
    """Return the API server's settings."""
    settings = ApiServerConfig(
        bind_address=config.bind_address,
        secure_port=config.https_port,
        advertise_address=config.node_ip,
        service_cluster_ip_range=str(config.service_cidr),
        cluster_dns="" if "dns" in config.disabled else str(config.cluster_dns),
        local_path_class="local-storage" not in config.disabled,
        service_node_port_range=(config.node_ports[0], config.node_ports[-1]),
    )
    settings = with_fast_timers(settings) if config.fast_timers else settings
    return replace(settings, **read_server_args(config.server_args).fields)


def controllers_config(config: AgentConfig, ca: KeyPair) -> ControllersConfig:
    """Return the controllers' settings."""
    settings = ControllersConfig(
        root_ca_pem=ca.certificate_pem.decode(),
        authority=load_authority(ca.certificate_pem, ca.key_pem),
        cluster_cidr=str(config.cluster_cidr),
    )
    settings = with_fast_periods(settings) if config.fast_timers else settings
    return with_recycler_templates(replace(settings, **read_controller_args(config.controller_args).fields))


def master_components(
    config: AgentConfig, master: "Master", informers: InformerSet, ca: KeyPair
) -> Mapping[str, Run]:
    """Return the scheduler and the controllers; made before the informers run, since they add indexes."""
    host = master.host
    table = controllers(controllers_config(config, ca))
    client = master.client(UserInfo(CONTROLLER_MANAGER, (SYSTEM_MASTERS, AUTHENTICATED)))
    scheduler_client = master.client(UserInfo("system:kube-scheduler", (SYSTEM_MASTERS, AUTHENTICATED)))
    return {
        "node-role": NodeRole(master.client(LOOPBACK), informers, config.node_name).run,
        "controllers": Controllers(client, informers, host.clock, host.ids, table, master.controller_client).run,
        "scheduler": Scheduler(
            scheduler_client, informers, host.clock, host.ids, host.rng.randrange, SchedulerConfig()
        ).run,
    }


@asynccontextmanager
async def run_master(
    config: AgentConfig,
    host: Host,
    tls: ssl.SSLContext,
    pki: Pki,
    kubelet_tls: ssl.SSLContext,
) -> AsyncIterator[Master]:
    """Open the store and serve the API while the context lasts; yields once connections are accepted."""
    async with open_state(config, host.clock) as (durable, commands):
        # Volatile revisions start at the time of day, so that they never go back over a restart.
        first_revision = int(host.clock.wall_s() * 1000)

        async def scrape_node(name: str) -> str:
            return await api.kubelets.read(name, "/metrics/resource")

        volatile = MemoryStore(stamp, host.clock, first_revision, (EVENT_EXPIRY,))
        ports = ApiServerPorts(
            durable=durable,
            volatile=volatile,
            clock=host.clock,
            ids=host.ids,
            rng=host.rng,
            authenticate=Authenticator({}).authenticate,
            token_key_pem=token_key_pem(config),
            front_proxy=pki.front_proxy(),
            audit=audit_settings(config),
            kubelet_tls=kubelet_tls,
            join=join_settings(config, pki.ca.certificate_pem),
            scrape_node=None if "metrics" in config.disabled else scrape_node,
        )
        api = ApiServer(api_config(config), ports)
        listening = asyncio.Event()
        async with running(host.health, {"apiserver": lambda: api.serve(tls, listening)}):
            await listening.wait()
            await api.bootstrap()
            yield Master(api, host, lambda: durable.revision, commands)
