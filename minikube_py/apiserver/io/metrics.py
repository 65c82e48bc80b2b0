"""What the API server counts, under upstream's names (component-base metrics, apiserver endpoints/metrics)."""

import platform
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from minikube_py.api.served import GIT_VERSION, SERVED_MAJOR, SERVED_MINOR
from minikube_py.apiserver.io.audit_log import AuditLog
from minikube_py.apiserver.io.request_counts import SERIES_MAX, OpenRequests, RequestCounts
from minikube_py.apiserver.routes import RequestInfo

_BUILD = ("major", "minor", "git_version", "platform")
_LAGS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class ApiMetrics:
    """The API server's counters; other components may register theirs in `registry`."""

    def __init__(self, is_served: Callable[[RequestInfo], bool]) -> None:
        """`is_served` says whether there is a resource that can be asked so."""
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        self.requests = RequestCounts(SERIES_MAX, is_served)
        self.watches = OpenRequests()
        self.registry.register(self.watches)
        self.watch_drops = Counter(
            "apiserver_terminated_watchers",
            "Watchers that were cut off because they were too slow",
            ("resource",),
            registry=self.registry,
        )
        self.stored_objects = Gauge(
            "apiserver_storage_objects", "Objects of each resource", ("resource",), registry=self.registry
        )
        self._in_flight = Gauge(
            "apiserver_current_inflight_requests",
            "Requests that are being answered, watches and the like not counted",
            ("request_kind",),
            registry=self.registry,
        )
        build = Gauge("kubernetes_build_info", "What this is, as /version says it", _BUILD, registry=self.registry)
        build.labels(SERVED_MAJOR, SERVED_MINOR, GIT_VERSION, f"linux/{platform.machine()}").set(1)
        self.loop_lag = Histogram(
            "minikube_py_loop_lag_seconds",
            "How late the event loop was, measured once a second",
            buckets=_LAGS_S,
            registry=self.registry,
        )

    def show_audit(self, audit: AuditLog) -> None:
        """Show how many audit events were written, and how many were lost."""
        for name, what, read in (
            ("apiserver_audit_event", "Audit events that were written", lambda: audit.written),
            ("apiserver_audit_error", "Audit events that were lost", lambda: audit.dropped),
        ):
            gauge = Gauge(f"{name}_total", what, registry=self.registry)
            gauge.set_function(read)

    def show_in_flight(self, kind: str, count: Callable[[], int]) -> None:
        """Let /metrics ask `count` how many requests of a kind (`readOnly`, `mutating`) are being answered."""
        self._in_flight.labels(kind).set_function(count)

    def show_stored(self, resource: str, count: Callable[[], int]) -> None:
        """Let /metrics ask `count` how many objects of a resource there are."""
        self.stored_objects.labels(resource).set_function(count)

    def text(self) -> Iterator[bytes]:
        """Yield /metrics in Prometheus' text format, in pieces none of which is long in the making."""
        for metric in self.registry.collect():
            yield generate_latest(_Family(metric))
        yield from self.requests.text()


class _Family(Collector):
    """One family alone."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> tuple[Metric]:
        return (self._metric,)
