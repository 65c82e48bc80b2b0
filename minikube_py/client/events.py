"""Core/v1 Events as data: what to write for a notice, and when a repetition only counts up.

Components tell people what they did through Events. The same thing said again within the life of the cache becomes
`count` + 1 on the object that is there; a stream of notices that differ in their message only is folded into one
"combined" object; an object that keeps shouting is cut off by a token bucket. All of that is decided here from
`wall_s`; `client.io.event_recorder` writes.

Upstream: client-go tools/record (EventCorrelator: EventAggregator, eventLogger, EventSourceObjectSpamFilter).
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from minikube_py.api.meta import Obj, format_time, metadata
from minikube_py.kit.token_bucket import TokenBucket

EventType = Literal["Normal", "Warning"]

NOTICES_MAX = 4096
"""Remembered notices of each kind; the least recently seen is forgotten and would start a new object."""
SIMILAR_MAX = 10
"""Different messages about one (object, reason) within SIMILAR_WINDOW_S before they are combined into one."""
SIMILAR_WINDOW_S = 600.0
BURST_MAX = 25
"""Events about one object that one component may write at once; then one every REFILL_S."""
REFILL_S = 300.0
MESSAGE_CHARS_MAX = 1024
"""The API server refuses longer messages; the end is cut off."""
SALT_BITS = 24
"""Random bits at the end of an Event's name: 16 ms of the clock."""
COMBINED = "(combined from similar events): "


@dataclass(frozen=True, slots=True)
class EventSource:
    """Who says it: `host` is empty for components that belong to no node."""

    component: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something happened to an object."""

    involved: Mapping[str, Any]
    """A core/v1 ObjectReference (see `object_reference`)."""
    type: EventType
    reason: str
    message: str
    is_progress: bool = False
    """It says the same as before and how far that is now: the message of its one Event moves on."""


@dataclass(frozen=True, slots=True)
class CreateEvent:
    """Write this object."""

    event: Obj


@dataclass(frozen=True, slots=True)
class CountEvent:
    """Merge-patch the object that is there; when it is gone (its time ran out), create `event` instead."""

    namespace: str
    name: str
    patch: Obj
    event: Obj


@dataclass(frozen=True, slots=True)
class DropEvent:
    """Write nothing: this object shouted too much."""


Decision = CreateEvent | CountEvent | DropEvent


def object_reference(obj: Mapping[str, Any], field_path: str = "") -> Obj:
    """Return the ObjectReference of a whole object (upstream: ref.GetReference).

    `field_path` names a part of it, for instance `spec.containers{web}`.
    """
    meta = metadata(obj)
    fields = {
        "kind": obj.get("kind", ""),
        "namespace": meta.get("namespace", ""),
        "name": meta.get("name", ""),
        "uid": meta.get("uid", ""),
        "apiVersion": obj.get("apiVersion", ""),
        "resourceVersion": meta.get("resourceVersion", ""),
        "fieldPath": field_path,
    }
    return {key: value for key, value in fields.items() if value}


def event_name(name: str, wall_s: float, salt: int) -> str:
    """Return upstream's form of an Event's name: the object's name and the nanoseconds in hex.

    Clocks are coarser than that and several components may speak in the same tick, so the last SALT_BITS come from
    `salt` (a random number).
    """
    return f"{name}.{(int(wall_s * 1e9) >> SALT_BITS << SALT_BITS) | (salt & ((1 << SALT_BITS) - 1)):x}"


def build_event(source: EventSource, notice: Notice, name: str, first_s: float, last_s: float, count: int) -> Obj:
    """Return the core/v1 Event `name` for `notice`, seen `count` times between `first_s` and `last_s`."""
    involved = dict(notice.involved)
    namespace = involved.get("namespace") or "default"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": involved,
        "reason": notice.reason,
        "message": notice.message[:MESSAGE_CHARS_MAX],
        "source": {key: value for key, value in (("component", source.component), ("host", source.host)) if value},
        "firstTimestamp": format_time(first_s),
        "lastTimestamp": format_time(last_s),
        "count": count,
        "type": notice.type,
        "eventTime": None,
        "reportingComponent": source.component,
        "reportingInstance": source.host,
    }


@dataclass(frozen=True, slots=True)
class _Seen:
    """The object that stands for a notice."""

    name: str
    count: int
    first_s: float


@dataclass(frozen=True, slots=True)
class _Similar:
    """Messages seen about one (object, type, reason) lately."""

    messages: frozenset[str]
    last_s: float


_Key = tuple[str, ...]
_V = TypeVar("_V")


class EventCorrelator:
    """Remembers what one component said; `handle` is its one door."""

    def __init__(self, source: EventSource) -> None:
        self._source = source
        self._seen: OrderedDict[_Key, _Seen] = OrderedDict()
        self._similar: OrderedDict[_Key, _Similar] = OrderedDict()
        self._buckets: OrderedDict[_Key, TokenBucket] = OrderedDict()

    def handle(self, wall_s: float, notice: Notice, salt: int) -> Decision:
        """Decide what to write for `notice` at `wall_s` (seconds since the epoch); `salt` see event_name."""
        about = tuple(
            str(notice.involved.get(field, "")) for field in ("kind", "namespace", "name", "uid", "apiVersion")
        )
        part = (*about, str(notice.involved.get("fieldPath", "")), notice.type, notice.reason)
        if notice.is_progress:
            return self._count(part, notice, wall_s, salt)
        combined = self._combine((*about, notice.type, notice.reason), notice, wall_s)
        if not self._take_token(about, wall_s):
            return DropEvent()
        message = COMBINED if combined is not notice else notice.message
        return self._count((*part, message), combined, wall_s, salt)

    def _count(self, key: _Key, notice: Notice, wall_s: float, salt: int) -> Decision:
        seen = self._seen.get(key)
        if seen is None:
            seen = _Seen(event_name(str(notice.involved.get("name", "")), wall_s, salt), 0, wall_s)
        counted = _Seen(seen.name, seen.count + 1, seen.first_s)
        _remember(self._seen, key, counted)
        event = build_event(self._source, notice, counted.name, counted.first_s, wall_s, counted.count)
        if counted.count == 1:
            return CreateEvent(event)
        patch = {field: event[field] for field in ("count", "message", "lastTimestamp")}
        return CountEvent(event["metadata"]["namespace"], counted.name, patch, event)

    def _combine(self, key: _Key, notice: Notice, wall_s: float) -> Notice:
        similar = self._similar.get(key)
        if similar is None or wall_s - similar.last_s > SIMILAR_WINDOW_S:
            similar = _Similar(frozenset(), wall_s)
        messages = similar.messages
        if len(messages) < SIMILAR_MAX or notice.message in messages:
            _remember(self._similar, key, _Similar(messages | {notice.message}, wall_s))
            return notice
        _remember(self._similar, key, _Similar(messages, wall_s))
        return Notice(notice.involved, notice.type, notice.reason, COMBINED + notice.message)

    def _take_token(self, key: _Key, wall_s: float) -> bool:
        bucket = self._buckets.get(key) or TokenBucket(float(BURST_MAX), wall_s)
        bucket = bucket.refilled(1 / REFILL_S, BURST_MAX, wall_s)
        left = bucket.taken()
        _remember(self._buckets, key, left or bucket)
        return left is not None


def _remember(cache: OrderedDict[_Key, _V], key: _Key, value: _V) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > NOTICES_MAX:
        cache.popitem(last=False)
