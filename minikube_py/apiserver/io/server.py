"""The API server as one thing: put together here, run by the agent.

server = ApiServer(config, ports)
await server.bootstrap()                    # first objects; the store must run
transport = server.local_transport(user)    # for components in this process
await server.serve(tls)                     # HTTPS, until cancelled
"""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any
from urllib.parse import urlencode

from minikube_py.api.catalog import Catalog
from minikube_py.api.errors import AlreadyExistsError, StatusError
from minikube_py.api.meta import Obj, copy_object, name_of, namespace_of
from minikube_py.api.resource import Resource, is_stored
from minikube_py.api.resources import API_SERVICES, CUSTOM_RESOURCE_DEFINITIONS, RESOURCES, SERVICES
from minikube_py.apiserver.admission import Admission
from minikube_py.apiserver.api_services import complete_local
from minikube_py.apiserver.audit_events import Call
from minikube_py.apiserver.authorize import authorize
from minikube_py.apiserver.bootstrap import FirstObject, first_objects, flow_objects
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.decisions import Complete, Decision, WriteContext, complete_nothing
from minikube_py.apiserver.health import Check
from minikube_py.apiserver.io import account_admission
from minikube_py.apiserver.io.account_admission import AccountAdmission
from minikube_py.apiserver.io.account_tokens import AccountTokens
from minikube_py.apiserver.io.admission_chain import AdmissionChain
from minikube_py.apiserver.io.admission_sources import AdmissionSources
from minikube_py.apiserver.io.api_registry import ApiRegistry
from minikube_py.apiserver.io.api_service_loop import ApiServiceLoop
from minikube_py.apiserver.io.audit_log import AuditLog, AuditSettings, Exchange
from minikube_py.apiserver.io.computed import ComponentStatuses, Computed, ComputedSource
from minikube_py.apiserver.io.conversion_webhooks import ConversionWebhooks
from minikube_py.apiserver.io.converted_watches import ConvertedWatches
from minikube_py.apiserver.io.custom_resources import CustomResources
from minikube_py.apiserver.io.dispatcher import Dispatcher
from minikube_py.apiserver.io.documents import Documents, Others
from minikube_py.apiserver.io.event_fanout import EventFanout
from minikube_py.apiserver.io.extension_proxy import ExtensionProxy
from minikube_py.apiserver.io.extension_servers import ExtensionServers, FrontProxy
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.http_server import Authenticate, HttpPorts, HttpServer
from minikube_py.apiserver.io.identity_lease import IdentityLease
from minikube_py.apiserver.io.join_endpoint import JoinEndpoint
from minikube_py.apiserver.io.kubelets import Kubelets
from minikube_py.apiserver.io.local_transport import LocalTransport
from minikube_py.apiserver.io.metrics import ApiMetrics
from minikube_py.apiserver.io.node_metrics import NodeMetricsScraper, ScrapeNode, metrics_sources
from minikube_py.apiserver.io.pod_logs import PodLogs
from minikube_py.apiserver.io.reads import Reads
from minikube_py.apiserver.io.resource_proxy import ResourceProxy
from minikube_py.apiserver.io.selection import selections_of
from minikube_py.apiserver.io.service_allocation import ServiceAllocation, ranges_of
from minikube_py.apiserver.io.storage import Completions, Decide, Storage, StoragePorts
from minikube_py.apiserver.io.stored_lookups import StoredLookups
from minikube_py.apiserver.io.token_key import TokenKey
from minikube_py.apiserver.io.upgrades import Upgrades
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.io.webhook_client import WebhookClient
from minikube_py.apiserver.io.writes import Writes
from minikube_py.apiserver.joining import JoinSettings
from minikube_py.apiserver.options import WriteOptions
from minikube_py.apiserver.request_headers import authentication_data, front_proxies_of
from minikube_py.apiserver.reviews import Judges
from minikube_py.apiserver.routes import RequestInfo, Route, parse_request, resolve
from minikube_py.apiserver.users import LOOPBACK, UserInfo
from minikube_py.apiserver.verbs import update
from minikube_py.client.io.rest_client import WATCH_TIMEOUT_S_RANGE, RestClient
from minikube_py.client.wire import ApiRequest, Transport
from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids
from minikube_py.kit.peer_subject import PeerSubject
from minikube_py.store.interface import Store

log = logging.getLogger("apiserver")

LAG_PERIOD_S = 1.0
_OPTIONS = WriteOptions(field_manager="minikube-py-apiserver")


@dataclass(frozen=True, slots=True)
class ApiServerPorts:
    """What the API server needs of its neighbours and of the outside."""

    durable: Store
    """Keeps resources with `durable` True."""
    volatile: Store
    """Keeps the others (Events, Leases), in memory."""
    clock: Clock
    ids: Ids
    rng: Random
    authenticate: Authenticate
    token_key_pem: bytes
    """The key that signs tokens of service accounts; all API servers of a cluster have the same."""
    front_proxy: FrontProxy | None = None
    """How the servers of APIServices are asked; None: without a certificate, and no X-Remote header is believed."""
    audit: AuditSettings | None = None
    """The audit log; None: there is none."""
    kubelet_tls: ssl.SSLContext | None = None
    """How kubelets are reached; None: no certificate is shown to them."""
    join: JoinSettings | None = None
    """How hosts become nodes; None: they cannot."""
    scrape_node: ScrapeNode | None = None
    """How a node's /metrics/resource is read; None: no metrics are collected (--disable metrics)."""


class ApiServer:
    """One API server."""

    def __init__(self, config: ApiServerConfig, ports: ApiServerPorts) -> None:
        self._config = config
        self._ports = ports
        self.metrics = ApiMetrics(self._is_served)
        """Other components may register theirs in `metrics.registry`; /metrics shows them all."""
        self._audit = AuditLog(ports.audit, ports.clock) if ports.audit is not None else None
        if self._audit is not None:
            self.metrics.show_audit(self._audit)
        self._custom = CustomResources(ports.durable, ports.clock)
        self._heavy_work = HeavyWork()
        self._webhooks = WebhookClient(ports.durable, self._heavy_work)
        views = Views(ConversionWebhooks(self._webhooks, ports.ids).convert, self._heavy_work)
        self._storage = self._open_storage(views)
        self._converted = ConvertedWatches(views)
        self.node_metrics = NodeMetricsScraper(
            self._storage, ports.scrape_node, ports.clock, config.metric_resolution_s
        )
        stores = {True: ports.durable, False: ports.volatile}
        fanouts = {
            True: EventFanout(ports.durable, views, self._converted.take),
            False: EventFanout(ports.volatile, views, self._converted.take),
        }
        self._custom.on_gone.append(fanouts[True].forget)
        selections = selections_of(stores, [resource for resource in RESOURCES if is_stored(resource)])
        address = f"{config.advertise_address}:{config.reachable_port}"
        extensions = self._aggregate(ports)
        self._documents = Documents(address, self.metrics.text, self.catalog, self._heavy_work, self._others)
        self.kubelets = Kubelets(self._storage, ports.kubelet_tls)
        """The way to the nodes' servers."""
        logs = PodLogs(self._storage, self.kubelets, ports.clock)
        self._tokens = AccountTokens(self._storage, TokenKey(ports.token_key_pem), ports.clock, ports.ids)
        writes = Writes(self._storage, views, self._tokens, ports.clock, config, self._heavy_work)
        judges = Judges(authorize, lambda token: self._authenticate(None, f"Bearer {token}"))
        checks = self._documents.checks["readyz"]
        self._dispatcher = Dispatcher(
            Reads(self._storage, views, fanouts, selections, ports.clock, config.future_wait_s, self._heavy_work),
            writes,
            self._documents,
            logs,
            Computed(
                writes,
                judges,
                self._computed_sources(checks),
                ports.clock,
                lambda: ports.durable.revision,
                self._heavy_work,
            ),
            self.catalog,
            extensions,
        )
        self.http = self._http_server(logs, extensions)
        self._lease = IdentityLease(self._storage, ports.clock, config.advertise_address, ports.ids.new_uid())
        self._bootstrapped = False
        self.add_readiness_check("bootstrap", lambda: "" if self._bootstrapped else "first objects are not there yet")

    def _http_server(self, logs: PodLogs, extensions: ExtensionProxy) -> HttpServer:
        ports = self._ports
        proxy = ResourceProxy(self._storage, ports.rng, ports.kubelet_tls)
        return HttpServer(
            self._config,
            self._dispatcher,
            Upgrades(logs, self.kubelets, proxy, self._storage),
            self.metrics,
            HttpPorts(
                self._authenticate,
                ports.clock,
                ports.ids,
                ports.rng,
                extensions,
                front_proxies_of(ports.front_proxy.ca_pem) if ports.front_proxy is not None else None,
                self._joins(),
                self._audit,
            ),
        )

    def _joins(self) -> JoinEndpoint | None:
        """Return what answers hosts that want to become nodes, if the cluster takes any."""
        settings, rng = self._ports.join, self._ports.rng
        if settings is None:
            return None

        def client_as(user: UserInfo) -> RestClient:
            return RestClient(self.local_transport(user), user.name, lambda: rng.randint(*WATCH_TIMEOUT_S_RANGE))

        return JoinEndpoint(settings, client_as, self._ports.clock)

    def _computed_sources(self, checks: Mapping[str, Check]) -> Mapping[str, ComputedSource]:
        return {
            "componentstatuses": ComponentStatuses(checks),
            **metrics_sources(self._storage, self.node_metrics),
        }

    def _aggregate(self, ports: ApiServerPorts) -> ExtensionProxy:
        """Put together what stands in front of other servers; returns what answers for them."""
        self._registry = ApiRegistry(ports.durable)
        self._servers = ExtensionServers(ports.durable, ports.front_proxy)
        extensions = ExtensionProxy(self._servers, lambda: self._registry.current)
        self._api_services = ApiServiceLoop(ports.durable, ports.clock, self._registry, self._servers, self.catalog)
        extensions.has_openapi_v3 = self._api_services.documents.has_openapi_v3
        return extensions

    def _open_storage(self, views: Views) -> Storage:
        """Return the objects of all resources; metrics show how many there are."""
        admission = self._admission(AdmissionSources(self._ports.durable, self.catalog), views)
        storage = Storage(
            StoragePorts(
                durable=self._ports.durable,
                volatile=self._ports.volatile,
                clock=self._ports.clock,
                ids=self._ports.ids,
                completions=self._completions(
                    ServiceAllocation(self._ports.durable, ranges_of(self._config), self._ports.rng)
                ),
                views=views,
                admission=admission,
                heavy_work=self._heavy_work,
            )
        )
        for resource in filter(is_stored, RESOURCES):
            store, prefix = storage.store_of(resource), resource.storage_prefix
            self.metrics.show_stored(resource.qualified, partial(store.count, prefix))
        return storage

    def catalog(self) -> Catalog:
        """Return what is served at this moment."""
        return self._custom.catalog

    def _is_served(self, info: RequestInfo) -> bool:
        try:
            resolve(info, self.catalog())
        except StatusError:
            return False
        return True

    def _admission(self, sources: AdmissionSources, views: Views) -> Admission:
        """Return all that may change or refuse a write: plug-ins first, then webhooks and policies."""
        ports = self._ports
        lookups = StoredLookups(ports.durable)
        chain: Admission = AdmissionChain(
            sources, lookups, self._webhooks, views, ports.ids, self._heavy_work, self._config
        )
        if account_admission.NAME not in self._config.disable_admission_plugins:
            chain = AccountAdmission(ports.durable, ports.clock, ports.ids, chain)
        return chain

    def _others(self) -> Others:
        """Return what other servers have at this moment."""
        documents = self._api_services.documents
        return Others(self._registry.current, documents.versions, documents.v3_paths(), documents.specs)

    def renew_front_proxy(self) -> None:
        """Use the front proxy's certificate that is on disk now."""
        self._servers.renew()

    def _completions(self, allocation: ServiceAllocation) -> Completions:
        """Return what gives new objects of some resources what only the server can give."""

        def holding(resource: Resource, wall_s: float) -> AbstractContextManager[Complete]:
            if resource is SERVICES:
                return allocation.holding()
            if resource is CUSTOM_RESOURCE_DEFINITIONS:
                return nullcontext(partial(self._custom.complete, wall_s))
            if resource is API_SERVICES:
                return nullcontext(partial(complete_local, wall_s))
            return nullcontext(complete_nothing)

        return holding

    def _authenticate(self, subject: PeerSubject | None, authorization: str) -> UserInfo:
        """Say who asks: a service account by its token, everybody else as the port says."""
        scheme, _, token = authorization.partition(" ")
        if subject is None and scheme.lower() == "bearer" and self._tokens.is_ours(token.strip()):
            return self._tokens.user_of(token.strip())
        return self._ports.authenticate(subject, authorization)

    def add_readiness_check(self, name: str, check: Check) -> None:
        """Let /readyz ask `check` (an empty text means well)."""
        self._documents.checks["readyz"][name] = check

    def local_transport(self, user: UserInfo = LOOPBACK) -> Transport:
        """Return the API for components in this process, as `user`."""
        ports = self._ports
        return LocalTransport(self._dispatcher, user, self._config, ports.clock, ports.rng, self._begin_audit)

    def _begin_audit(self, request: ApiRequest, user: UserInfo) -> Exchange | None:
        if self._audit is None:
            return None
        info = parse_request(request.method, request.path, request.query)
        call = Call(
            audit_id=self._ports.ids.new_uid(),
            info=info,
            uri=f"{request.path}?{urlencode(request.query)}" if request.query else request.path,
            user=user,
            source="127.0.0.1",
            user_agent=request.headers.get("user-agent", ""),
            received_s=self._ports.clock.wall_s(),
            body=request.body,
        )
        exchange = self._audit.begin(call)
        if exchange is not None:
            exchange.stage("RequestReceived")
        return exchange

    async def bootstrap(self) -> None:
        """Create what a cluster must have; may be called at every start.

        Raises:
            StatusError: the store takes no writes.
        """
        proxy = self._ports.front_proxy
        data = authentication_data(proxy.client_ca_pem, proxy.ca_pem) if proxy is not None else {}
        for first in first_objects(self._config, data):
            await self._ensure(first)
        async with asyncio.TaskGroup() as group:
            for first in flow_objects():
                group.create_task(self._ensure(first), name=f"bootstrap {name_of(first.obj)}")
            group.create_task(self._api_services.register(self._storage), name="bootstrap APIServices")
        self._bootstrapped = True

    async def _ensure(self, first: FirstObject) -> None:
        obj = copy_object(first.obj)
        route = Route(first.resource, "create", namespace_of(obj), name_of(obj))
        entry = self._storage.find(first.resource, route.namespace, route.name)
        if entry is None:
            try:
                await self._storage.create(route, obj, _OPTIONS)
            except AlreadyExistsError:
                log.debug("%s %s is there already", first.resource.kind, route.name)
            except StatusError as error:
                log.error("cannot create %s %s: %s", first.resource.kind, route.name, error.message)  # noqa: TRY400
                raise
            return
        if first.follow:
            await self._storage.change(route, _OPTIONS, _follow(route, first.obj))

    async def serve(self, tls: ssl.SSLContext | None, listening: asyncio.Event | None = None) -> None:
        """Serve HTTPS until cancelled; `listening` is set when connections are accepted.

        Raises:
            ListenError (in an ExceptionGroup): the address cannot be had.
        """
        async with asyncio.TaskGroup() as group:
            audit = (group.create_task(self._audit.run(), name="audit log"),) if self._audit is not None else ()
            beside = (
                *audit,
                group.create_task(self._measure_lag(), name="apiserver loop lag"),
                group.create_task(self._custom.run(self._storage), name="custom resource definitions"),
                group.create_task(self._converted.run(), name="converted watches"),
                group.create_task(self._api_services.run(self._storage), name="apiservices"),
                group.create_task(self._lease.run(), name="apiserver identity"),
                group.create_task(self.node_metrics.run(), name="node metrics"),
            )
            try:
                await self.http.serve(tls, listening)
            finally:
                for task in beside:
                    task.cancel()
                await self._webhooks.close()
                self._heavy_work.close()
                await self._servers.close()

    async def _measure_lag(self) -> None:
        clock = self._ports.clock
        while True:
            before_s = clock.now_s()
            await clock.sleep(LAG_PERIOD_S)
            self.metrics.loop_lag.observe(max(0.0, clock.now_s() - before_s - LAG_PERIOD_S))


def _follow(route: Route, wanted: Obj) -> Decide:
    def decide(old: Mapping[str, Any], context: WriteContext) -> Decision:
        new = {**copy_object(old), **{k: v for k, v in copy_object(wanted).items() if k != "metadata"}}
        return update(route.resource, old, new, context)

    return decide
