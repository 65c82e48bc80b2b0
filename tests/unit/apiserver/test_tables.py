"""Tables have upstream's shape; columns and cells are compared with what upstream 1.20 printed."""

import json
from pathlib import Path

import orjson
import pytest

from minikube_py.api.meta import format_time
from minikube_py.api.resources import CONFIGMAPS, NODES, PODS, RESOURCES, SECRETS
from minikube_py.apiserver.canonical import canonical, stamp
from minikube_py.apiserver.glance import glance
from minikube_py.apiserver.tables import partial_metadata, render_table, table_row
from minikube_py.store.interface import Entry

FIXTURES = Path(__file__).parents[2] / "fixtures"
OBSERVED = json.loads((FIXTURES / "tables" / "observed-1.20.json").read_text())
NOW = 1_000_000_000.0

SINCE_1_20 = {("pods", "Restarts"): ("string", "since 1.22 the text also says how long ago the last restart was")}
"""(resource, column) -> today's type and why it differs from the observed one."""
_ATTRIBUTES = ("VolumeAttributesClass", "string", "", 0)
NEW_COLUMNS = {
    "persistentvolumeclaims": [(6, _ATTRIBUTES)],
    "persistentvolumes": [(7, _ATTRIBUTES)],
    "jobs": [(1, ("Status", "string", "", 0))],
    "cronjobs": [(2, ("Timezone", "string", "", 0))],
    "certificatesigningrequests": [(4, ("RequestedDuration", "string", "", 0))],
    "csidrivers": [
        (3, ("StorageCapacity", "boolean", "", 0)),
        (4, ("TokenRequests", "string", "", 0)),
        (5, ("RequiresRepublish", "boolean", "", 0)),
    ],
    "priorityclasses": [(4, ("PreemptionPolicy", "string", "", 0))],
}
"""resource -> (place, column) of the columns that came after 1.20."""
RENAMED = {"AssuredConcurrencyShares": "NominalConcurrencyShares"}
AGE_LAST = {"resourcequotas"}
"""Resources whose Age moved to the end."""
SINCE = {
    "bindings",
    "csistoragecapacities",
    "customresourcedefinitions",
    "deviceclasses",
    "ipaddresses",
    "localsubjectaccessreviews",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "resourceclaims",
    "resourceclaimtemplates",
    "resourceslices",
    "selfsubjectaccessreviews",
    "selfsubjectreviews",
    "selfsubjectrulesreviews",
    "servicecidrs",
    "subjectaccessreviews",
    "tokenreviews",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "volumeattributesclasses",
}
"""Resources that came after 1.20, or that cannot be listed: no table was observed."""


def a_config_map(**metadata):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "cm", "creationTimestamp": format_time(NOW - 90), **metadata},
        "data": {"a": "1"},
        "binaryData": {"b": "AA=="},
    }


@pytest.mark.parametrize("observed", OBSERVED, ids=lambda table: table["resource"])
def test_columns_are_those_that_upstream_printed(observed):
    resource = next(row for row in RESOURCES if row.plural == observed["resource"])
    expected = [tuple(column) for column in observed["columns"]]
    for index, (name, _, form, priority) in enumerate(expected):
        if (resource.plural, name) in SINCE_1_20:
            expected[index] = (name, SINCE_1_20[resource.plural, name][0], form, priority)
        expected[index] = (RENAMED.get(name, name), *expected[index][1:])
    for index, column in NEW_COLUMNS.get(resource.plural, ()):
        expected.insert(index, column)
    if resource.plural in AGE_LAST:
        expected.sort(key=lambda column: column[0] == "Age")

    definitions = render_table(resource, (), NOW)["columnDefinitions"]

    assert [(d["name"], d["type"], d["format"], d["priority"]) for d in definitions] == expected
    assert all(d["description"] for d in definitions)


def test_every_served_kind_has_columns():
    assert [resource.plural for resource in RESOURCES if not resource.columns] == []
    assert {row["resource"] for row in OBSERVED} | SINCE == {resource.plural for resource in RESOURCES}
    assert not {row["resource"] for row in OBSERVED} & SINCE


@pytest.mark.parametrize(
    ("include", "kind"), [("Metadata", "PartialObjectMetadata"), ("Object", "ConfigMap"), ("None", None)]
)
def test_a_row_carries_what_was_asked_for(include, kind):
    (row,) = render_table(CONFIGMAPS, [a_config_map()], NOW, include_object=include)["rows"]

    assert row["cells"] == ["cm", 2, "90s"]
    assert (row["object"] or {}).get("kind") == kind
    assert "conditions" not in row


@pytest.mark.parametrize("resource", [PODS, CONFIGMAPS, NODES], ids=lambda resource: resource.kind)
def test_rows_made_from_stored_bytes_are_those_of_the_objects(resource):
    meta = {"name": "a", "creationTimestamp": format_time(NOW - 90), "managedFields": [{"manager": "m"}]}
    status = {"phase": "Failed", "containerStatuses": [{"restartCount": 2, "state": {"terminated": {}}}]}
    objs = [
        {"apiVersion": "v1", "kind": resource.kind, "metadata": {**meta, "name": name}, "status": status}
        for name in ("a", "b")
    ]

    entries = [Entry("a", stamp(canonical(obj), 7), 7, 7) for obj in objs]
    rows = orjson.dumps([table_row(resource, glance(resource, entry), NOW, "v1") for entry in entries])

    whole = [{**obj, "metadata": {**obj["metadata"], "resourceVersion": "7"}} for obj in objs]
    assert json.loads(rows) == render_table(resource, whole, NOW)["rows"]


def test_a_table_carries_the_metadata_of_its_list():
    table = render_table(CONFIGMAPS, [], NOW, list_meta={"resourceVersion": "7"})

    assert table["metadata"] == {"resourceVersion": "7"}
    assert (table["kind"], table["apiVersion"], table["rows"]) == ("Table", "meta.k8s.io/v1", [])


def test_later_events_of_a_watch_leave_the_definitions_out():
    assert render_table(SECRETS, [], NOW, with_definitions=False)["columnDefinitions"] is None


def test_pods_that_ended_carry_a_completed_condition():
    ended = {"metadata": {"name": "p"}, "status": {"phase": "Failed"}}
    runs = {"metadata": {"name": "p"}, "status": {"phase": "Running"}}

    first, second = render_table(PODS, [ended, runs], NOW)["rows"]

    assert first["conditions"] == [
        {"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."}
    ]
    assert "conditions" not in second


def test_partial_metadata_is_metadata_and_nothing_else():
    obj = a_config_map(labels={"a": "b"})

    assert partial_metadata(obj) == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj["metadata"],
    }
