"""An existing etcd cluster as the store: reads from a copy in memory that a watch feeds, writes as etcd transactions.

The watch covers all of etcd's keys, so the copy knows every revision, also those of others; only what lies under the
prefix is kept. A write is answered when the copy has applied it, so that reads, caches and watchers are never behind
what a client was told. When the watch breaks it goes on after the newest revision that was applied, so nothing is
lost or told twice; if etcd has compacted that revision, the copy is loaded anew, caches get the difference, and
watchers must list again (410).

Values are the same JSON as in the embedded store, without resourceVersion; Secrets are sealed in upstream's form.
While a restore into the cluster is not finished (store.etcd_restore), nothing is written and nobody starts.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Any

from aetcd import rpc

from minikube_py.kit.clock import Clock
from minikube_py.store.check import diff_revisions
from minikube_py.store.etcd_restore import MARKER, OPERATIONS_MAX, explain_marker
from minikube_py.store.interface import (
    Committed,
    Entry,
    Operation,
    Put,
    Rejected,
    Stamp,
    StoreOpenError,
    StoreReadOnlyError,
)
from minikube_py.store.io.etcd_client import EtcdClient, EtcdEndpoints, EtcdError
from minikube_py.store.io.etcd_requests import PREFIX, change_of, compare, load, marker_stands
from minikube_py.store.io.revisioned_store import RevisionedStore
from minikube_py.store.mvcc import Change, Mvcc, expectation_holds
from minikube_py.store.records import Seal, plain

log = logging.getLogger("store")

APPLY_TIMEOUT_S = 15.0
RETRY_S = 0.5
CHECK_TRIES = 20
"""How often a check is begun anew when somebody wrote meanwhile."""
COMPACT_S = 300.0
"""How often etcd is told to forget, and how much history it keeps (upstream: --etcd-compaction-interval)."""
_EVERYTHING = b"\0"


class EtcdStore(RevisionedStore):
    """Implements Store over an etcd cluster; made by `open_etcd_store`."""

    def __init__(
        self, state: Mvcc, client: EtcdClient, clock: Clock, seals: tuple[Seal, Seal] = (plain, plain)
    ) -> None:
        super().__init__(state)
        self._client = client
        self._clock = clock
        self._seal, self._unseal = seals

    @property
    def client(self) -> EtcdClient:
        """The cluster itself, for store.io.etcd_maintenance."""
        return self._client

    @property
    def endpoint(self) -> str:
        """The endpoint in use."""
        return self._client.endpoint

    async def commit(self, operations: Sequence[Operation]) -> Committed | Rejected:
        """Write all operations as one revision, durable in the cluster and applied here before this returns.

        Raises:
            StoreReadOnlyError: etcd cannot be reached or refuses; the text says if the write may have taken place.
        """
        assert 0 < len(operations) <= OPERATIONS_MAX, "a transaction of so many operations"
        try:
            response = await self._client.txn(self._request(operations))
        except EtcdError as error:
            doubt = "; it is not known whether this transaction took place" if error.unknown else ""
            raise StoreReadOnlyError(f"{error}{doubt}") from error
        revision = response.header.revision
        if not await self.wait_revision(revision, APPLY_TIMEOUT_S):
            outcome = "took place" if response.succeeded else "was rejected"
            raise StoreReadOnlyError(f"the transaction {outcome}, but the watch is behind revision {revision}")
        if not response.succeeded:
            return self._rejected(operations, response)
        return Committed(revision, self._entries_of(operations, revision))

    async def read_barrier(self) -> int:
        """Return a revision at least as new as any write acknowledged anywhere before this call.

        Raises:
            StoreReadOnlyError: etcd cannot be asked.
        """
        try:
            response = await self._client.range(rpc.RangeRequest(key=PREFIX.encode(), count_only=True))
        except EtcdError as error:
            raise StoreReadOnlyError(str(error)) from error
        if not await self.wait_revision(response.header.revision, APPLY_TIMEOUT_S):
            raise StoreReadOnlyError(f"the watch of etcd is behind revision {response.header.revision}")
        return self.revision

    async def check(self) -> tuple[str, ...]:
        """Return how the copy in memory differs from what etcd holds; empty when all is well.

        Raises:
            EtcdError: etcd cannot be reached.
            StoreReadOnlyError: the watch is behind.
        """
        faults: tuple[str, ...] = ()
        for _ in range(CHECK_TRIES):
            revision, found = await load(self._client, self._unseal)
            if not await self.wait_revision(revision, APPLY_TIMEOUT_S):
                raise StoreReadOnlyError(f"the watch of etcd is behind revision {revision}")
            if self.revision == revision:
                faults = diff_revisions(self._state.entries, {change.key: change.mod_revision for change in found})
                break
        return faults

    async def run(self) -> None:
        """Follow the cluster until cancelled."""
        while True:
            try:
                await self._follow()
            except EtcdError as error:
                log.warning("%s; the watch goes on after revision %d", error, self.revision)
                await self._clock.sleep(RETRY_S)

    async def run_compaction(self) -> None:
        """Let the cluster forget what is older than COMPACT_S, until cancelled; an idle cluster is left alone."""
        before = compacted = self.revision
        while True:
            await self._clock.sleep(COMPACT_S)
            if before > compacted:
                try:
                    await self._client.compact(before)
                    compacted = before
                except EtcdError as error:
                    log.warning("etcd is not compacted: %s", error)
            before = self.revision

    def _request(self, operations: Sequence[Operation]) -> Any:
        compares: list[Any] = []
        writes: list[Any] = []
        reads: list[Any] = []
        for operation in operations:
            key = operation.key.encode()
            reads.append(rpc.RequestOp(request_range=rpc.RangeRequest(key=key, keys_only=True)))
            if isinstance(operation, Put):
                value = self._seal(operation.key, operation.value)
                writes.append(rpc.RequestOp(request_put=rpc.PutRequest(key=key, value=value)))
            else:
                writes.append(rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=key)))
            compares += compare(operation, key)
        reads.append(rpc.RequestOp(request_range=rpc.RangeRequest(key=MARKER.encode())))
        return rpc.TxnRequest(compare=[*compares, marker_stands(0)], success=writes, failure=reads)

    def _rejected(self, operations: Sequence[Operation], response: Any) -> Rejected:
        marker = response.responses[-1].response_range.kvs
        if marker:
            raise StoreReadOnlyError(explain_marker(marker[0].value))
        for operation, answer in zip(operations, response.responses[:-1], strict=True):
            found = answer.response_range.kvs
            if not expectation_holds(operation, found[0].mod_revision if found else 0):
                return Rejected(operation.key, self.get(operation.key))
        raise AssertionError("etcd rejected a transaction of which every comparison holds")

    def _entries_of(self, operations: Sequence[Operation], revision: int) -> tuple[Entry | None, ...]:
        events = next(self._state.history.after(revision - 1), ())
        entries = {event.key: event.entry for event in events if event.revision == revision}
        return tuple(entries.get(op.key) if isinstance(op, Put) else None for op in operations)

    async def _follow(self) -> None:
        create = rpc.WatchCreateRequest(
            key=_EVERYTHING, range_end=_EVERYTHING, start_revision=self.revision + 1, progress_notify=True
        )
        async for response in self._client.watch(create):
            if response.canceled:
                if response.compact_revision:
                    log.error("etcd has compacted revision %d: everything is loaded anew", self.revision)
                    await self._reload()
                    return
                raise EtcdError(f"etcd ended the watch: {response.cancel_reason}")
            for revision, events in groupby(response.events, key=lambda event: int(event.kv.mod_revision)):
                self._take(revision, [self._change(event) for event in events])
            if not response.events and not response.created:
                self._take(response.header.revision, [])

    def _take(self, revision: int, changes: Sequence[Change | None]) -> None:
        if revision <= self.revision:
            return
        ours = [change for change in changes if change is not None]
        events = self._state.apply_changes(revision, ours, self._clock.now_s())
        if events:
            self._publish(events)
        else:
            self._advance(revision)

    def _change(self, event: Any) -> Change | None:
        key = event.kv.key.decode(errors="replace")
        if not key.startswith(PREFIX):
            return None
        if event.type == rpc.Event.DELETE:
            return Change(key, None)
        return change_of(event.kv, self._unseal)

    async def _reload(self) -> None:
        """Load everything anew: caches hear the difference as one revision, watchers must list again."""
        revision, found = await load(self._client, self._unseal)
        standing = {change.key: change for change in found}
        gone = [Change(key, None) for key in self._state.entries if key not in standing]
        changed = [c for c in found if (e := self.get(c.key)) is None or e.mod_revision != c.mod_revision]
        events = self._state.apply_changes(revision, [*gone, *changed], self._clock.now_s())
        self._hub.cut_off_all()
        if events:
            self._publish(events)
        self._advance(revision)
        self._state.history.forget(revision)


@asynccontextmanager
async def open_etcd_store(
    endpoints: EtcdEndpoints, *, stamp: Stamp, clock: Clock, seals: tuple[Seal, Seal] = (plain, plain)
) -> AsyncIterator[EtcdStore]:
    """Load the copy and follow the cluster while the context lasts.

    Raises:
        StoreOpenError: no endpoint can be reached, a Secret cannot be decrypted, or a restore is not finished.
    """
    client = EtcdClient(endpoints)
    try:
        started_s = clock.now_s()
        try:
            revision, found = await load(client, seals[1])
            marker = (await client.range(rpc.RangeRequest(key=MARKER.encode()))).kvs
        except (EtcdError, ValueError) as error:
            raise StoreOpenError(str(error)) from error
        if marker:
            raise StoreOpenError(explain_marker(marker[0].value))
        state = Mvcc(stamp)
        state.apply_changes(revision, found, clock.now_s())
        state.history.forget(revision)
        store = EtcdStore(state, client, clock, seals)
        log.info("etcd at %s: revision %d, read in %.3f s", client.endpoint, revision, clock.now_s() - started_s)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(store.run()), group.create_task(store.run_compaction())]
            try:
                yield store
            finally:
                for task in tasks:
                    task.cancel()
    finally:
        await client.close()
