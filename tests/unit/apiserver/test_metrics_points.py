import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.apiserver.metrics_points import (
    History,
    Point,
    Reading,
    Usage,
    advance,
    join_readings,
    node_usage,
    parse_reading,
    pod_usage,
)

POD = ObjectKey("n", "p")
RESOLUTION_S = 60.0
TEXT = """
# HELP container_cpu_usage_seconds_total x
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="a",namespace="n",pod="p"} 1.5 20000
container_cpu_usage_seconds_total{container="a",namespace="n",pod="half"} 1.5 20000
container_memory_working_set_bytes{container="a",namespace="n",pod="p"} 4096 20000
container_start_time_seconds{container="a",namespace="n",pod="p"} 3.25
node_cpu_usage_seconds_total 100 20001
node_memory_working_set_bytes 1e+06 20001
pod_cpu_usage_seconds_total{namespace="n",pod="p"} 1.5 20000
not a metric at all
node_swap_usage_bytes x
resource_scrape_error 0
"""


def a_point(at_s, cores=0.5, started_at_s=1.0, memory=100):
    """Return a point of something that has used `cores` since the start of time."""
    return Point(at_s, int(cores * at_s * 1e9), memory, started_at_s)


def after(*readings):
    history = History()
    for reading in readings:
        history = advance(history, reading, RESOLUTION_S)
    return history


def of_pod(**containers):
    return Reading(pods={POD: containers})


def test_a_kubelets_text_is_read_into_points():
    reading = parse_reading("node1", TEXT)

    assert reading.nodes == {"node1": Point(20.001, 100_000_000_000, 1_000_000)}
    assert reading.pods == {POD: {"a": Point(20.0, 1_500_000_000, 4096, 3.25)}}


def test_a_node_that_measures_nothing_has_no_point():
    assert parse_reading("node1", "scrape_error 1\n") == Reading()


def test_readings_of_several_nodes_are_one():
    one, other = Reading({"a": a_point(1)}, {POD: {}}), Reading({"b": a_point(2)})

    assert join_readings([one, other]) == Reading({"a": a_point(1), "b": a_point(2)}, {POD: {}})


def test_usage_is_the_growth_between_the_last_two_readings():
    history = after(Reading({"n": a_point(100)}), Reading({"n": a_point(115, memory=200)}))

    assert node_usage(history, "n") == Usage(500_000_000, 200, 115, 15)


def test_one_reading_is_no_usage():
    assert node_usage(after(Reading({"n": a_point(100)})), "n") is None
    assert pod_usage(after(of_pod(a=a_point(100))), POD) is None


def test_a_reading_that_measured_nothing_new_changes_nothing():
    history = after(*(Reading({"n": a_point(at)}) for at in (100, 115, 115)))

    assert node_usage(history, "n").window_s == 15


def test_a_node_that_was_silent_is_not_known_until_it_was_read_twice_again():
    history = after(
        Reading({"n": a_point(100)}), Reading({"n": a_point(115)}), Reading(), Reading({"n": a_point(145)})
    )

    assert node_usage(history, "n") is None


@pytest.mark.parametrize(
    ("started_at_s", "expected"),
    [(108.0, None), (104.0, 11.0), (50.0, 15.0)],
    ids=["too young", "counted from its start", "counted from the reading before"],
)
def test_a_container_that_was_started_anew_is_counted_from_its_start(started_at_s, expected):
    history = after(of_pod(a=a_point(100)), of_pod(a=a_point(115, started_at_s=started_at_s)))

    usages = pod_usage(history, POD)
    assert (usages["a"].window_s if usages else None) == expected


def test_a_pod_is_known_when_all_its_containers_are():
    both = of_pod(b=a_point(115), a=a_point(115, 0.25))

    assert pod_usage(after(of_pod(a=a_point(100, 0.25)), both), POD) is None
    known = pod_usage(after(of_pod(a=a_point(100, 0.25), b=a_point(100)), both), POD)
    assert [(name, usage.nano_cores) for name, usage in known.items()] == [("a", 250_000_000), ("b", 500_000_000)]


def test_a_counter_that_went_back_gives_no_usage():
    history = after(Reading({"n": a_point(100, 0.5)}), Reading({"n": a_point(115, 0.1)}))

    assert node_usage(history, "n") is None
