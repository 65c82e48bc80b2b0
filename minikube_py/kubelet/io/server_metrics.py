"""What the kubelet counts about itself, in Prometheus' form: `/metrics` and `/metrics/probes` of its server.

Names and labels as upstream's (kubelet/metrics, kubelet/server/metrics, kubelet/prober).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

PROBE_LABELS = ("probe_type", "result", "container", "pod", "namespace", "pod_uid")
ProbeCounts = Callable[[], Mapping[tuple[str, ...], int]]
"""How many probes ended how, by the values of PROBE_LABELS, of the pods that are there now."""


class _Probes(Collector):
    """Reads the prober's counts when it is asked for them."""

    def __init__(self, counts: ProbeCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Return one sample for each probe and result."""
        what = "Cumulative number of a liveness, readiness or startup probe for a container by result."
        family = CounterMetricFamily("prober_probe", what, labels=PROBE_LABELS)
        for labels, count in sorted(self._counts().items()):
            family.add_metric(labels, count)
        return (family,)


class ServerMetrics:
    """The registries of one kubelet."""

    def __init__(self, node_name: str, probe_counts: ProbeCounts = dict) -> None:
        self.registry = CollectorRegistry()
        """Other parts of the kubelet may register theirs."""
        ProcessCollector(registry=self.registry)
        node = Gauge("kubelet_node_name", "The node's name. The count is always 1.", ["node"], registry=self.registry)
        node.labels(node_name).set(1)
        labels = ["method", "path", "server_type", "long_running"]
        self._total = Counter(
            "kubelet_http_requests", "Number of the http requests received since the server started.", labels,
            registry=self.registry,
        )  # fmt: skip
        self._inflight = Gauge(
            "kubelet_http_inflight_requests", "Number of the inflight http requests.", labels, registry=self.registry
        )
        self._running_pods = Gauge(
            "kubelet_running_pods", "Number of pods that have a running pod sandbox.", registry=self.registry
        )
        self._running_containers = Gauge(
            "kubelet_running_containers",
            "Number of containers currently running.",
            ["container_state"],
            registry=self.registry,
        )
        self._probes = CollectorRegistry()
        self._probes.register(_Probes(probe_counts))

    @contextmanager
    def counting(self, method: str, path: str, *, long_running: bool) -> Iterator[None]:
        """Count one request while it is answered."""
        labels = (method, path, "readwrite", str(long_running).lower())
        self._total.labels(*labels).inc()
        inflight = self._inflight.labels(*labels)
        inflight.inc()
        try:
            yield
        finally:
            inflight.dec()

    def show_running(self, pods: int, containers_by_state: Mapping[str, int]) -> None:
        """Set how much runs now."""
        self._running_pods.set(pods)
        for state in ("created", "exited", "running", "unknown"):
            self._running_containers.labels(state).set(containers_by_state.get(state, 0))

    def render(self) -> bytes:
        """Return `/metrics`."""
        return generate_latest(self.registry)

    def render_probes(self) -> bytes:
        """Return `/metrics/probes`."""
        return generate_latest(self._probes)
