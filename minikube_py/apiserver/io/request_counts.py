"""How many requests were answered with which code, and how long they took: apiserver_request_*; and which stay open.

The Counter and Histogram of prometheus_client take a lock for each number and look at bucket after bucket; every
request is counted here, on the loop alone, so a list of numbers does. Their text is written here too: a cluster has
hundreds of kinds of requests with 26 lines each, for which prometheus_client takes 0.3 ms a kind.

Upstream: apiserver endpoints/metrics.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate, islice

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from minikube_py.apiserver.routes import RequestInfo

DURATIONS_S = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)
REQUEST_LABELS = ("verb", "group", "version", "resource", "subresource", "scope", "component")
SERIES_MAX = 5000
"""Kinds of requests that are told apart; further ones are counted as `other` (paths are the client's choice)."""
SLICE_SERIES = 100
"""So many kinds become text before others run (a millisecond)."""
_BOUNDS = (*(str(float(bound_s)) for bound_s in DURATIONS_S), "+Inf")
_OTHER = ("other", "", "", "", "", "", "apiserver")
_VERBS = {"deletecollection": "DELETECOLLECTION", "update": "PUT", "create": "POST"}
_REFUSED = frozenset({403, 404, 405})
"""Answers to what may not even exist."""
_COUNTS = "apiserver_request_total"
_DURATIONS = "apiserver_request_duration_seconds"
_COUNTS_HEAD = f"# HELP {_COUNTS} Requests by verb, resource and answer code\n# TYPE {_COUNTS} counter\n"
_DURATIONS_HEAD = (
    f"# HELP {_DURATIONS} Time from request to answer in seconds, watches left out\n# TYPE {_DURATIONS} histogram\n"
)


class _Series:
    """The requests of one kind."""

    __slots__ = ("by_code", "in_bucket", "labels", "sum_s")

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = ",".join(
            f'{name}="{_escaped(value)}"' for name, value in zip(REQUEST_LABELS, labels, strict=True)
        )
        self.by_code: dict[int, int] = {}
        self.in_bucket = [0] * len(_BOUNDS)
        self.sum_s = 0.0

    def counts_text(self) -> str:
        return "".join(
            f'{_COUNTS}{{{self.labels},code="{code}"}} {count}.0\n' for code, count in self.by_code.items()
        )

    def durations_text(self) -> str:
        head = f"{_DURATIONS}_bucket{{{self.labels},le="
        total = 0
        lines = []
        for bound, total in zip(_BOUNDS, accumulate(self.in_bucket), strict=True):
            lines.append(f'{head}"{bound}"}} {total}.0\n')
        if not total:
            return ""
        lines.append(f"{_DURATIONS}_count{{{self.labels}}} {total}.0\n")
        lines.append(f"{_DURATIONS}_sum{{{self.labels}}} {self.sum_s}\n")
        return "".join(lines)


class RequestCounts:
    """Counts requests."""

    def __init__(self, series_max: int, is_served: Callable[[RequestInfo], bool]) -> None:
        """`is_served` says whether there is a resource that can be asked so."""
        self._series_max = series_max
        self._is_served = is_served
        self._other = _Series(_OTHER)
        self._kinds: dict[tuple[object, ...], _Series] = {}

    def count(self, info: RequestInfo, code: int, duration_s: float | None) -> None:
        """Count one answered request; `duration_s` None for those that stay open.

        What is refused to somebody unknown, and what is not served, shares one series: nobody can make them grow.
        """
        unknown = code == 401 or (code in _REFUSED and not self._is_served(info))
        series = self._other if unknown else self._series(info)
        series.by_code[code] = series.by_code.get(code, 0) + 1
        if duration_s is not None:
            series.in_bucket[bisect_left(DURATIONS_S, duration_s)] += 1
            series.sum_s += duration_s

    def _series(self, info: RequestInfo) -> _Series:
        name, namespace = not info.name, not info.namespace
        kind = (info.verb, info.resource, info.subresource, info.group, info.version, name, namespace)
        series = self._kinds.get(kind)
        if series is None:
            if not info.is_resource or len(self._kinds) >= self._series_max:
                return self._other
            series = self._kinds[kind] = _Series(request_labels(info))
        return series

    def text(self) -> Iterator[bytes]:
        """Yield the metrics in Prometheus' text format, each piece of at most SLICE_SERIES kinds.

        Requests may be counted between two pieces; the numbers of one kind's histogram belong together all the same.
        """
        every = (self._other, *self._kinds.values())
        for head, render in ((_COUNTS_HEAD, _Series.counts_text), (_DURATIONS_HEAD, _Series.durations_text)):
            yield head.encode()
            left = iter(every)
            while some := tuple(islice(left, SLICE_SERIES)):
                yield "".join(map(render, some)).encode()


class OpenRequests(Collector):
    """Counts requests that stay open; of kinds that nobody has open now nothing is kept."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, ...], int] = {}

    def opened(self, labels: tuple[str, ...]) -> None:
        """Note that one more is open."""
        self._open[labels] = self._open.get(labels, 0) + 1

    def closed(self, labels: tuple[str, ...]) -> None:
        """Note that one has ended."""
        self._open[labels] -= 1
        if not self._open[labels]:
            del self._open[labels]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metric (prometheus_client asks)."""
        family = GaugeMetricFamily(
            "apiserver_longrunning_requests",
            "Watches, logs, execs and other requests that stay open",
            labels=REQUEST_LABELS,
        )
        for labels, count in self._open.items():
            family.add_metric(labels, count)
        yield family


def request_labels(info: RequestInfo) -> tuple[str, ...]:
    """Return the labels of a request for a resource."""
    scope = "resource" if info.name else "namespace" if info.namespace else "cluster"
    verb = _VERBS.get(info.verb, info.verb.upper())
    return (verb, info.group, info.version, info.resource, info.subresource, scope, "apiserver")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
