"""Carries a plan out: one action after the other, each as the client calls it stands for.

The first action that fails ends the plan. What was written is returned in any case, so that the loop can wait until
the cache shows it. Objects that are gone, or are others than the plan meant, are no failures: the plan was made from
an older state, the cache brings the newer one, and the item comes again by itself.
"""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, assert_never

from minikube_py.api.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    StatusError,
    UnavailableError,
)
from minikube_py.api.meta import Obj, ObjectKey, is_deleting, key_of, name_of, resource_version_of, uid_of
from minikube_py.api.resource import Resource
from minikube_py.client.events import EventType
from minikube_py.client.interface import Client, DeleteOptions, Selection
from minikube_py.client.io.event_recorder import EventRecorder
from minikube_py.controllers.io.event_copies import EventCopies
from minikube_py.controllers.other_groups import deletable_rows, other_rows
from minikube_py.controllers.plan import (
    Action,
    Create,
    CreateBatch,
    Delete,
    DeleteAll,
    DeleteBatch,
    DeleteCollection,
    DeleteOthers,
    Failure,
    Patch,
    Record,
    RemoveDirectory,
    RepeatEvents,
    Require,
    RequireAbsent,
    RequireAbsentElsewhere,
    RequireEmpty,
    Target,
    Update,
)

T = TypeVar("T")
R = TypeVar("R")

FIRST_BATCH = 1
"""Pods in the first batch of a CreateBatch (upstream: SlowStartInitialBatchSize)."""
DELETES_AT_ONCE_MAX = 50
"""Requests of one action that are on their way at the same time."""


@dataclass(frozen=True, slots=True)
class Write:
    """Something that the cache must show before the item is reconciled again; revision 0: it is gone."""

    resource: Resource
    key: ObjectKey
    uid: str
    revision: int


@dataclass(slots=True)
class Outcome:
    """What became of a plan."""

    writes: list[Write] = field(default_factory=list)
    failure: Failure | None = None


class _PlanEndsError(Exception):
    """A requirement does not hold: the rest of the plan is not carried out, and that is no failure."""


class Performer:
    """Actions -> client calls, for one controller."""

    def __init__(self, client: Client, recorder: EventRecorder) -> None:
        self._client = client
        self._recorder = recorder
        self._copies = EventCopies(client, recorder)

    async def perform(self, actions: Sequence[Action]) -> Outcome:
        """Carry out `actions` in order, up to the first that fails."""
        outcome = Outcome()
        for action in actions:
            try:
                await self._one(action, outcome.writes)
            except _PlanEndsError:
                break
            except StatusError as error:
                outcome.failure = Failure(error.reason, error.message, action)
                break
        return outcome

    async def _one(self, action: Action, writes: list[Write]) -> None:
        match action:
            case Create() | Update() | Patch():
                await self._write(action, writes)
            case CreateBatch():
                await self._create_batch(action, writes)
            case Delete():
                await self._delete(action.resource, action.target, action.options, writes)
            case DeleteBatch():
                await self._delete_batch(action, writes)
            case DeleteAll():
                await self._delete_all(action.deletions, writes)
            case DeleteCollection():
                await self._delete_collection(action)
            case DeleteOthers():
                await self._delete_others(action)
            case Require() | RequireAbsent() | RequireAbsentElsewhere() | RequireEmpty():
                await self._look_afresh(action)
            case RemoveDirectory() | Record() | RepeatEvents():
                await self._beside_objects(action)
            case _:
                assert_never(action)

    async def _beside_objects(self, action: RemoveDirectory | Record | RepeatEvents) -> None:
        if isinstance(action, RemoveDirectory):
            await asyncio.to_thread(_remove_directory, action.path)
        elif isinstance(action, RepeatEvents):
            await self._copies.repeat(action)
        else:
            self._recorder.record(action.involved, action.type, action.reason, action.message)

    async def _write(self, action: Create | Update | Patch, writes: list[Write]) -> None:
        if isinstance(action, Create):
            try:
                written = await self._client.create(action.resource, action.obj)
            except AlreadyExistsError:
                if not action.exists_is_fine:
                    raise
                return
        elif isinstance(action, Update):
            try:
                written = await self._client.update(action.resource, action.obj, subresource=action.subresource)
            except NotFoundError:
                return
        else:
            patch = action.patch
            if action.uid:
                patch = {**patch, "metadata": {**patch.get("metadata", {}), "uid": action.uid}}
            try:
                written = await self._client.patch(
                    action.resource, action.key, patch, patch_type=action.patch_type, subresource=action.subresource
                )
            except NotFoundError:
                return
        # An update can be what removes the last finalizer: then the object is gone, and its revision is that.
        writes.append(_write_of(action.resource, written))

    async def _create_batch(self, action: CreateBatch, writes: list[Write]) -> None:
        async def create(obj: Obj) -> StatusError | None:
            try:
                made = await self._client.create(action.resource, obj)
            except StatusError as error:
                return error
            writes.append(_write_of(action.resource, made))
            self._tell(action.involved, "SuccessfulCreate", f"Created {action.noun}: {name_of(made)}")
            return None

        rest, size = list(action.objects), FIRST_BATCH
        while rest:
            batch, rest = rest[:size], rest[size:]
            answers = await _at_once(create, batch)
            errors = [error for error in answers if error is not None]
            if any(_namespace_ends(error) for error in errors):
                return
            for error in errors:
                self._tell(action.involved, "FailedCreate", f"Error creating: {error.message}", "Warning")
            if errors:
                raise errors[0]
            size *= 2

    async def _delete(self, resource: Resource, target: Target, options: DeleteOptions, writes: list[Write]) -> None:
        guarded = DeleteOptions(options.grace_period_s, target.uid, options.resource_version, options.propagation)
        try:
            answer = await self._client.delete(resource, target.key, guarded)
        except NotFoundError:
            return
        except ConflictError:
            raise _PlanEndsError from None
        if answer.get("kind") == resource.kind:
            writes.append(_write_of(resource, answer))
        else:
            writes.append(Write(resource, target.key, target.uid, 0))

    async def _delete_batch(self, action: DeleteBatch, writes: list[Write]) -> None:
        async def delete(target: Target) -> StatusError | None:
            try:
                await self._delete(action.resource, target, DeleteOptions(), writes)
            except _PlanEndsError:
                return None
            except StatusError as error:
                self._tell(action.involved, "FailedDelete", f"Error deleting: {error.message}", "Warning")
                return error
            self._tell(action.involved, "SuccessfulDelete", f"Deleted {action.noun}: {target.key.name}")
            return None

        await _try_all(delete, action.targets)

    async def _delete_all(self, deletions: Sequence[Delete], writes: list[Write]) -> None:
        async def delete(deletion: Delete) -> StatusError | None:
            try:
                await self._delete(deletion.resource, deletion.target, deletion.options, writes)
            except _PlanEndsError:
                return None
            except StatusError as error:
                return error
            return None

        await _try_all(delete, deletions)

    async def _delete_collection(self, action: DeleteCollection) -> None:
        listed = await self._client.list(action.resource, Selection(namespace=action.namespace))
        targets = [Target(key_of(obj), uid_of(obj)) for obj in listed.items if not is_deleting(obj)]
        await self._delete_all([Delete(action.resource, target) for target in targets], [])

    async def _delete_others(self, action: DeleteOthers) -> None:
        document = await self._client.discover(action.group, action.version)
        rows = deletable_rows(action.group, action.version, document)
        for resource in rows:
            await self._delete_collection(DeleteCollection(resource, action.namespace))
        await self._require_empty(RequireEmpty(rows, action.namespace))

    async def _look_afresh(self, action: Require | RequireAbsent | RequireAbsentElsewhere | RequireEmpty) -> None:
        match action:
            case Require() | RequireAbsent():
                await self._require(action)
            case RequireAbsentElsewhere():
                await self._require_absent_elsewhere(action)
            case RequireEmpty():
                await self._require_empty(action)
            case _:
                assert_never(action)

    async def _require_absent_elsewhere(self, action: RequireAbsentElsewhere) -> None:
        document = await self._client.discover(action.group, action.version)
        rows = other_rows(action.group, action.version, document)
        row = next((row for row in rows if row.kind == action.kind and "get" in row.verbs), None)
        if row is None or (row.namespaced and not action.target.key.namespace):
            raise _PlanEndsError  # nobody can say
        key = action.target.key if row.namespaced else ObjectKey("", action.target.key.name)
        await self._require(RequireAbsent(row, Target(key, action.target.uid)))

    async def _require(self, action: Require | RequireAbsent) -> None:
        try:
            found = await self._client.get(action.resource, action.target.key)
        except NotFoundError:
            found = None
        same = found is not None and action.target.uid in ("", uid_of(found))
        if isinstance(action, RequireAbsent):
            if same:
                raise _PlanEndsError
        elif not same or found is None or is_deleting(found):
            raise _PlanEndsError

    async def _require_empty(self, action: RequireEmpty) -> None:
        for resource in action.resources:
            try:
                listed = await self._client.list(resource, Selection(namespace=action.namespace))
            except NotFoundError:
                continue  # a custom resource whose definition has just gone
            if listed.items:
                raise UnavailableError(
                    f"namespace {action.namespace} still has {len(listed.items)} {resource.plural}"
                )

    def _tell(self, involved: Obj, reason: str, message: str, kind: EventType = "Normal") -> None:
        self._recorder.record(involved, kind, reason, message)


def _write_of(resource: Resource, written: Obj) -> Write:
    return Write(resource, key_of(written), uid_of(written), resource_version_of(written))


def _namespace_ends(error: StatusError) -> bool:
    causes = error.details.get("causes") or ()
    return isinstance(error, ForbiddenError) and any(c.get("reason") == "NamespaceTerminating" for c in causes)


async def _at_once(call: Callable[[T], Coroutine[Any, Any, R]], arguments: Sequence[T]) -> list[R]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(call(argument)) for argument in arguments]
    return [task.result() for task in tasks]


async def _try_all(call: Callable[[T], Coroutine[Any, Any, StatusError | None]], arguments: Sequence[T]) -> None:
    """Call with every argument, DELETES_AT_ONCE_MAX at a time, and raise the first error that was returned."""
    first: StatusError | None = None
    for start in range(0, len(arguments), DELETES_AT_ONCE_MAX):
        for error in await _at_once(call, arguments[start : start + DELETES_AT_ONCE_MAX]):
            first = first or error
    if first is not None:
        raise first


def _remove_directory(path: str) -> None:
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UnavailableError(f"{path} cannot be removed: {error}") from error
