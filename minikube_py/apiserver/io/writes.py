"""POST, PUT, PATCH and DELETE: from a request to a decision, by way of storage.

Each write gives `Storage.change` a function that decides on the stored object; it may be called again after a lost
race, so it works on private copies. Upstream: apiserver endpoints/handlers/{create,update,patch,delete}.go.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from minikube_py.api.decode import Decoded, Expected, decode_parsed, expected_of, media_type
from minikube_py.api.errors import (
    BadRequestError,
    MethodNotSupportedError,
    NotFoundError,
    StatusError,
    UnnamedError,
    conflict,
)
from minikube_py.api.meta import Obj, copy_object, metadata, name_of
from minikube_py.apiserver.approval import update_approval
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.decisions import Decision, WriteContext
from minikube_py.apiserver.deletion import delete
from minikube_py.apiserver.io.account_tokens import AccountTokens
from minikube_py.apiserver.io.answers import Answer, bytes_answer, list_answer, object_answer
from minikube_py.apiserver.io.bodies import decode_body, decode_options, parse_patch, repeated_keys
from minikube_py.apiserver.io.byte_turns import reading_for
from minikube_py.apiserver.io.evictions import Evictions
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.listing import ListSource, list_entries
from minikube_py.apiserver.io.selection import read_object
from minikube_py.apiserver.io.storage import Edit, Storage, Stored
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.io.write_pace import WritePace
from minikube_py.apiserver.list_options import parse_list_options
from minikube_py.apiserver.managed_fields import apply_config
from minikube_py.apiserver.negotiate import choose_form
from minikube_py.apiserver.options import (
    APPLY_PATCH,
    RemovalOptions,
    WriteOptions,
    parse_removal_options,
    parse_write_options,
    shown_removal,
)
from minikube_py.apiserver.patching import patched
from minikube_py.apiserver.pod_subresources import update_ephemeral_containers, update_resources
from minikube_py.apiserver.render import deleted_status, list_body, success_status, transform_object
from minikube_py.apiserver.routes import Route
from minikube_py.apiserver.subresources import SCALES, apply_scale, bind, finalize, render_scale, update_scale
from minikube_py.apiserver.verbs import check_patched_uid, update, update_status
from minikube_py.apiserver.weight import heavy_bytes, is_heavy
from minikube_py.client.wire import ApiRequest
from minikube_py.kit.clock import Clock

DELETIONS_AT_ONCE_MAX = 64
"""So many objects of a deletecollection are deleted side by side (they share disk writes)."""
_DELETE_OPTIONS = Expected("v1", "DeleteOptions")

DecideNew = Callable[[Route, Mapping[str, Any], Obj, WriteContext], Decision]


def _decide_main(route: Route, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    return update(route.resource, old, new, context)


def _decide_status(route: Route, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    return update_status(route.resource, old, new, context)


def _decide_scale(route: Route, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    return update_scale(route.resource, old, new, context)


def _decide_finalize(route: Route, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    return finalize(route.resource, old, new, context)


def _decide_ephemeral_containers(route: Route, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    return update_ephemeral_containers(route.resource, old, new, context)


def _decide_resize(route: Route, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    return update_resources(route.resource, old, new, context)


def _decide_approval(route: Route, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    return update_approval(route.resource, old, new, context)


_UPDATES: Mapping[str, DecideNew] = {
    "": _decide_main,
    "status": _decide_status,
    "scale": _decide_scale,
    "finalize": _decide_finalize,
    "ephemeralcontainers": _decide_ephemeral_containers,
    "resize": _decide_resize,
    "approval": _decide_approval,
}
"""How an update of the object, or through one of its subresources, is decided."""


class Writes:
    """Answers create, update, patch, delete and deletecollection."""

    def __init__(
        self,
        storage: Storage,
        views: Views,
        tokens: AccountTokens,
        clock: Clock,
        config: ApiServerConfig,
        heavy_work: HeavyWork,
    ) -> None:
        self._storage = storage
        self._heavy_work = heavy_work
        self._views = views
        self._clock = clock
        self._config = config
        self._evictions = Evictions(storage, clock)
        self._tokens = tokens
        self._pace = WritePace(clock)

    async def _in_turn(
        self, write: Callable[[Route, ApiRequest, bool], Awaitable[Answer]], route: Route, request: ApiRequest
    ) -> Answer:
        """Do a write, in turns with others when its body (as it is told), or what is there, is heavy."""
        await self._pace.begin()
        size_bytes = heavy_bytes(request.body, _content_type(request))
        heavy = size_bytes > 0
        if route.name and (entry := self._storage.find(route.resource, route.namespace, route.name)) is not None:
            size_bytes += heavy_bytes(entry.value)
        if not size_bytes:
            return await write(route, request, heavy)
        async with self._heavy_work.turn(route.user.name, size_bytes):
            return await write(route, request, heavy)

    async def create(self, route: Route, request: ApiRequest) -> Answer:
        """Answer a POST to a collection or to pods/binding."""
        return await self._in_turn(self._create, route, request)

    async def _create(self, route: Route, request: ApiRequest, heavy: bool) -> Answer:
        options = _write_options("create", request, heavy=heavy)
        decoded = await self._decoded(route, request, options)
        if route.trail is not None:
            route.trail.sent(decoded.obj)
        if route.subresource == "binding":
            return await self._bind(route, decoded.obj, options)
        if route.subresource == "eviction":
            dry_run = options.dry_run or bool((decoded.obj.get("deleteOptions") or {}).get("dryRun"))
            eviction = await self._storage.admit(route, "CREATE", decoded.obj, dry_run=dry_run)
            await self._evictions.evict(route, eviction, request.query)
            return object_answer(success_status(201), status=201)
        if route.subresource == "token":
            asked = await self._storage.admit(route, "CREATE", decoded.obj, dry_run=options.dry_run)
            return object_answer(self._tokens.issue(route, asked), status=201, warnings=decoded.warnings)
        if route.subresource:
            raise NotFoundError("the server could not find the requested resource", {})
        _check_definition(route)
        stored = await self._storage.create(route, decoded.obj, options)
        return await self._answer(route, request, stored, decoded.warnings)

    async def _decoded(self, route: Route, request: ApiRequest, options: WriteOptions) -> Decoded:
        expected = expected_of(route.resource, route.subresource)
        work = partial(decode_body, request.body, _content_type(request), expected, options.field_validation)
        return await self._heavy_work.run_if(options.heavy, work)

    async def _bind(self, route: Route, binding: Obj, options: WriteOptions) -> Answer:
        if name_of(binding) not in ("", route.name):
            raise BadRequestError("name in URL does not match name in Binding object")
        binding.setdefault("metadata", {})["name"] = route.name
        binding = await self._storage.admit(route, "CREATE", binding, dry_run=options.dry_run)

        def decide(old: Mapping[str, Any], context: WriteContext) -> Decision:
            return bind(route.resource, old, binding, context)

        await self._storage.change(route, options, decide)
        return object_answer(success_status(201), status=201)

    async def update(self, route: Route, request: ApiRequest) -> Answer:
        """Answer a PUT."""
        return await self._in_turn(self._update, route, request)

    async def _update(self, route: Route, request: ApiRequest, heavy: bool) -> Answer:
        options = _write_options("update", request, heavy=heavy)
        decoded = await self._decoded(route, request, options)
        if route.trail is not None:
            route.trail.sent(decoded.obj)
        decide_new = _UPDATES[route.subresource]

        edit = _edit(route, lambda old, context: copy_object(decoded.obj), decide_new)
        may_create = (
            route.resource.create_on_update
            and not route.subresource
            and name_of(decoded.obj) == route.name
            and not metadata(decoded.obj).get("resourceVersion")
        )

        def make() -> Obj:
            _check_new_uid(route, decoded.obj)
            return copy_object(decoded.obj)

        stored = await self._storage.change(route, options, edit, make=make if may_create else None)
        return await self._answer(route, request, stored, decoded.warnings)

    async def patch(self, route: Route, request: ApiRequest) -> Answer:
        """Answer a PATCH of any of the four types."""
        return await self._in_turn(self._patch, route, request)

    async def _patch(self, route: Route, request: ApiRequest, heavy: bool) -> Answer:
        patch_type = media_type(_content_type(request))
        options = _write_options("patch", request, patch_type, heavy=heavy)
        parse = partial(parse_patch, request.body, patch_type, self._config.body_bytes_max)
        patch = await self._heavy_work.run_if(options.heavy, parse)
        if patch_type == APPLY_PATCH:
            return await self._apply(route, request, patch, options)
        expected = expected_of(route.resource, route.subresource)
        decide_new = _UPDATES[route.subresource]
        warnings: list[str] = []

        def propose(old: Mapping[str, Any], context: WriteContext) -> Obj:
            base = render_scale(old, route.resource.scale) if route.subresource == "scale" else old
            decoded = patched(base, patch, patch_type, expected, options.field_validation)
            if (refused := check_patched_uid(route.resource, old, decoded.obj)) is not None:
                raise refused.error
            warnings[:] = decoded.warnings
            return decoded.obj

        stored = await self._storage.change(route, options, _edit(route, propose, decide_new))
        return await self._answer(route, request, stored, tuple(warnings))

    async def _apply(self, route: Route, request: ApiRequest, patch: Obj, options: WriteOptions) -> Answer:
        """Answer a server-side apply; it creates what is not there."""
        expected = expected_of(route.resource, route.subresource)
        _check_config(route, patch, expected.kind)
        applied = apply_scale if route.subresource == "scale" else apply_config
        resource, decide_new = route.resource, _UPDATES[route.subresource]
        context = WriteContext(route.namespace, route.name, self._clock.wall_s(), "", options, route.subresource)

        def propose(old: Mapping[str, Any], context: WriteContext) -> Obj:
            return decode_parsed(applied(resource, old, patch, context), expected, "Ignore").obj

        def make() -> Obj:
            _check_definition(route)
            _check_new_uid(route, patch)
            return decode_parsed(apply_config(resource, None, patch, context), expected, "Ignore").obj

        warnings: tuple[str, ...] = ()
        if options.field_validation != "Ignore":
            warnings = await self._heavy_work.run_if(options.heavy, partial(repeated_keys, request.body))
            if warnings and options.field_validation == "Strict":
                raise BadRequestError(f"error strict decoding YAML: {', '.join(warnings)}")
        edit = _edit(route, propose, decide_new)
        stored = await self._storage.change(route, options, edit, make=None if route.subresource else make)
        return await self._answer(route, request, stored, warnings)

    async def delete(self, route: Route, request: ApiRequest) -> Answer:
        """Answer a DELETE of one object."""
        return await self._in_turn(self._delete, route, request)

    async def _delete(self, route: Route, request: ApiRequest, heavy: bool) -> Answer:
        options = await self._removal_options(request, heavy)
        stored = await self._remove(route, options)
        return await self._deleted(route, request, stored)

    async def _remove(self, route: Route, options: RemovalOptions) -> Stored:
        def decide(old: Mapping[str, Any], wall_s: float) -> Decision:
            return delete(route.resource, old, options, wall_s)

        shown = shown_removal(options)
        return await self._storage.remove(route, decide, dry_run=options.dry_run, options=shown)

    async def delete_collection(self, route: Route, request: ApiRequest) -> Answer:
        """Answer a DELETE of a collection: all that is selected, and a list of what was there."""
        options = await self._removal_options(request, is_heavy(request.body, _content_type(request)))
        list_options = parse_list_options(route, request.query)
        store = self._storage.store_of(route.resource)
        source = ListSource(store, self._views, partial(self._heavy_work.list_turn, route.user.name))
        with reading_for(route.user.name):
            listed = await list_entries(source, route.resource, list_options, self._config.future_wait_s)
        left = iter(listed.entries)
        refused: list[StatusError] = []

        async def remove_in_turn() -> None:
            for entry in left:
                await self._pace.begin()
                meta = metadata(await read_object(entry))
                one = replace(route, name=meta["name"], namespace=meta.get("namespace", ""))
                try:
                    await self._remove(one, options)
                except NotFoundError:
                    continue  # somebody else was faster
                except StatusError as error:
                    refused.append(error)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(DELETIONS_AT_ONCE_MAX, len(listed.entries))):
                group.create_task(remove_in_turn())
        if refused:
            raise refused[0]
        return list_answer(list_body(route.resource, [entry.value for entry in listed.entries], listed.meta))

    async def _removal_options(self, request: ApiRequest, heavy: bool) -> RemovalOptions:
        work = partial(decode_options, request.body, _content_type(request), _DELETE_OPTIONS)
        body = await self._heavy_work.run_if(heavy, work)
        return parse_removal_options(request.query, body)

    async def _deleted(self, route: Route, request: ApiRequest, stored: Stored) -> Answer:
        form = choose_form(request.headers.get("accept", ""), request.query)
        if not stored.removed or route.resource.graceful_deletion:
            return await self._answer(route, request, stored, ())

        def status() -> Answer:
            obj = deleted_status(route.resource, orjson.loads(stored.value))
            return object_answer(obj, form, warnings=stored.warnings)

        return await self._heavy_work.run_if(is_heavy(stored.value), status)

    async def _answer(self, route: Route, request: ApiRequest, stored: Stored, warnings: tuple[str, ...]) -> Answer:
        form = choose_form(request.headers.get("accept", ""), request.query)
        status = 201 if stored.created else 200
        warnings = (*warnings, *stored.warnings)
        if route.subresource == "scale":
            scale = render_scale(orjson.loads(stored.value), route.resource.scale)
            changed = transform_object(SCALES, scale, form, self._clock.wall_s())
            return object_answer(changed, form, status=status, warnings=warnings)
        if form.plain:
            return bytes_answer(stored.value, form, status=status, warnings=warnings)

        def shown() -> Answer:
            obj = transform_object(route.resource, orjson.loads(stored.value), form, self._clock.wall_s())
            return object_answer(obj, form, status=status, warnings=warnings)

        return await self._heavy_work.run_if(form.media == "yaml" or is_heavy(stored.value), shown)


def _edit(route: Route, propose: Callable[[Mapping[str, Any], WriteContext], Obj], decide_new: DecideNew) -> Edit:
    """Return a change through the route; admission sees a Scale where the client does."""
    decide = partial(decide_new, route)
    if route.subresource != "scale":
        return Edit(propose, decide)
    return Edit(propose, decide, lambda obj: render_scale(obj, route.resource.scale))


def _check_definition(route: Route) -> None:
    """Refuse to create what will be deleted with its definition.

    Raises:
        MethodNotSupportedError: the definition is being deleted.
    """
    if route.resource.custom is not None and route.resource.custom.terminating:
        raise MethodNotSupportedError("create not allowed while custom resource definition is terminating")


def _check_new_uid(route: Route, obj: Mapping[str, Any]) -> None:
    """Refuse to create, in place of an update, what has a uid: an object that is gone was meant.

    Raises:
        ConflictError: it has one.
    """
    uid = metadata(obj).get("uid")
    if uid:
        why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        raise conflict(route.resource.group, route.resource.plural, route.name, why)


def _check_config(route: Route, config: Mapping[str, Any], expected_kind: str) -> None:
    """Refuse a configuration that is meant for another object than the URL.

    Raises:
        BadRequestError: its name differs, or its metadata is no object.
        UnnamedError: it is of another kind.
    """
    kind = config.get("kind")
    if isinstance(kind, str) and kind and kind != expected_kind:
        raise UnnamedError(
            f"failed to merge config: expected objects of the same type, but got {expected_kind} and {kind}"
        )
    if not isinstance(config.get("metadata") or {}, dict):
        raise BadRequestError("error decoding YAML: metadata is not an object")
    name = name_of(config)
    if name and name != route.name:
        raise BadRequestError(f"the name of the object ({name}) does not match the name on the URL ({route.name})")


def _content_type(request: ApiRequest) -> str:
    return request.headers.get("content-type", "")


def _write_options(verb: str, request: ApiRequest, patch_type: str = "", *, heavy: bool) -> WriteOptions:
    options = parse_write_options(verb, request.query, request.headers.get("user-agent", ""), patch_type)
    return replace(options, heavy=True) if heavy else options
