import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from minikube_py.apiserver.io.request_counts import SLICE_SERIES, OpenRequests, RequestCounts, request_labels
from minikube_py.apiserver.routes import parse_request

PODS = "/api/v1/namespaces/n/pods"


def counting(series_max=9, *, served=True):
    return RequestCounts(series_max, lambda info: served)


def counted(counts, verb, code="200", resource="pods", scope="resource"):
    """Return the count of a series, how many were timed, how many of them within 25 ms, and their time."""
    text = b"".join(counts.text()).decode()
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
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
    return tuple(
        samples.get((name, *sorted({**labels, **more}.items())))
        for name, more in (
            ("apiserver_request_total", {"code": code}),
            (f"{durations}_count", {}),
            (f"{durations}_bucket", {"le": "0.025"}),
            (f"{durations}_sum", {}),
        )
    )


def test_requests_are_counted_by_kind_and_code_and_timed():
    counts = counting()
    get, listed = parse_request("GET", f"{PODS}/a", {}), parse_request("GET", PODS, {})
    for duration_s in (0.001, 0.025, 0.03, 100.0):
        counts.count(get, 200, duration_s)
    counts.count(parse_request("GET", f"{PODS}/b", {}), 504, 0.001)
    counts.count(listed, 200, 0.5)
    assert counted(counts, "GET") == (4, 5, 3, 100.057)
    assert counted(counts, "GET", "504") == (1, 5, 3, 100.057)
    assert counted(counts, "LIST", scope="namespace") == (1, 1, 0, 0.5)


def test_what_stays_open_is_counted_without_a_time():
    counts = counting()
    counts.count(parse_request("GET", PODS, {"watch": "1"}), 200, None)
    assert counted(counts, "WATCH", scope="namespace") == (1, None, None, None)


@pytest.mark.parametrize("code", [403, 404])
def test_an_answer_that_an_object_is_not_there_counts_for_its_resource(code):
    counts = counting()
    counts.count(parse_request("GET", f"{PODS}/a", {}), code, 0.001)
    assert counted(counts, "GET", str(code))[:2] == (1, 1)


@pytest.mark.parametrize(("code", "served"), [(401, True), (403, False), (404, False), (405, False)])
def test_what_nobody_knows_and_what_is_not_served_share_a_series(code, served):
    counts = counting(served=served)
    get = parse_request("GET", f"{PODS}/a", {})
    counts.count(get, code, 0.001)
    counts.count(get, 200, 0.001)
    assert counted(counts, "GET")[0] == 1
    assert counted(counts, "other", str(code))[0] == 1


def test_clients_cannot_make_series_without_end():
    counts = counting()
    for number in range(9 + 3):
        counts.count(parse_request("GET", f"/apis/g{number}/v1/things/a", {}), 200, 0.0)
    counts.count(parse_request("GET", "/made/up", {}), 200, 0.0)
    assert counted(counts, "other")[:2] == (4, 4)


def test_names_that_are_the_clients_choice_do_not_break_the_text():
    counts = counting()
    counts.count(parse_request("GET", '/api/v1/namespaces/n/a"b\\c\nd/x', {}), 200, 0.001)
    assert counted(counts, "GET", resource='a"b\\c\nd')[:2] == (1, 1)


def test_the_text_comes_in_pieces_of_few_kinds():
    counts = counting(10 * SLICE_SERIES)
    for number in range(2 * SLICE_SERIES):
        counts.count(parse_request("GET", f"/apis/g{number}/v1/things/a", {}), 200, 0.0)
    pieces = [piece.count(b"_total{") + piece.count(b"_sum{") for piece in counts.text()]
    assert max(pieces) == SLICE_SERIES
    assert sum(pieces) == 4 * SLICE_SERIES


def test_what_stays_open_is_shown_while_it_is_open():
    registry, requests = CollectorRegistry(), OpenRequests()
    registry.register(requests)
    labels = request_labels(parse_request("GET", PODS, {"watch": "1"}))

    def shown():
        return [sample.value for family in registry.collect() for sample in family.samples]

    requests.opened(labels)
    requests.opened(labels)
    requests.closed(labels)
    assert shown() == [1]
    requests.closed(labels)
    assert shown() == []
