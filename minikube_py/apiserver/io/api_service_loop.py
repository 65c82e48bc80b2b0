"""Keeps APIServices true: registers what this server has, and looks whether other servers can be asked.

1. `register` puts the APIServices of this server's own group versions right: those of the table at the start, those
   of CustomResourceDefinitions whenever definitions change.
2. `run` looks after the APIServices of other servers: when one of them, its Service or its endpoints change, every
   30 s, and after a failure with a back-off of 5 ms to 30 s. It writes the condition Available, and keeps the
   server's documents while it is available.

Upstream: kube-aggregator pkg/controllers/{autoregister,status/remote}; the discovery manager.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from minikube_py.api.catalog import Catalog
from minikube_py.api.errors import AlreadyExistsError, NotFoundError, StatusError, UnavailableError
from minikube_py.api.meta import Obj, copy_object, labels_of, name_of
from minikube_py.api.resources import API_SERVICES, ENDPOINT_SLICES, SERVICES
from minikube_py.apiserver.api_services import (
    AUTOMANAGED,
    ApiService,
    StartUp,
    Step,
    available_condition,
    compute_step,
    set_available,
    wanted_services,
)
from minikube_py.apiserver.availability import (
    ATTEMPT_TIMEOUT_S,
    ATTEMPTS,
    CHECK_USER,
    FAILED_CHECK,
    LOOK_AGAIN_S,
    PASSED,
    Verdict,
    bad_status,
    check_service,
    failed_check,
)
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.decisions import Decision, WriteContext
from minikube_py.apiserver.deletion import delete
from minikube_py.apiserver.io.api_registry import ApiRegistry
from minikube_py.apiserver.io.extension_documents import ExtensionDocuments
from minikube_py.apiserver.io.extension_servers import ExtensionServers, aggregator_user
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.options import RemovalOptions, WriteOptions
from minikube_py.apiserver.routes import Route
from minikube_py.apiserver.verbs import settle, update
from minikube_py.client.io.waiting_queue import WaitingQueue
from minikube_py.client.wire import ApiRequest
from minikube_py.kit.backoff import BackoffPolicy
from minikube_py.kit.clock import Clock
from minikube_py.store.interface import Store, StoreEvent

log = logging.getLogger("apiserver")

WORKERS = 5
"""APIServices that are looked after at one time (upstream's number)."""
FAILURES = BackoffPolicy(initial_s=0.005, maximum_s=30.0, reset_after_s=3600.0)
_OPTIONS = WriteOptions(field_manager="minikube-py-apiserver")


class ApiServiceLoop:
    """Looks after all APIServices."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        registry: ApiRegistry,
        servers: ExtensionServers,
        catalog: Callable[[], Catalog],
    ) -> None:
        self._store = store
        self._clock = clock
        self._registry = registry
        self._servers = servers
        self._catalog = catalog
        self.documents = ExtensionDocuments(servers)
        self._queue: WaitingQueue[str] = WaitingQueue(clock, FAILURES)
        self._register = asyncio.Event()
        self._registered_for: Catalog | None = None
        self._there_at_start: frozenset[str] | None = None
        self._settled: set[str] = set()
        registry.on_change.append(self._on_change)
        store.on_commit(self._on_commit)
        for name in registry.current.services:
            self._on_change(name)

    def _on_change(self, name: str) -> None:
        self.documents.keep_only(self._registry.current)
        service = self._registry.current.services.get(name)
        if service is not None and service.service is not None:
            self._queue.add(name)
        self._register.set()

    def _on_commit(self, events: Sequence[StoreEvent]) -> None:
        remote = self._registry.current.remote.values()
        for event in events if remote else ():
            for prefix in (SERVICES.storage_prefix, ENDPOINT_SLICES.storage_prefix):
                if event.key.startswith(prefix):
                    namespace = event.key.removeprefix(prefix).split("/")[0]
                    for service in remote:
                        if service.service is not None and service.service.namespace == namespace:
                            self._queue.add(service.name)
        if self._catalog() is not self._registered_for:
            self._register.set()

    async def run(self, storage: Storage) -> None:
        """Look after APIServices until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_registered(storage), name="apiservices registration")
            for number in range(WORKERS):
                group.create_task(self._work(storage), name=f"apiservices {number}")

    async def _keep_registered(self, storage: Storage) -> None:
        while True:
            await self._register.wait()
            self._register.clear()
            try:
                await self.register(storage)
            except StatusError as error:
                log.warning("APIServices cannot be registered: %s", error.message)
                await self._clock.sleep(1.0)
                self._register.set()

    async def register(self, storage: Storage) -> None:
        """Put the APIServices of this server's own group versions right.

        Raises:
            StatusError: they cannot be written.
        """
        catalog = self._catalog()
        found = {name_of(obj): obj for obj in map(decode, self._store.range(API_SERVICES.storage_prefix))}
        if self._there_at_start is None:
            self._there_at_start = frozenset(found)
        wanted = {name_of(obj): obj for obj in wanted_services(catalog)}
        past = StartUp(self._there_at_start, frozenset(self._settled))
        async with asyncio.TaskGroup() as group:
            tasks = []
            for name in sorted({*found, *wanted}):
                step = compute_step(name, wanted.get(name), found.get(name), past)
                tasks.append(group.create_task(self._take_step(storage, name, step, wanted.get(name))))
        for task in tasks:
            if (error := task.result()) is not None:
                raise error
        self._registered_for = catalog

    async def _take_step(self, storage: Storage, name: str, step: Step, wanted: Obj | None) -> StatusError | None:
        try:
            if step is Step.DELETE:
                await storage.remove(_route(name, "delete"), _delete, dry_run=False)
            elif step is Step.UPDATE and wanted is not None:
                await storage.change(_route(name, "update"), _OPTIONS, partial(_put_right, wanted))
            elif step is Step.CREATE and wanted is not None:
                await storage.create(_route(name, "create"), copy_object(wanted), _OPTIONS)
        except (AlreadyExistsError, NotFoundError) as error:
            log.debug("APIService %s: %s", name, error.message)
            self._register.set()
        except StatusError as error:
            return error
        self._settled.add(name)
        return None

    async def _work(self, storage: Storage) -> None:
        while True:
            name = await self._queue.get()
            try:
                await self._look_after(name, storage)
            except StatusError as error:
                delay_s = self._queue.requeue_failed(name)
                log.debug("APIService %s, next look in %.3f s: %s", name, delay_s, error.message)
            else:
                self._queue.forget(name)
            finally:
                self._queue.done(name)

    async def _look_after(self, name: str, storage: Storage) -> None:
        service = self._registry.current.services.get(name)
        if service is None or service.service is None:
            return
        self._queue.add_after(name, LOOK_AGAIN_S)
        verdict = await self._check(service)
        await self._write(name, service, verdict, storage)
        if verdict.status == "True":
            await self.documents.refresh(service, self._clock.now_s())
            return
        self.documents.mark_stale(service)
        if verdict.reason == FAILED_CHECK:
            raise UnavailableError(verdict.message)

    async def _check(self, service: ApiService) -> Verdict:
        assert service.service is not None
        verdict = check_service(service.service, *self._servers.service_of(service.service))
        if verdict is not None:
            return verdict
        found: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._attempt(service, found)) for _ in range(ATTEMPTS)]
            await asyncio.wait([found, *tasks], return_when=asyncio.FIRST_COMPLETED)
            while not found.done() and (open_ones := [task for task in tasks if not task.done()]):
                await asyncio.wait([found, *open_ones], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
        return found.result() if found.done() else tasks[-1].result()

    async def _attempt(self, service: ApiService, found: "asyncio.Future[Verdict]") -> Verdict:
        """Ask for the discovery document; the certificate of the other server does not matter here."""
        request = ApiRequest("GET", service.path, {}, {"accept": "application/json"})
        assert service.service is not None
        url = f"https://{service.service.server_name}:{service.service.port}{service.path}"
        try:
            answer = await self._servers.ask(
                service, request, aggregator_user(CHECK_USER), timeout_s=ATTEMPT_TIMEOUT_S, verify=False
            )
        except StatusError as error:
            return failed_check(url, f'Get "{url}": {error.message}')
        why = bad_status(url, answer.status)
        if why:
            return failed_check(url, why)
        if not found.done():
            found.set_result(PASSED)
        return PASSED

    async def _write(self, name: str, seen: ApiService, verdict: Verdict, storage: Storage) -> None:
        def decide(old: Mapping[str, Any], context: WriteContext) -> Decision:
            new = copy_object(old)
            set_available(new, *verdict, context.wall_s)
            return settle(API_SERVICES, old, new)

        entry = storage.find(API_SERVICES, "", name)
        if entry is None:
            return
        before = available_condition(decode(entry)) or {}
        if (before.get("status"), before.get("reason"), before.get("message")) == tuple(verdict):
            return
        log.info("APIService %s: Available %s -> %s (%s: %s)", name, before.get("status", "Unknown"), *verdict)
        try:
            await storage.change(_route(name, "update"), _OPTIONS, decide)
        except NotFoundError:
            log.debug("APIService %s has gone", seen.name)


def _put_right(wanted: Obj, old: Mapping[str, Any], context: WriteContext) -> Decision:
    new = copy_object(old)
    new["spec"] = copy_object(wanted["spec"])
    new["metadata"]["labels"] = {**labels_of(old), AUTOMANAGED: labels_of(wanted)[AUTOMANAGED]}
    return update(API_SERVICES, old, new, context)


def _route(name: str, verb: str) -> Route:
    return Route(API_SERVICES, verb, "", name)  # type: ignore[arg-type]


def _delete(old: Mapping[str, Any], wall_s: float) -> Decision:
    return delete(API_SERVICES, old, RemovalOptions(), wall_s)
