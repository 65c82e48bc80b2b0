"""How many requests were answered with which code, and how long they took: apiserver_request_*.

The Counter and Histogram of prometheus_client take a lock for each number and look at bucket after bucket; every
request is counted here, on the loop alone, so a list of numbers does. It becomes metrics when somebody asks.

Upstream: apiserver endpoints/metrics.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from minikube_py.apiserver.routes import RequestInfo

DURATIONS_S = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)
REQUEST_LABELS = ("verb", "group", "version", "resource", "subresource", "scope", "component")
SERIES_MAX = 5000
"""Kinds of requests that are told apart; further ones are counted as `other` (paths are the client's choice)."""
_BOUNDS = (*(str(float(bound_s)) for bound_s in DURATIONS_S), "+Inf")
_OTHER = ("other", "", "", "", "", "", "apiserver")
_VERBS = {"deletecollection": "DELETECOLLECTION", "update": "PUT", "create": "POST"}
_REFUSED = frozenset({401, 403, 404, 405})
"""Answers to what may not even exist: these share one series, so that nobody can make them grow."""


class _Series:
    """The requests of one kind."""

    __slots__ = ("by_code", "in_bucket", "labels", "sum_s")

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self.by_code: dict[int, int] = {}
        self.in_bucket = [0] * len(_BOUNDS)
        self.sum_s = 0.0


class RequestCounts(Collector):
    """Counts requests."""

    def __init__(self, series_max: int) -> None:
        self._series_max = series_max
        self._other = _Series(_OTHER)
        self._kinds: dict[tuple[object, ...], _Series] = {}

    def count(self, info: RequestInfo, code: int, duration_s: float | None) -> None:
        """Count one answered request; `duration_s` None for those that stay open."""
        series = self._other if code in _REFUSED else self._series(info)
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

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics (prometheus_client asks)."""
        counts = CounterMetricFamily(
            "apiserver_request",
            "Requests by verb, resource and answer code",
            labels=(*REQUEST_LABELS, "code"),
        )
        durations = HistogramMetricFamily(
            "apiserver_request_duration_seconds",
            "Time from request to answer in seconds, watches left out",
            labels=REQUEST_LABELS,
        )
        for series in (self._other, *self._kinds.values()):
            for code, count in series.by_code.items():
                counts.add_metric((*series.labels, str(code)), count)
            if any(series.in_bucket):
                buckets = list(zip(_BOUNDS, accumulate(series.in_bucket), strict=True))
                durations.add_metric(series.labels, buckets, series.sum_s)
        yield counts
        yield durations


def request_labels(info: RequestInfo) -> tuple[str, ...]:
    """Return the labels of a request for a resource."""
    scope = "resource" if info.name else "namespace" if info.namespace else "cluster"
    verb = _VERBS.get(info.verb, info.verb.upper())
    return (verb, info.group, info.version, info.resource, info.subresource, scope, "apiserver")
