"""The proxy's loop: Services, EndpointSlices and this node's pods in, transactions out.

Handlers only mark a Service or pod as dirty. One task compiles what is dirty, asks `TableState` for the next
transaction and applies it: the first change after `first_delay_s`, the next not before `min_interval_s` or five times
what the last one took. After an error the table is listed and the difference applied; after a second one in a row it
is replaced as a whole (in one transaction: connections never meet an empty table). Nothing is applied before the
copies are complete, and a table that is right is not touched by a start: Services answer all the while.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Literal, NamedTuple

from minikube_py.api.endpoint_slices import service_index, service_key_of
from minikube_py.api.meta import Obj, ObjectKey, key_of, labels_of
from minikube_py.api.resources import ENDPOINT_SLICES, NODES, PODS, SERVICE_CIDRS, SERVICES
from minikube_py.api.service_networks import service_networks
from minikube_py.client.interface import Change, Informers, Selection
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.waiting import wait_event_or_sleep
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.endpoints_map import merge_slices
from minikube_py.proxy.host_ports import compile_host_ports
from minikube_py.proxy.ports import FlowTable, RulesetApplier, RulesetError
from minikube_py.proxy.programs import EMPTY, CompileFacts, Program, Target, UdpEntry, compile_service
from minikube_py.proxy.ruleset_diff import TableState
from minikube_py.proxy.service_map import parse_service
from minikube_py.proxy.topology import NodeFacts

log = logging.getLogger("proxy")
ZONE_LABEL = "topology.kubernetes.io/zone"
_BY_SERVICE = "proxy/service"
RANGES_WAIT_S = 5.0
"""So long the first sync waits for the ServiceCIDRs.

A node that was upgraded without a server has no copy of them, and Services of the cluster's own range need none.
"""
_COMPILED_PER_TURN_MAX = 100
"""Programs compiled before other tasks get their turn; about 10 ms."""
_FAILURES_BEFORE_REPLACE = 2
"""Syncs that failed one after the other before the table is not compared any more, but replaced."""


class Owner(NamedTuple):
    """Who wants elements in the table: a Service, or a pod with host ports."""

    kind: Literal["pod", "service"]
    key: ObjectKey

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Proxier:
    """Keeps this node's Service rules right (upstream: kube-proxy); implements the kubelet's EndpointDrain port."""

    def __init__(
        self,
        config: ProxyConfig,
        informers: Informers,
        clock: Clock,
        applier: RulesetApplier,
        flows: FlowTable,
        retire_other_mode: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Make a proxy; `retire_other_mode` is awaited once, when this mode's rules stand."""
        self._config = config
        self._clock = clock
        self._applier = applier
        self._flows = flows
        self._retire_other_mode = retire_other_mode
        self._services = informers.informer(SERVICES)
        self._slices = informers.informer(ENDPOINT_SLICES)
        self._node = informers.informer(NODES, Selection(field_selector=f"metadata.name={config.node_name}"))
        self._pods = informers.informer(PODS, Selection(field_selector=f"spec.nodeName={config.node_name}"))
        self._service_cidrs = informers.informer(SERVICE_CIDRS)
        self._table = TableState(config.surplus_delay_s)
        self._dirty: set[Owner] = set()
        self._pending: dict[Owner, Program] = {}
        self._programs: dict[Owner, Program] = {}
        self._forwarded: Counter[str] = Counter()
        self._reached: Counter[str] = Counter()
        self._facts = CompileFacts(NodeFacts(config.node_name), frozenset(config.node_local_vips))
        self._wake = asyncio.Event()
        self._committed = asyncio.Event()
        self._has_synced = False
        self._must_list = True
        self._sweep_chains = False
        self._failures = 0
        self._stale_flows: dict[UdpEntry, frozenset[Target]] = {}
        self._slices.add_index(_BY_SERVICE, service_index)
        self._services.subscribe(self._on_service)
        self._slices.subscribe(self._on_slice)
        self._pods.subscribe(self._on_pod)
        self._node.subscribe(self._on_node)
        self._service_cidrs.subscribe(lambda change: self._wake.set())

    async def run(self) -> None:
        """Follow Services and EndpointSlices for ever."""
        for informer in (self._services, self._slices, self._pods, self._node):
            await informer.wait_synced()
        with suppress(TimeoutError):
            async with asyncio.timeout(RANGES_WAIT_S):
                await self._service_cidrs.wait_synced()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_foreign_changes(), name="proxy-monitor")
            group.create_task(self._verify_regularly(), name="proxy-verify")
            group.create_task(self._retire_other(), name="proxy-other-mode")
            await self._sync_for_ever()

    def is_healthy(self) -> bool:
        """Return whether the kernel holds what it shall, as far as was tried (upstream: /healthz of kube-proxy)."""
        return self._has_synced and self._failures == 0

    async def _retire_other(self) -> None:
        if self._retire_other_mode is None:
            return
        await self.wait_first_sync()
        try:
            await self._retire_other_mode()
        except RulesetError as error:
            # Both translate to the same endpoints for now; the next start tries again.
            log.warning("the rules of the other proxy mode are still there: %s", error)

    async def wait_withdrawn(self, pod_ip: str, timeout_s: float) -> bool:
        """Wait until no rule forwards new connections to `pod_ip`; False when `timeout_s` passes first.

        A pod that is only kept as the last resort (serving, terminating, no ready endpoint) counts as withdrawn.
        """
        return await self._wait_rules(lambda: not self._forwarded[pod_ip], timeout_s)

    async def wait_unreachable(self, pod_ip: str, timeout_s: float) -> bool:
        """Wait until no rule leads to `pod_ip`, not even as the last resort; False when `timeout_s` passes first."""
        return await self._wait_rules(lambda: not self._reached[pod_ip], timeout_s)

    async def _wait_rules(self, are_right: Callable[[], bool], timeout_s: float) -> bool:
        deadline_s = self._clock.now_s() + timeout_s
        while not (self._has_synced and are_right()):
            if not await wait_event_or_sleep(self._committed, self._clock, deadline_s - self._clock.now_s()):
                return False
        return True

    async def wait_first_sync(self) -> None:
        """Wait until the kernel holds all Services once (upstream: /healthz of kube-proxy)."""
        while not self._has_synced:
            await self._committed.wait()

    async def tear_down(self) -> None:
        """Remove the table (`minikube-py down`).

        Raises:
            RulesetError: it cannot be removed.
        """
        await self._applier.remove_table()

    async def _sync_for_ever(self) -> None:
        while True:
            started_s = self._clock.now_s()
            try:
                await self._sync(started_s)
                self._failures = 0
                took_s = self._clock.now_s() - started_s
                pause_s = min(max(self._config.min_interval_s, 5 * took_s), self._config.max_interval_s)
            except RulesetError as error:
                self._failures += 1
                self._must_list = True
                pause_s = self._config.retry_delay_s
                self._wake.set()
                log.warning("sync failed, the table will be listed and compared: %s", error)
            await self._clock.sleep(pause_s)
            await self._wait_for_work()

    async def _sync(self, now_s: float) -> None:
        self._follow_ranges()
        if self._must_list:
            await self._look()
        await self._compile_dirty()
        transaction = self._table.plan(now_s)
        if not transaction.is_empty:
            await self._applier.apply(transaction)
            log.debug(
                "applied %d additions, %d deletions", len(transaction.add_elements), len(transaction.delete_elements)
            )
        self._table.committed(transaction, self._clock.now_s())
        self._take_over_programs()
        if self._sweep_chains:
            self._sweep_chains = False
            sweep = self._table.plan_unused_chains()
            if not sweep.is_empty:
                await self._applier.apply(sweep)
                self._table.committed(sweep, self._clock.now_s())
        await self._clean_flows()

    def _follow_ranges(self) -> None:
        """Take over the ranges of cluster IPs; another set of them makes another table."""
        networks = service_networks(self._service_cidrs.list(), self._config.service_cidr)
        if networks == self._config.cluster_ip_ranges:
            return
        self._config = replace(self._config, service_networks=networks)
        self._applier.use(self._config)
        if self._has_synced:
            log.info("cluster IPs are in %s", ", ".join(networks))
            self._table.observe(None)

    async def _look(self) -> None:
        """Compare with the kernel; after repeated failures do not ask it any more, replace everything."""
        listed = await self._applier.list_table() if self._failures < _FAILURES_BEFORE_REPLACE else None
        if self._has_synced and (listed is None or self._table.differences(listed)):
            log.warning("table %s was changed by somebody else, mending it", self._config.table)
        self._table.observe(listed)
        self._must_list = False

    async def _compile_dirty(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for place, owner in enumerate(sorted(dirty), start=1):
            if place % _COMPILED_PER_TURN_MAX == 0:
                await asyncio.sleep(0)
            program = self._compile_pod(owner.key) if owner.kind == "pod" else self._compile_service(owner.key)
            self._table.want(str(owner), program.elements)
            self._pending[owner] = program

    def _compile_service(self, key: ObjectKey) -> Program:
        service = self._services.get(key)
        if service is None:
            return EMPTY
        endpoints = merge_slices(self._slices.by_index(_BY_SERVICE, str(key)), self._config.node_name)
        return compile_service(parse_service(service), endpoints, self._facts)

    def _compile_pod(self, key: ObjectKey) -> Program:
        pod = self._pods.get(key)
        return EMPTY if pod is None else compile_host_ports(pod)

    def _take_over_programs(self) -> None:
        """Make what was just committed the base for EndpointDrain and for the next look at UDP flows."""
        for owner, program in self._pending.items():
            old = self._programs.pop(owner, EMPTY)
            if program != EMPTY:
                self._programs[owner] = program
            _recount(self._forwarded, old.forwards, program.forwards)
            _recount(self._reached, old.reaches, program.reaches)
            self._stale_flows.update(_changed_udp(old.udp, program.udp))
        self._pending = {}
        self._has_synced = True
        self._committed.set()
        self._committed = asyncio.Event()

    async def _clean_flows(self) -> None:
        if not self._stale_flows:
            return
        allowed, self._stale_flows = self._stale_flows, {}
        try:
            deleted = await self._flows.delete_stale_udp(allowed)
        except OSError as error:
            # The rules are right; only old senders stay with an old endpoint until the next change or their timeout.
            log.warning("cannot clean up UDP flows: %s", error)
            return
        if deleted:
            log.debug("deleted %d stale UDP flows", deleted)

    async def _wait_for_work(self) -> None:
        if self._wake.is_set():
            self._wake.clear()  # what came during the pause has been collected long enough
            return
        due_s = self._table.next_due_s()
        if due_s is None:
            await self._wake.wait()
        else:
            await wait_event_or_sleep(self._wake, self._clock, due_s - self._clock.now_s())
        if self._wake.is_set():
            self._wake.clear()
            await self._clock.sleep(self._config.first_delay_s)

    async def _watch_foreign_changes(self) -> None:
        while True:
            try:
                await self._applier.wait_foreign_change()
            except RulesetError as error:
                log.warning("cannot watch for foreign changes, next look in %g s: %s", self._verify_s, error)
                return
            self._list_soon()
            await self._clock.sleep(self._config.verify_min_interval_s)

    async def _verify_regularly(self) -> None:
        while True:
            await self._clock.sleep(self._verify_s)
            self._sweep_chains = True
            self._list_soon()

    def _list_soon(self) -> None:
        self._must_list = True
        self._wake.set()

    @property
    def _verify_s(self) -> float:
        return self._config.verify_interval_s

    def _on_service(self, change: Change) -> None:
        self._mark(Owner("service", key_of(change.latest)))

    def _on_pod(self, change: Change) -> None:
        if any(map(_has_host_ports, (change.old, change.new))):
            self._mark(Owner("pod", key_of(change.latest)))

    def _on_slice(self, change: Change) -> None:
        for obj in (change.old, change.new):
            key = service_key_of(obj) if obj is not None else None
            if key is not None:
                self._mark(Owner("service", key))

    def _on_node(self, change: Change) -> None:
        zone = labels_of(change.latest).get(ZONE_LABEL, "")
        if zone != self._facts.node.zone:
            self._facts = CompileFacts(NodeFacts(self._config.node_name, zone), self._facts.node_local_vips)
            for service in self._services.list():
                self._mark(Owner("service", key_of(service)))

    def _mark(self, owner: Owner) -> None:
        self._dirty.add(owner)
        self._wake.set()


def _has_host_ports(pod: Obj | None) -> bool:
    """Return whether the pod matters here: most pods change often and have none."""
    spec = (pod or {}).get("spec") or {}
    containers = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    return any(port.get("hostPort") for container in containers for port in container.get("ports") or ())


def _recount(counts: Counter[str], old: frozenset[str], new: frozenset[str]) -> None:
    """Count addresses that came and that went; what nobody has any more is not kept."""
    counts.update(new - old)
    for address in old - new:
        counts[address] -= 1
        if not counts[address]:
            del counts[address]


def _changed_udp(
    old: Mapping[UdpEntry, frozenset[Target]], new: Mapping[UdpEntry, frozenset[Target]]
) -> dict[UdpEntry, frozenset[Target]]:
    """Return what may live on at each UDP entry whose endpoints changed; nothing where the entry is gone."""
    entries = old.keys() | new.keys()
    return {entry: new.get(entry, frozenset()) for entry in entries if old.get(entry) != new.get(entry)}
