"""Read, decide, commit: the only way from a decision to the store, again when somebody was faster.

A decision is made on the newest state and committed on the condition that this state still stands. When it does not,
the decision is made anew; a precondition of the client (a resourceVersion in the body) is part of the decision, so a
client that asked for "only if unchanged" gets its conflict, and everybody else gets through.

Upstream: registry/generic/registry/store.go, storage/etcd3 (GuaranteedUpdate).
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from minikube_py.api.errors import (
    MODIFIED,
    UnavailableError,
    already_exists,
    conflict,
    forbidden,
    not_found,
)
from minikube_py.api.meta import Obj, is_deleting, name_of
from minikube_py.api.resource import Resource
from minikube_py.api.resources import NAMESPACES, SERVICES
from minikube_py.apiserver.canonical import canonical, decode, stamp
from minikube_py.apiserver.decisions import Decision, NoChange, Reject, Remove, Write, WriteContext, complete_nothing
from minikube_py.apiserver.io.service_allocation import Reservation, ServiceAllocation
from minikube_py.apiserver.options import WriteOptions
from minikube_py.apiserver.routes import Route
from minikube_py.apiserver.verbs import GENERATED_SUFFIX_LENGTH, create, fill_name
from minikube_py.apiserver.versions import shown_entry, stored_object
from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids
from minikube_py.store.interface import Committed, Delete, Entry, Operation, Put, Rejected, Store, StoreReadOnlyError

CONFLICT_TRIES_MAX = 100
"""A write that loses the race so often is answered with 409; each loss means that another write got through."""
NAME_TRIES_MAX = 8
"""So many suffixes are tried for a generateName before the clash is the client's to solve."""

Decide = Callable[[Mapping[str, Any], WriteContext], Decision]
"""(stored object, context) -> decision; called again, on the newer object, after a lost race."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a write came to: the object's bytes as served; `removed`: it is gone, these were its last."""

    value: bytes
    created: bool = False
    removed: bool = False


class Storage:
    """The objects of all resources, durable and volatile ones."""

    def __init__(
        self, durable: Store, volatile: Store, clock: Clock, ids: Ids, allocation: ServiceAllocation
    ) -> None:
        self._durable = durable
        self._volatile = volatile
        self._clock = clock
        self._ids = ids
        self._allocation = allocation

    def store_of(self, resource: Resource) -> Store:
        """Return the store that keeps this resource."""
        return self._durable if resource.durable else self._volatile

    def find(self, resource: Resource, namespace: str, name: str) -> Entry | None:
        """Return the newest entry of an object, or None."""
        entry = self.store_of(resource).get(resource.storage_key(namespace, name))
        return None if entry is None else shown_entry(resource, entry)

    def get(self, route: Route) -> Entry:
        """Return the newest entry of the object that the route names.

        Raises:
            NotFoundError: there is none.
        """
        entry = self.find(route.resource, route.namespace, route.name)
        if entry is None:
            raise not_found(route.resource.group, route.resource.plural, route.name)
        return entry

    async def create(self, route: Route, obj: Obj, options: WriteOptions) -> Stored:
        """Create an object; `obj` is private.

        Raises:
            StatusError: refused, or it is there already.
        """
        resource = route.resource
        meta = obj.setdefault("metadata", {})
        generated = not meta.get("name") and bool(meta.get("generateName"))
        for attempt in range(1, NAME_TRIES_MAX + 1):
            if generated:
                meta.pop("name", None)
                fill_name(obj, self._ids.new_suffix(GENERATED_SUFFIX_LENGTH))
            self._check_namespace(route, name_of(obj))
            stored = await self._try_create(route, obj if attempt == NAME_TRIES_MAX else _shallow_copy(obj), options)
            if stored is not None:
                return stored
            if not generated:
                break
        raise already_exists(resource.group, resource.plural, name_of(obj))

    async def _try_create(self, route: Route, obj: Obj, options: WriteOptions) -> Stored | None:
        """Return None when an object of this name is there."""
        resource, store = route.resource, self.store_of(route.resource)
        if resource.set_requestor is not None:
            resource.set_requestor(obj, route.user.name, route.user.groups)
        with self._reserving(resource) as reservation:
            context = self._context(replace(route, name=name_of(obj)), options, reservation)
            decision = create(resource, obj, context)
            if isinstance(decision, Reject):
                raise decision.error
            assert isinstance(decision, Write)
            key = resource.storage_key(route.namespace, context.name)
            if options.dry_run:
                return None if store.get(key) is not None else Stored(canonical(decision.obj), created=True)
            outcome = await self._commit(store, Put(key, canonical(stored_object(resource, decision.obj)), expect=0))
        if isinstance(outcome, Rejected):
            return None
        return Stored(_value_of(resource, outcome), created=True)

    async def change(
        self, route: Route, options: WriteOptions, decide: Decide, *, make: Callable[[], Obj] | None = None
    ) -> Stored:
        """Change the object that the route names; `make` gives what to create when there is none.

        Raises:
            StatusError: refused, not there, or changed all the time.
        """
        resource, store = route.resource, self.store_of(route.resource)
        key = resource.storage_key(route.namespace, route.name)
        for _ in range(CONFLICT_TRIES_MAX):
            entry = store.get(key)
            if entry is None:
                if make is None:
                    raise not_found(resource.group, resource.plural, route.name)
                self._check_namespace(route, route.name)
                made = await self._try_create(route, make(), options)
                if made is not None:
                    return made
                continue
            entry = shown_entry(resource, entry)
            with self._reserving(resource) as reservation:
                context = self._context(route, options, reservation)
                decision = decide(decode(entry), context)
                stored = await self._act(resource, entry, decision, dry_run=options.dry_run)
            if stored is not None:
                return stored
        raise conflict(resource.group, resource.plural, route.name, MODIFIED)

    async def remove(
        self, route: Route, decide: Callable[[Mapping[str, Any], float], Decision], *, dry_run: bool
    ) -> Stored:
        """Delete the object that the route names, or mark it as being deleted.

        Raises:
            StatusError: refused, not there, or changed all the time.
        """
        for _ in range(CONFLICT_TRIES_MAX):
            entry = self.get(route)
            decision = decide(decode(entry), self._clock.wall_s())
            stored = await self._act(route.resource, entry, decision, dry_run=dry_run)
            if stored is not None:
                return stored
        raise conflict(route.resource.group, route.resource.plural, route.name, MODIFIED)

    async def _act(self, resource: Resource, entry: Entry, decision: Decision, *, dry_run: bool) -> Stored | None:
        """Carry a decision about `entry` (as shown) out; None when it is no longer the newest."""
        store = self.store_of(resource)
        match decision:
            case Reject(error):
                raise error
            case NoChange():
                return Stored(entry.value)
            case Write(obj):
                if dry_run:
                    return Stored(stamp(canonical(obj), entry.mod_revision))
                value = canonical(stored_object(resource, obj))
                outcome = await self._commit(store, Put(entry.key, value, expect=entry.mod_revision))
                return None if isinstance(outcome, Rejected) else Stored(_value_of(resource, outcome))
            case Remove(obj):
                last = entry.value if obj is decode(entry) else stamp(canonical(obj), entry.mod_revision)
                if dry_run:
                    return Stored(last, removed=True)
                outcome = await self._commit(store, Delete(entry.key, expect=entry.mod_revision))
                return None if isinstance(outcome, Rejected) else Stored(last, removed=True)

    async def _commit(self, store: Store, operation: Operation) -> Committed | Rejected:
        try:
            return await store.commit((operation,))
        except StoreReadOnlyError as error:
            raise UnavailableError(f"the state store takes no writes: {error}", retry_after_s=1) from error

    def _context(self, route: Route, options: WriteOptions, reservation: Reservation | None) -> WriteContext:
        return WriteContext(
            namespace=route.namespace,
            name=route.name,
            wall_s=self._clock.wall_s(),
            uid=self._ids.new_uid(),
            options=options,
            subresource=route.subresource,
            complete=reservation.complete if reservation is not None else complete_nothing,
        )

    def _reserving(self, resource: Resource) -> AbstractContextManager[Reservation | None]:
        return self._allocation.reservation() if resource is SERVICES else nullcontext()

    def _check_namespace(self, route: Route, name: str) -> None:
        """Refuse to create in a namespace that is missing or going (upstream: NamespaceLifecycle admission)."""
        if not route.resource.namespaced:
            return
        entry = self.find(NAMESPACES, "", route.namespace)
        if entry is None:
            raise not_found("", "namespaces", route.namespace)
        if not is_deleting(decode(entry)):
            return
        why = f"unable to create new content in namespace {route.namespace} because it is being terminated"
        error = forbidden(route.resource.group, route.resource.plural, name, why)
        error.details["causes"] = [
            {
                "reason": "NamespaceTerminating",
                "message": f"namespace {route.namespace} is being terminated",
                "field": "metadata.namespace",
            }
        ]
        raise error


def _value_of(resource: Resource, outcome: Committed) -> bytes:
    entry = outcome.entries[0]
    assert entry is not None
    return shown_entry(resource, entry).value


def _shallow_copy(obj: Obj) -> Obj:
    """Return a copy whose top level and metadata are private: what one try may change without spoiling the next."""
    return {**obj, "metadata": dict(obj["metadata"])}
