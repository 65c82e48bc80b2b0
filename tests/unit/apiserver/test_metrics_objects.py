import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resource import Resource
from minikube_py.api.table.metrics_v1beta1 import NODE_METRICS, POD_METRICS
from minikube_py.apiserver.metrics_objects import format_duration, node_metrics, pod_metrics
from minikube_py.apiserver.metrics_points import History, Point, Reading
from minikube_py.apiserver.tables import render_table

POD = {
    "metadata": {"name": "p", "namespace": "n", "labels": {"a": "b"}},
    "status": {"phase": "Running"},
}
BEFORE = Point(100.0, 0, 1024)
LAST = Point(115.0, 3_750_000_000, 12345 * 1024)
HISTORY = History(
    Reading({"node1": LAST}, {ObjectKey("n", "p"): {"x": LAST, "y": LAST}}),
    Reading({"node1": BEFORE}, {ObjectKey("n", "p"): {"x": BEFORE, "y": BEFORE}}),
)


def cells(resource: Resource, obj):
    return render_table(resource, [obj], 200.0)["rows"][0]["cells"]


def test_a_node_is_shown_with_its_labels_its_usage_and_the_window():
    node = node_metrics({"metadata": {"name": "node1", "labels": {"l": "v"}}}, HISTORY, 200.0)

    assert node == {
        "kind": "NodeMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {"name": "node1", "creationTimestamp": "1970-01-01T00:03:20Z", "labels": {"l": "v"}},
        "timestamp": "1970-01-01T00:01:55Z",
        "window": "15s",
        "usage": {"cpu": "250m", "memory": "12345Ki"},
    }
    assert cells(NODE_METRICS, node) == ["node1", "250m", "12345Ki", "15s"]


def test_a_pod_is_shown_with_all_its_containers():
    pod = pod_metrics(POD, HISTORY, 200.0)

    assert [(c["name"], c["usage"]["cpu"]) for c in pod["containers"]] == [("x", "250m"), ("y", "250m")]
    assert (pod["metadata"]["namespace"], pod["metadata"]["labels"]) == ("n", {"a": "b"})
    assert cells(POD_METRICS, pod) == ["p", "500m", "24690Ki", "15s"]


def test_what_is_not_measured_or_does_not_run_has_no_metrics():
    assert node_metrics({"metadata": {"name": "other"}}, HISTORY, 0) is None
    assert pod_metrics(POD | {"status": {"phase": "Succeeded"}}, HISTORY, 0) is None
    assert pod_metrics(POD | {"metadata": {"name": "q", "namespace": "n"}}, HISTORY, 0) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(15.0, "15s"), (15.034, "15.034s"), (60.5, "1m0.5s"), (7201, "2h0m1s"), (0.25, "250ms"), (0, "0s")],
)
def test_durations_are_spelled_as_go_spells_them(seconds, text):
    assert format_duration(seconds) == text
