"""GET on objects, collections and their parts; the bytes go out as they are stored wherever the client lets them."""

import asyncio
from collections.abc import Mapping
from functools import partial

import orjson

from minikube_py.api.errors import BadRequestError, NotAcceptableError
from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import decode, peek
from minikube_py.apiserver.glance import glance
from minikube_py.apiserver.io.answers import (
    Answer,
    WatchResponse,
    bytes_answer,
    list_answer,
    object_answer,
    yaml_list_answer,
)
from minikube_py.apiserver.io.byte_turns import reading_for
from minikube_py.apiserver.io.event_fanout import EventFanout
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.listing import Listed, ListSource, list_entries, too_large
from minikube_py.apiserver.io.selection import Selections, is_short, look_at, read_object
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.io.watch_session import WatchSession, WatchSource
from minikube_py.apiserver.list_options import parse_list_options
from minikube_py.apiserver.negotiate import PLAIN, AnswerForm, choose_form
from minikube_py.apiserver.render import (
    ListBody,
    list_body,
    list_frame,
    list_items,
    list_object,
    transform_list,
    transform_object,
)
from minikube_py.apiserver.routes import Route
from minikube_py.apiserver.slices import slices
from minikube_py.apiserver.subresources import SCALES, render_scale
from minikube_py.apiserver.tables import table_row
from minikube_py.apiserver.weight import is_heavy
from minikube_py.client.wire import ApiRequest
from minikube_py.kit.clock import Clock
from minikube_py.store.interface import Entry

RENDERED_SLICE = 50
"""So many objects of a list are rendered before others run,"""
RENDERED_SLICE_BYTES = 512 << 10
"""or objects of so many bytes (a few milliseconds, as Table)."""
TURN_ENTRIES_MAX = 1000
"""The bytes of more entries than these are taken in a turn of their own (10,000: some milliseconds)."""


class Reads:
    """Answers get, list and watch."""

    def __init__(
        self,
        storage: Storage,
        views: Views,
        fanouts: Mapping[bool, EventFanout],
        selections: Mapping[bool, Selections],
        clock: Clock,
        future_wait_s: float,
        heavy_work: HeavyWork,
    ) -> None:
        self._heavy_work = heavy_work
        self._storage = storage
        self._views = views
        self._selections = selections
        self._fanouts = fanouts
        self._clock = clock
        self._future_wait_s = future_wait_s

    async def get(self, route: Route, request: ApiRequest) -> Answer:
        """Answer a GET of one object, its status or its scale."""
        if version := request.query.get("resourceVersion"):
            await self._wait(route, version)
        entry = self._storage.get(route)
        if route.resource.custom is None:
            entry = await self._views.entry(route.resource, entry)
        else:
            with reading_for(route.user.name):  # a webhook's long answer
                entry = await self._views.entry(route.resource, entry)
        if route.subresource == "scale":
            scale = render_scale(decode(entry), route.resource.scale)
            form = choose_form(request.headers.get("accept", ""), request.query)
            return object_answer(transform_object(SCALES, scale, form, self._clock.wall_s()), form)
        return await self._shown(route, request, entry)

    async def _shown(self, route: Route, request: ApiRequest, entry: Entry) -> Answer:
        form = choose_form(request.headers.get("accept", ""), request.query)
        if form.plain:
            return bytes_answer(entry.value)
        heavy, wall_s = form.media == "yaml" or is_heavy(entry.value), self._clock.wall_s()

        def shown() -> Answer:
            obj = peek(entry) if heavy else decode(entry)
            return object_answer(transform_object(route.resource, obj, form, wall_s), form)

        if not heavy:
            return shown()
        with reading_for(route.user.name):
            return await self._heavy_work.run(shown)

    async def _wait(self, route: Route, version: str) -> None:
        """Wait until the state that the client knows of is there."""
        store = self._storage.store_of(route.resource)
        if not (version.isascii() and version.isdigit()):
            why = f'strconv.ParseUint: parsing "{version}": invalid syntax'
            raise BadRequestError(f'resourceVersion: Invalid value: "{version}": {why}')
        if int(version) <= store.revision:
            return
        if not await store.wait_revision(int(version), self._future_wait_s):
            raise too_large(int(version), store.revision)

    def _list_source(self, route: Route) -> ListSource:
        store, selections = self._storage.store_of(route.resource), self._selections[route.resource.durable]
        turn = partial(self._heavy_work.list_turn, route.user.name)
        return ListSource(store, self._views, turn, selections)

    async def list(self, route: Route, request: ApiRequest) -> Answer:
        """Answer a GET of a collection."""
        form = choose_form(request.headers.get("accept", ""), request.query)
        options = parse_list_options(route, request.query)
        source = self._list_source(route)
        with reading_for(route.user.name):
            listed = await list_entries(source, route.resource, options, self._future_wait_s)
            if form.plain:
                if len(listed.entries) > TURN_ENTRIES_MAX:
                    await asyncio.sleep(0)
                return list_answer(list_body(route.resource, [entry.value for entry in listed.entries], listed.meta))
            if form.media == "json":
                async with source.turn(len(listed.entries)):
                    return list_answer(await self._transformed(route.resource, listed, form), form)
            return await self._heavy_work.run(partial(_yaml, route.resource, listed, form, self._clock.wall_s()))

    async def _transformed(self, resource: Resource, listed: Listed, form: AnswerForm) -> ListBody:
        """Return a list in another form, a slice at a time."""
        wall_s = self._clock.wall_s()
        head, tail = list_frame(resource, listed.meta, form, wall_s)
        parts: list[bytes] = []
        for entries in slices(listed.entries, RENDERED_SLICE, RENDERED_SLICE_BYTES):
            if form.plain_table and resource.custom is None:
                # one after the other, so that each object's memory serves the next one
                rows = [
                    table_row(
                        resource,
                        glance(resource, entry) if is_short(entry) else await look_at(resource, entry),
                        wall_s,
                        form.version,
                    )
                    for entry in entries
                ]
                parts.append(orjson.dumps(rows)[1:-1])
            else:
                objs = [await read_object(entry) for entry in entries]
                parts.append(list_items(resource, objs, form, wall_s))
            await asyncio.sleep(0)
        return ListBody(head, parts, tail)

    async def watch(self, route: Route, request: ApiRequest) -> WatchResponse:
        """Accept a watch.

        Raises:
            StatusError: the options or the wanted form are not served.
        """
        form = choose_form(request.headers.get("accept", ""), request.query)
        if form.media != "json":
            raise NotAcceptableError("only the following media types are accepted: application/json;stream=watch")
        options = parse_list_options(route, request.query)
        watches = self._fanouts[route.resource.durable].of(route.resource)
        source = WatchSource(self._list_source(route), watches)
        return WatchResponse(WatchSession(source, options, PLAIN if form.plain else form, self._future_wait_s))


def _yaml(resource: Resource, listed: Listed, form: AnswerForm, wall_s: float) -> Answer:
    """Return a list as YAML, object by object: each takes a millisecond, and many times its bytes while it lasts."""
    if form.transform:
        return object_answer(
            transform_list(resource, list(map(peek, listed.entries)), listed.meta, form, wall_s), form
        )
    return yaml_list_answer(list_object(resource, (), listed.meta), map(peek, listed.entries), form)
