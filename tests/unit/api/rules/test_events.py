"""The new spelling of events, and what it asks for."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.api.rules.events import from_core, to_core
from minikube_py.testing.least_objects import least_object
from minikube_py.testing.rule_cases import REMOVED, new_faults, update_faults

EVENTS = find_resource("events.k8s.io", "v1", "events")
CORE = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "e", "namespace": "default"},
    "involvedObject": {"kind": "Pod", "name": "p"},
    "message": "m",
    "source": {"component": "kubelet"},
    "firstTimestamp": "2026-01-01T00:00:00Z",
    "lastTimestamp": "2026-01-01T00:00:00Z",
    "count": 3,
    "eventTime": None,
    "reportingComponent": "kubelet",
    "type": "Normal",
}


def test_each_field_has_its_name_in_either_spelling():
    shown = from_core(CORE)

    assert shown["apiVersion"] == "events.k8s.io/v1"
    assert (shown["regarding"], shown["note"]) == (CORE["involvedObject"], "m")
    assert (shown["deprecatedCount"], shown["reportingController"]) == (3, "kubelet")
    assert to_core(shown) == CORE
    assert from_core(to_core(least_object(EVENTS))) == least_object(EVENTS)


def test_a_time_that_is_missing_is_written_as_null():
    assert from_core({"kind": "Event"})["eventTime"] is None


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"eventTime": REMOVED}, [("eventTime", "Required")]),
        ({"reportingController": REMOVED}, [("reportingController", "Required")]),
        ({"reportingInstance": ""}, [("reportingControllerInstance", "Required")]),
        ({"action": "a" * 129}, [("action", "Invalid")]),
        ({"note": "n" * 1025}, [("message", "Invalid")]),
        ({"type": "Odd"}, [("type", "Invalid")]),
        ({"deprecatedCount": 2}, [("count", "Invalid")]),
        ({"regarding.namespace": "other"}, [("involvedObject.namespace", "Invalid")]),
    ],
)
def test_faults_of_a_new_event(changes, faults):
    assert new_faults(EVENTS, changes) == faults


def test_only_the_series_of_an_event_goes_on():
    series = {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}}

    assert update_faults(EVENTS, series) == []
    assert update_faults(EVENTS, {"note": "other"}) == [("message", "Invalid")]
