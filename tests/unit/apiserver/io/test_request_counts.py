from prometheus_client import CollectorRegistry

from minikube_py.apiserver.io.request_counts import RequestCounts
from minikube_py.apiserver.routes import parse_request

PODS = "/api/v1/namespaces/n/pods"


def counted(counts, verb, code="200", resource="pods", scope="resource"):
    """Return the count of a series, how many were timed, how many of them within 25 ms, and their time."""
    registry = CollectorRegistry()
    registry.register(counts)
    served = verb != "other"
    labels = {
        "verb": verb,
        "group": "",
        "version": "v1" if served else "",
        "resource": resource if served else "",
        "subresource": "",
        "scope": scope if served else "",
        "component": "apiserver",
    }
    durations = "apiserver_request_duration_seconds"
    return (
        registry.get_sample_value("apiserver_request_total", {**labels, "code": code}),
        registry.get_sample_value(f"{durations}_count", labels),
        registry.get_sample_value(f"{durations}_bucket", {**labels, "le": "0.025"}),
        registry.get_sample_value(f"{durations}_sum", labels),
    )


def test_requests_are_counted_by_kind_and_code_and_timed():
    counts = RequestCounts(9)
    get, listed = parse_request("GET", f"{PODS}/a", {}), parse_request("GET", PODS, {})
    for duration_s in (0.001, 0.025, 0.03, 100.0):
        counts.count(get, 200, duration_s)
    counts.count(parse_request("GET", f"{PODS}/b", {}), 504, 0.001)
    counts.count(listed, 200, 0.5)
    assert counted(counts, "GET") == (4, 5, 3, 100.057)
    assert counted(counts, "GET", "504") == (1, 5, 3, 100.057)
    assert counted(counts, "LIST", scope="namespace") == (1, 1, 0, 0.5)


def test_what_stays_open_is_counted_without_a_time():
    counts = RequestCounts(9)
    counts.count(parse_request("GET", PODS, {"watch": "1"}), 200, None)
    assert counted(counts, "WATCH", scope="namespace") == (1, None, None, None)


def test_an_object_that_was_not_there_does_not_hide_those_that_are():
    counts = RequestCounts(9)
    get = parse_request("GET", f"{PODS}/a", {})
    counts.count(get, 404, 0.001)
    counts.count(get, 200, 0.001)
    assert counted(counts, "GET")[0] == 1
    assert counted(counts, "other", "404")[0] == 1


def test_clients_cannot_make_series_without_end():
    counts = RequestCounts(9)
    for number in range(9 + 3):
        counts.count(parse_request("GET", f"/apis/g{number}/v1/things/a", {}), 200, 0.0)
    counts.count(parse_request("GET", "/made/up", {}), 200, 0.0)
    assert counted(counts, "other")[:2] == (4, 4)
