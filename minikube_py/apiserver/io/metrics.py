"""What the API server counts, under upstream's names (component-base metrics, apiserver endpoints/metrics)."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from minikube_py.apiserver.io.audit_log import AuditLog
from minikube_py.apiserver.routes import RequestInfo

_DURATIONS_S = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)
_LAGS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_REQUEST_LABELS = ("verb", "group", "version", "resource", "subresource", "scope", "component")
_CHILDREN_MAX = 5000
"""Label combinations kept; requests with further ones are counted as `other` (paths are the client's choice)."""
_VERBS = {"deletecollection": "DELETECOLLECTION", "update": "PUT", "create": "POST"}


class ApiMetrics:
    """The API server's counters; other components may register theirs in `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "apiserver_request",
            "Requests by verb, resource and answer code",
            (*_REQUEST_LABELS, "code"),
            registry=self.registry,
        )
        self.durations = Histogram(
            "apiserver_request_duration_seconds",
            "Time from request to answer in seconds, watches left out",
            _REQUEST_LABELS,
            buckets=_DURATIONS_S,
            registry=self.registry,
        )
        self.watchers = Gauge(
            "apiserver_longrunning_requests",
            "Watches, logs, execs and other requests that stay open",
            _REQUEST_LABELS,
            registry=self.registry,
        )
        self.watch_drops = Counter(
            "apiserver_terminated_watchers",
            "Watchers that were cut off because they were too slow",
            ("resource",),
            registry=self.registry,
        )
        self.stored_objects = Gauge(
            "apiserver_storage_objects", "Objects of each resource", ("resource",), registry=self.registry
        )
        self.loop_lag = Histogram(
            "minikube_py_loop_lag_seconds",
            "How late the event loop was, measured once a second",
            buckets=_LAGS_S,
            registry=self.registry,
        )
        self._labels: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._counters: dict[tuple[tuple[str, ...], int], Counter] = {}
        self._histograms: dict[tuple[str, ...], Histogram] = {}

    def show_audit(self, audit: AuditLog) -> None:
        """Show how many audit events were written, and how many were lost."""
        for name, what, read in (
            ("apiserver_audit_event", "Audit events that were written", lambda: audit.written),
            ("apiserver_audit_error", "Audit events that were lost", lambda: audit.dropped),
        ):
            gauge = Gauge(f"{name}_total", what, registry=self.registry)
            gauge.set_function(read)

    def show_stored(self, resource: str, count: Callable[[], int]) -> None:
        """Let /metrics ask `count` how many objects of a resource there are."""
        self.stored_objects.labels(resource).set_function(count)

    def labels_of(self, info: RequestInfo, *, served: bool) -> tuple[str, ...]:
        """Return the labels of a request; what is not served shares one set, so that nobody can make them grow."""
        key = (
            info.verb,
            info.group,
            info.version,
            info.resource,
            info.subresource,
            info.name and "1",
            info.namespace and "1",
        )
        labels = self._labels.get(key)
        if labels is None:
            labels = _labels(info) if served and info.is_resource else ("other", "", "", "", "", "", "apiserver")
            if len(self._labels) < _CHILDREN_MAX:
                self._labels[key] = labels
        return labels

    def count(self, labels: tuple[str, ...], code: int, duration_s: float | None) -> None:
        """Count one answered request; `duration_s` None for those that stay open."""
        counter = self._counters.get((labels, code))
        if counter is None:
            counter = self._counters[labels, code] = self.requests.labels(*labels, str(code))
        counter.inc()
        if duration_s is None:
            return
        histogram = self._histograms.get(labels)
        if histogram is None:
            histogram = self._histograms[labels] = self.durations.labels(*labels)
        histogram.observe(duration_s)

    def render(self) -> bytes:
        """Return /metrics in Prometheus' text format."""
        text: bytes = generate_latest(self.registry)
        return text


def _labels(info: RequestInfo) -> tuple[str, ...]:
    scope = "resource" if info.name else "namespace" if info.namespace else "cluster"
    verb = _VERBS.get(info.verb, info.verb.upper())
    return (verb, info.group, info.version, info.resource, info.subresource, scope, "apiserver")
