"""Read, decide, commit: the only way from a decision to the store, again when somebody was faster.

A decision is made on the newest state and committed on the condition that this state still stands. When it does not,
the decision is made anew; a precondition of the client (a resourceVersion in the body) is part of the decision, so a
client that asked for "only if unchanged" gets its conflict, and everybody else gets through.

Each write passes admission twice: the new object may be changed before it is decided upon, and what was decided may
be refused before it is committed. Custom objects are seen, and decided upon, in the version of the request.

Upstream: registry/generic/registry/store.go, storage/etcd3 (GuaranteedUpdate).
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from minikube_py.api.errors import (
    MODIFIED,
    UnavailableError,
    already_exists,
    conflict,
    not_found,
)
from minikube_py.api.meta import Obj, name_of
from minikube_py.api.resource import Resource
from minikube_py.apiserver.admission import Admission, Admitted, Attributes, Operation
from minikube_py.apiserver.canonical import canonical, decode, peek, stamp
from minikube_py.apiserver.decisions import (
    NO_CHANGE,
    Complete,
    Decision,
    NoChange,
    Reject,
    Remove,
    Write,
    WriteContext,
)
from minikube_py.apiserver.io.heavy_work import HeavyWork, asking
from minikube_py.apiserver.io.key_turns import KeyTurns
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.options import WriteOptions
from minikube_py.apiserver.routes import Route
from minikube_py.apiserver.users import render_user
from minikube_py.apiserver.verbs import GENERATED_SUFFIX_LENGTH, create, fill_name
from minikube_py.apiserver.weight import check_object, is_heavy
from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids
from minikube_py.store.interface import Committed, Delete, Entry, Put, Rejected, Store, StoreReadOnlyError
from minikube_py.store.interface import Operation as StoreOperation

T = TypeVar("T")

CONFLICT_TRIES_MAX = 100
"""A write that loses the race so often is answered with 409; each loss means that another write got through."""
NAME_TRIES_MAX = 8
"""So many suffixes are tried for a generateName before the clash is the client's to solve."""

Decide = Callable[[Mapping[str, Any], WriteContext], Decision]
"""(stored object, context) -> decision; called again, on the newer object, after a lost race."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change in two steps, so that admission can come between them."""

    propose: Callable[[Mapping[str, Any], WriteContext], Obj]
    """(stored object, context) -> what the client wants it to be.

    Raises:
        StatusError: that cannot be.
    """
    decide: Callable[[Mapping[str, Any], Obj, WriteContext], Decision]
    """(stored object, wanted object, context) -> decision."""
    shown: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda obj: obj
    """How admission sees the stored object, and what was decided: /scale shows Scales."""


Completions = Callable[[Resource, float], AbstractContextManager[Complete]]
"""(resource, time) -> what gives new objects what only the server can give (cluster IPs, accepted names), and holds
it while one of them is written."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a write came to: the object's bytes as served; `removed`: it is gone, these were its last."""

    value: bytes
    created: bool = False
    removed: bool = False
    warnings: tuple[str, ...] = ()
    """What admission warns of."""


@dataclass(frozen=True, slots=True)
class StoragePorts:
    """What storage needs of its neighbours."""

    durable: Store
    volatile: Store
    clock: Clock
    ids: Ids
    completions: Completions
    views: Views
    admission: Admission
    heavy_work: HeavyWork


class Storage:
    """The objects of all resources, durable and volatile ones."""

    def __init__(self, ports: StoragePorts) -> None:
        self._durable = ports.durable
        self._volatile = ports.volatile
        self._clock = ports.clock
        self._ids = ports.ids
        self._completions = ports.completions
        self._views = ports.views
        self._admission = ports.admission
        self._heavy_work = ports.heavy_work
        self._turns = KeyTurns()

    def store_of(self, resource: Resource) -> Store:
        """Return the store that keeps this resource."""
        return self._durable if resource.durable else self._volatile

    def find(self, resource: Resource, namespace: str, name: str) -> Entry | None:
        """Return the newest entry of an object, or None."""
        return self.store_of(resource).get(resource.storage_key(namespace, name))

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
            stored = await self._try_create(route, obj if attempt == NAME_TRIES_MAX else _shallow_copy(obj), options)
            if stored is not None:
                return stored
            if not generated:
                break
        raise already_exists(resource.group, resource.plural, name_of(obj))

    async def _try_create(self, route: Route, obj: Obj, options: WriteOptions) -> Stored | None:
        """Return None when an object of this name is there."""
        resource, store = route.resource, self.store_of(route.resource)
        named = replace(route, name=name_of(obj))
        attributes = self._attributes(named, "CREATE", options)
        if resource.set_requestor is not None:
            resource.set_requestor(obj, render_user(route.user))
        admitted = await self._mutate(attributes, obj, None)
        obj, warnings, heavy = admitted.obj, admitted.warnings, options.heavy or admitted.grown
        if admitted.grown:
            attributes = replace(attributes, heavy=True)
        with self._completions(resource, self._clock.wall_s()) as complete:
            context = self._context(named, options, complete)
            decision = await self._decide(heavy, context, partial(create, resource, obj))
            if isinstance(decision, Reject):
                raise decision.error
            assert isinstance(decision, Write)
            warnings += _warnings(resource, decision.obj, None)
            warnings += await self._admission.validate(attributes, decision.obj, None)
            proposed = await self._views.to_storage(resource, decision.obj)
            shown = decision.obj if options.dry_run else proposed
            value = await self._heavy_work.run_if(heavy, partial(_storable, shown))
            key = resource.storage_key(route.namespace, context.name)
            if options.dry_run:
                return None if store.get(key) is not None else Stored(value, created=True, warnings=warnings)
            outcome = await self._commit(store, Put(key, value, expect=0))
        if isinstance(outcome, Rejected):
            return None
        return Stored(await self._seen_value(resource, outcome), created=True, warnings=warnings)

    async def _decide(self, heavy: bool, context: WriteContext, decide: Callable[[WriteContext], T]) -> T:
        """Return what `decide` says; what is heavy is decided on another thread, and may still complete objects."""
        if not heavy:
            return decide(context)
        with asking(context.complete) as complete:
            return await self._heavy_work.run(partial(decide, replace(context, complete=complete)))

    async def _mutate(self, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None) -> Admitted:
        """Let mutating admission have its say."""
        if not self._admission.concerns(attributes):
            return Admitted(new)
        return await self._admission.mutate(attributes, new, old)

    async def change(
        self, route: Route, options: WriteOptions, edit: Edit | Decide, *, make: Callable[[], Obj] | None = None
    ) -> Stored:
        """Change the object that the route names; `make` gives what to create when there is none.

        Raises:
            StatusError: refused, not there, or changed all the time.
        """
        resource = route.resource
        key = resource.storage_key(route.namespace, route.name)
        attributes = self._attributes(route, "UPDATE", options)
        # A custom resource's conversion, or admission, may ask a webhook.
        if options.dry_run or resource.custom is not None or self._admission.asks_others(attributes):
            return await self._change(route, key, attributes, options, edit, make)
        async with self._turns.turn(key):
            return await self._change(route, key, attributes, options, edit, make)

    async def _change(
        self,
        route: Route,
        key: str,
        attributes: Attributes,
        options: WriteOptions,
        edit: Edit | Decide,
        make: Callable[[], Obj] | None,
    ) -> Stored:
        resource, store = route.resource, self.store_of(route.resource)
        for _ in range(CONFLICT_TRIES_MAX):
            entry = store.get(key)
            if entry is None:
                if make is None:
                    raise not_found(resource.group, resource.plural, route.name)
                made = await self._try_create(route, await self._heavy_work.run_if(options.heavy, make), options)
                if made is not None:
                    return made
                continue
            stored = await self._try_change(route, attributes, options, edit, entry)
            if stored is not None:
                return stored
        raise conflict(resource.group, resource.plural, route.name, MODIFIED)

    async def _try_change(
        self, route: Route, attributes: Attributes, options: WriteOptions, edit: Edit | Decide, entry: Entry
    ) -> Stored | None:
        resource = route.resource
        seen = await self._views.entry(resource, entry)
        heavy = isinstance(edit, Edit) and (options.heavy or is_heavy(seen.value))
        old = await self._decoded(seen, heavy=heavy)
        if heavy:
            attributes = replace(attributes, heavy=True)
        with self._completions(resource, self._clock.wall_s()) as complete:
            context = self._context(route, options, complete)
            warnings: tuple[str, ...] = ()
            if isinstance(edit, Edit):
                wanted = await self._decide(heavy, context, partial(edit.propose, old))
                admitted = await self._mutate(attributes, wanted, edit.shown(old))
                warnings = admitted.warnings
                if admitted.grown:
                    heavy, attributes = True, replace(attributes, heavy=True)
                decision = await self._decide(heavy, context, partial(edit.decide, old, admitted.obj))
                if isinstance(decision, Write) and not route.subresource:
                    warnings += _warnings(resource, decision.obj, old)
                if isinstance(decision, Write | Remove):
                    warnings += await self._admission.validate(attributes, edit.shown(decision.obj), edit.shown(old))
            else:
                decision = edit(old, context)
            stored = await self._act(resource, (entry, seen), decision, dry_run=options.dry_run, heavy=heavy)
        return replace(stored, warnings=warnings) if stored is not None and warnings else stored

    async def _decoded(self, entry: Entry, *, heavy: bool) -> Obj:
        """Return the object of an entry, which is not kept: this write is about to put another in its place.

        A heavy one is parsed on another thread.
        """
        return await self._heavy_work.run_if(heavy, partial(peek, entry))

    async def remove(
        self,
        route: Route,
        decide: Callable[[Mapping[str, Any], float], Decision],
        *,
        dry_run: bool,
        options: Mapping[str, Any] | None = None,
    ) -> Stored:
        """Delete the object that the route names, or mark it as being deleted.

        `options` are shown to admission; None: it has been admitted already, as something else (an eviction).

        Raises:
            StatusError: refused, not there, or changed all the time.
        """
        for _ in range(CONFLICT_TRIES_MAX):
            entry = self.get(route)
            seen = await self._views.entry(route.resource, entry)
            heavy = is_heavy(seen.value)
            old = await self._decoded(seen, heavy=heavy)
            decision = await self._heavy_work.run_if(heavy, partial(decide, old, self._clock.wall_s()))
            warnings: tuple[str, ...] = ()
            if options is not None and isinstance(decision, Write | Remove):
                asked = WriteOptions(dry_run=dry_run, heavy=heavy)
                attributes = self._attributes(route, "DELETE", asked, options)
                warnings = (await self._mutate(attributes, {}, old)).warnings
                warnings += await self._admission.validate(attributes, None, old)
            stored = await self._act(route.resource, (entry, seen), decision, dry_run=dry_run, heavy=heavy)
            if stored is not None:
                return replace(stored, warnings=warnings) if warnings else stored
        raise conflict(route.resource.group, route.resource.plural, route.name, MODIFIED)

    async def _act(
        self, resource: Resource, stands: tuple[Entry, Entry], decision: Decision, *, dry_run: bool, heavy: bool
    ) -> Stored | None:
        """Carry a decision about an entry (as stored, as seen) out; None when it is no longer the newest."""
        store, (entry, seen) = self.store_of(resource), stands
        encoded = partial(self._heavy_work.run_if, heavy)
        if decision is NO_CHANGE and resource.custom is not None and seen is not entry and not dry_run:
            # a write of what is there already brings an object into today's storage version
            decision = Write(decode(seen))
        match decision:
            case Reject(error):
                raise error
            case NoChange():
                return Stored(seen.value)
            case Write(obj):
                if dry_run:
                    return Stored(stamp(await encoded(partial(_storable, obj)), entry.mod_revision))
                proposed = await self._views.to_storage(resource, obj)
                value = await encoded(partial(_storable, proposed))
                outcome = await self._commit(store, Put(entry.key, value, expect=entry.mod_revision))
                return None if isinstance(outcome, Rejected) else Stored(await self._seen_value(resource, outcome))
            case Remove(obj):
                last = stamp(await encoded(partial(canonical, obj)), entry.mod_revision)
                if dry_run:
                    return Stored(last, removed=True)
                outcome = await self._commit(store, Delete(entry.key, expect=entry.mod_revision))
                return None if isinstance(outcome, Rejected) else Stored(last, removed=True)

    async def _commit(self, store: Store, operation: StoreOperation) -> Committed | Rejected:
        try:
            return await store.commit((operation,))
        except StoreReadOnlyError as error:
            raise UnavailableError(f"the state store takes no writes: {error}", retry_after_s=1) from error

    async def _seen_value(self, resource: Resource, outcome: Committed) -> bytes:
        entry = outcome.entries[0]
        assert entry is not None
        return (await self._views.entry(resource, entry)).value

    async def admit(self, route: Route, operation: Operation, obj: Obj, *, dry_run: bool = False) -> Obj:
        """Let admission have its say about an object that is not stored: a Binding, an Eviction, exec's options.

        Raises:
            StatusError: refused.
        """
        attributes = self._attributes(route, operation, WriteOptions(dry_run=dry_run))
        admitted = await self._mutate(attributes, obj, None)
        await self._admission.validate(attributes, admitted.obj, None)
        return admitted.obj

    def _attributes(
        self, route: Route, operation: Operation, options: WriteOptions, shown: Mapping[str, Any] | None = None
    ) -> Attributes:
        return Attributes(
            operation=operation,
            resource=route.resource,
            subresource=route.subresource,
            namespace=route.namespace,
            name=route.name,
            user=route.user,
            dry_run=options.dry_run,
            options=_shown_options(options) if shown is None else shown,
            trail=route.trail,
            heavy=options.heavy,
        )

    def _context(self, route: Route, options: WriteOptions, complete: Complete) -> WriteContext:
        return WriteContext(
            namespace=route.namespace,
            name=route.name,
            wall_s=self._clock.wall_s(),
            uid=self._ids.new_uid(),
            options=options,
            subresource=route.subresource,
            complete=complete,
        )


def _warnings(resource: Resource, new: Mapping[str, Any], old: Mapping[str, Any] | None) -> tuple[str, ...]:
    return tuple(resource.warn(new, old)) if resource.warn is not None else ()


def _storable(obj: Mapping[str, Any]) -> bytes:
    """Return an object's bytes as they are stored.

    Raises:
        TooLargeError: they are too many.
    """
    return check_object(canonical(obj))


def _shown_options(options: WriteOptions) -> Mapping[str, Any]:
    """Return what admission is told of a write's options."""
    shown: dict[str, Any] = {"fieldManager": options.field_manager} if options.field_manager else {}
    return {**shown, "fieldValidation": options.field_validation}


def _shallow_copy(obj: Obj) -> Obj:
    """Return a copy whose top level and metadata are private: what one try may change without spoiling the next."""
    return {**obj, "metadata": dict(obj["metadata"])}
