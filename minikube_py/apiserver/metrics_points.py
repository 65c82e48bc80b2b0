"""From two readings of every kubelet's /metrics/resource to what nodes and pods use: the memory of the metrics API.

A reading is a point for each node and container: CPU seconds used since its start, working set, and when it was
measured. CPU in use is the growth between the last two points of one run: a container that was started anew between
two readings has none yet, unless it has run for FRESH_S_MIN already: then it is counted from its start. A pod is
shown when all its containers can be. A reading without newer points (the kubelet measures seldom) changes nothing.

Upstream: metrics-server pkg/storage, pkg/scraper/client/resource/decode.go.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from minikube_py.api.meta import ObjectKey

FRESH_S_MIN = 10.0
"""A younger container's CPU since its start is no rate: starting is not what it does all day."""
_NS = 1_000_000_000
_LINE = re.compile(r"(\w+)(?:\{([^}]*)\})? (\S+)(?: (-?\d+))?")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement; times are wall clock seconds."""

    at_s: float = 0.0
    cpu_ns: int = 0
    memory_bytes: int = 0
    started_at_s: float = 0.0


Containers = Mapping[str, Point]


@dataclass(frozen=True, slots=True)
class Reading:
    """What all nodes said at one time."""

    nodes: Mapping[str, Point] = field(default_factory=dict)
    pods: Mapping[ObjectKey, Containers] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """The last reading, and for each thing in it the point before, if it can be compared."""

    last: Reading = Reading()
    before: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Usage:
    """What something used over `window_s` seconds up to `at_s`."""

    nano_cores: int
    memory_bytes: int
    at_s: float
    window_s: float


def parse_reading(node: str, text: str) -> Reading:
    """Return what a node's /metrics/resource says; what cannot be read is left out.

    A container without CPU or memory has ended or just begun: its pod is left out, since its sum would be wrong.
    """
    own: Point = Point()
    pods: dict[ObjectKey, dict[str, Point]] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        name, labels, value, at_ms = match.groups()
        try:
            number, at_s = float(value), int(at_ms) / 1000 if at_ms else 0.0
        except ValueError:
            continue
        subject, _, what = name.partition("_")
        if subject == "node":
            own = _take(own, what, number, at_s)
        elif subject == "container":
            given = dict(_LABEL.findall(labels or ""))
            containers = pods.setdefault(ObjectKey(given.get("namespace", ""), given.get("pod", "")), {})
            container = given.get("container", "")
            containers[container] = _take(containers.get(container, Point()), what, number, at_s)
    whole = {key: found for key, found in pods.items() if all(_is_whole(point) for point in found.values())}
    return Reading({node: own} if _is_whole(own) else {}, whole)


def _take(point: Point, what: str, number: float, at_s: float) -> Point:
    match what:
        case "cpu_usage_seconds_total":
            return replace(point, cpu_ns=round(number * _NS), at_s=at_s)
        case "memory_working_set_bytes":
            return replace(point, memory_bytes=int(number))
        case "start_time_seconds":
            return replace(point, started_at_s=number)
        case _:
            return point


def _is_whole(point: Point) -> bool:
    return point.cpu_ns > 0 and point.memory_bytes > 0 and point.at_s > 0


def join_readings(readings: list[Reading]) -> Reading:
    """Return the readings of several nodes as one."""
    nodes: dict[str, Point] = {}
    pods: dict[ObjectKey, Containers] = {}
    for reading in readings:
        nodes.update(reading.nodes)
        pods.update(reading.pods)
    return Reading(nodes, pods)


def advance(history: History, new: Reading, resolution_s: float) -> History:
    """Return the history with one more reading; `resolution_s` is the time between two of them."""
    nodes = {}
    for name, point in new.nodes.items():
        before = _before(point, history.last.nodes.get(name), history.before.nodes.get(name))
        if before is not None:
            nodes[name] = before
    pods: dict[ObjectKey, Containers] = {}
    for key, containers in new.pods.items():
        last, earlier = history.last.pods.get(key, {}), history.before.pods.get(key, {})
        found = {
            name: before
            for name, point in containers.items()
            if (before := _from_start(point, resolution_s) or _before(point, last.get(name), earlier.get(name)))
        }
        if found:
            pods[key] = found
    return History(new, Reading(nodes, pods))


def _from_start(point: Point, resolution_s: float) -> Point | None:
    age_s = point.at_s - point.started_at_s
    if point.started_at_s > 0 and FRESH_S_MIN <= age_s < resolution_s:
        return replace(point, at_s=point.started_at_s, cpu_ns=0)
    return None


def _before(point: Point, last: Point | None, earlier: Point | None) -> Point | None:
    """Return the point to compare with: the last one, or the one before it when nothing new was measured."""
    if last is None or (point.started_at_s and point.started_at_s >= last.at_s):
        return None
    if point.at_s > last.at_s:
        return last
    return earlier if earlier is not None and earlier.at_s < point.at_s else None


def node_usage(history: History, name: str) -> Usage | None:
    """Return what a node uses, None when it is not known (yet)."""
    return _usage(history.last.nodes.get(name), history.before.nodes.get(name))


def pod_usage(history: History, key: ObjectKey) -> Mapping[str, Usage] | None:
    """Return what each container of a pod uses, sorted by name; None unless it is known of all of them."""
    containers, before = history.last.pods.get(key), history.before.pods.get(key, {})
    if not containers:
        return None
    found = {name: _usage(containers[name], before.get(name)) for name in sorted(containers)}
    known = {name: usage for name, usage in found.items() if usage is not None}
    return known if len(known) == len(found) else None


def _usage(last: Point | None, before: Point | None) -> Usage | None:
    if last is None or before is None or last.cpu_ns < before.cpu_ns or last.at_s <= before.at_s:
        return None
    window_s = last.at_s - before.at_s
    return Usage(int((last.cpu_ns - before.cpu_ns) / window_s), last.memory_bytes, last.at_s, window_s)
