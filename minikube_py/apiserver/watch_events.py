"""One change of one object as watchers see it: which type for which filter, and its bytes in each form, made once.

A change that makes an object enter or leave a filter is an addition or a deletion for that filter:

    old matches   new matches   type
    no            yes           ADDED
    yes           yes           MODIFIED
    yes           no            DELETED (the old state, with the revision of the change)
    no            no            nothing

Upstream: apiserver storage/cacher (watchCacheEvent, cacheWatcher.convertToWatchEvent), handlers/watch.go.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from minikube_py.api.errors import StatusError, to_status
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import decode, stamp, unstamp
from minikube_py.apiserver.list_options import Filter
from minikube_py.apiserver.negotiate import AnswerForm
from minikube_py.apiserver.render import render_transformed
from minikube_py.kit.kept_objects import parse_kept
from minikube_py.store.interface import Entry, StoreEvent

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass(frozen=True, slots=True)
class Form:
    """How a watcher wants its events; `headers`: a Table's first event names the columns, later ones do not."""

    answer: AnswerForm
    headers: bool = False


class WatchedChange:
    """One change of one object of `resource`; what it costs to show is paid once for all watchers."""

    __slots__ = ("_chunks", "_last", "_plain_chunks", "_values", "event", "resource")

    def __init__(self, resource: Resource, event: StoreEvent) -> None:
        self.resource = resource
        self.event = event
        self._values: dict[str, tuple[bytes, Obj]] = {}
        self._chunks: dict[tuple[str, Form], bytes] = {}
        self._plain_chunks: dict[str, bytes] = {}
        self._last: Obj | None = None

    @property
    def size_bytes(self) -> int:
        """Return about how many bytes a watcher gets."""
        entry = self.event.entry
        return len(entry.value if entry is not None else self.event.last_value)

    def type_for(self, filter_: Filter) -> ChangeType | None:
        """Return what the change is for a watcher with this filter; None: nothing."""
        entry, previous = self.event.entry, self.event.previous
        if filter_.everything:
            return "DELETED" if entry is None else "ADDED" if previous is None else "MODIFIED"
        after = entry is not None and filter_.matches(self.resource, decode(entry))
        before = previous is not None and filter_.matches(self.resource, decode(previous))
        if after:
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else None

    def value(self, change_type: ChangeType) -> bytes:
        """Return the object's bytes as an event of this type carries them."""
        return self._shown(change_type)[0]

    def obj(self, change_type: ChangeType) -> Obj:
        """Return the decoded object (shared, read-only) as an event of this type carries it."""
        entry = self.event.entry
        if change_type != "DELETED" and entry is not None:
            return decode(entry)
        return self._shown(change_type)[1]

    def _shown(self, change_type: ChangeType) -> tuple[bytes, Obj]:
        entry = self.event.entry
        if change_type != "DELETED":
            assert entry is not None
            return entry.value, decode(entry)
        shown = self._values.get(change_type)
        if shown is None:
            value = self._last_value()
            shown = self._values[change_type] = (value, parse_kept(value))
        return shown

    def _last_value(self) -> bytes:
        """Return the last state that matched, with the revision of this change."""
        if self.event.entry is None:
            return self.event.last_value
        assert self.event.previous is not None
        return stamp(unstamp(self.event.previous.value), self.event.revision)

    def plain_chunk(self, change_type: ChangeType) -> bytes:
        """Return the event as one HTTP chunk with the object as it is stored: what most watchers want."""
        chunk = self._plain_chunks.get(change_type)
        if chunk is None:
            chunk = self._plain_chunks[change_type] = as_chunk(event_line(change_type, self.value(change_type)))
        return chunk

    def chunk(self, change_type: ChangeType, form: Form, wall_s: Callable[[], float]) -> bytes:
        """Return the event as one HTTP chunk, made once for each form."""
        key = (change_type, form)
        chunk = self._chunks.get(key)
        if chunk is None:
            if form.answer.plain:
                return self.plain_chunk(change_type)
            obj = self.obj(change_type)
            body = render_transformed(self.resource, obj, form.answer, wall_s(), headers=form.headers)
            chunk = self._chunks[key] = as_chunk(event_line(change_type, body))
        return chunk


class ChangeBatch:
    """Consecutive changes for the watchers of one filter, oldest first, at least one; joined once for all."""

    __slots__ = ("_events", "_plain_chunks", "first_revision", "last_revision", "size_bytes")

    def __init__(self, events: tuple[tuple[WatchedChange, ChangeType], ...]) -> None:
        self._events = events
        self._plain_chunks: bytes | None = None
        self.first_revision = events[0][0].event.revision
        self.last_revision = events[-1][0].event.revision
        self.size_bytes = sum(change.size_bytes for change, _ in events)

    def __iter__(self) -> Iterator[tuple[WatchedChange, ChangeType]]:
        return iter(self._events)

    def after(self, revision: int) -> "ChangeBatch | None":
        """Return what of it is newer than `revision`."""
        if self.first_revision > revision:
            return self
        newer = tuple(event for event in self._events if event[0].event.revision > revision)
        return ChangeBatch(newer) if newer else None

    def plain_chunks(self) -> bytes:
        """Return all of it as HTTP chunks with the objects as they are stored."""
        if self._plain_chunks is None:
            self._plain_chunks = b"".join(change.plain_chunk(change_type) for change, change_type in self._events)
        return self._plain_chunks


def initial_change(resource: Resource, entry: Entry) -> WatchedChange:
    """Return a present object as an addition, for the start of a watch."""
    return WatchedChange(resource, StoreEvent(entry.mod_revision, entry.key, entry, None))


def event_line(event_type: str, body: bytes) -> bytes:
    """Return one line of a watch stream."""
    return b'{"type":"%s","object":%s}\n' % (event_type.encode(), body)


def as_chunk(line: bytes) -> bytes:
    """Return bytes framed as one chunk of HTTP/1.1."""
    return b"%x\r\n%s\r\n" % (len(line), line)


def bookmark(resource: Resource, revision: int, *, initial_end: bool = False) -> Obj:
    """Return a bookmark's object: nothing but the version that has been reached."""
    meta: Obj = {"resourceVersion": str(revision)}
    if initial_end:
        meta["annotations"] = {INITIAL_EVENTS_END: "true"}
    return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}


def bookmark_body(resource: Resource, obj: Mapping[str, Any], form: AnswerForm) -> bytes:
    """Return a bookmark in the form of its stream."""
    if form.transform == "Table":
        table = {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{form.version}",
            "metadata": obj["metadata"],
            "columnDefinitions": None,
            "rows": [],
        }
        return orjson.dumps(table)
    if form.transform:
        return orjson.dumps({**obj, "kind": form.transform, "apiVersion": f"meta.k8s.io/{form.version}"})
    return orjson.dumps(obj)


def error_body(error: StatusError) -> bytes:
    """Return the object of an ERROR event."""
    return orjson.dumps(to_status(error))
