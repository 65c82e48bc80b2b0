"""Who owns the number of replicas, seen from the object and from its Scale."""

from dataclasses import replace

import pytest

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.resource import ScalePaths
from minikube_py.api.resources import DEPLOYMENTS
from minikube_py.apiserver.scale_owners import parent_owners, scale_owners
from minikube_py.testing.custom_objects import a_served_definition

PAUSED_AND_REPLICAS = {"f:spec": {"f:paused": {}, "f:replicas": {}}}
REPLICAS = {"f:spec": {"f:replicas": {}}}
THEN = "2026-01-01T00:00:00Z"


def entry(manager, fields, operation="Update", version="apps/v1", subresource="", time=THEN):
    shown = {
        "manager": manager,
        "operation": operation,
        "apiVersion": version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        "subresource": subresource,
    }
    return {name: value for name, value in shown.items() if value}


def owned(*entries):
    return {"metadata": {"managedFields": list(entries)}}


MAKER = entry("maker", PAUSED_AND_REPLICAS)
OTHER = entry("other", {"f:metadata": {"f:labels": {}}})


def test_a_scale_shows_who_owns_the_number_and_nothing_else():
    assert scale_owners(DEPLOYMENTS, owned(MAKER, OTHER)) == [entry("maker", REPLICAS, version="autoscaling/v1")]
    assert scale_owners(DEPLOYMENTS, {"metadata": {}}) == []


def test_who_takes_the_number_through_the_scale_gets_an_entry_and_the_loser_keeps_the_rest():
    taken = owned(entry("hpa", REPLICAS, "Apply", "autoscaling/v1", "scale"))

    assert parent_owners(DEPLOYMENTS, owned(MAKER, OTHER), taken) == [
        entry("hpa", REPLICAS, "Apply", subresource="scale", time=""),
        entry("maker", {"f:spec": {"f:paused": {}}}),
        OTHER,
    ]


def test_who_owned_only_the_number_and_loses_it_is_gone():
    taken = owned(entry("hpa", REPLICAS, "Apply", "autoscaling/v1", "scale"))

    assert [e["manager"] for e in parent_owners(DEPLOYMENTS, owned(entry("maker", REPLICAS)), taken)] == ["hpa"]


def test_who_keeps_the_number_stays_as_it_was():
    before = owned(MAKER, OTHER)
    seen = owned(*scale_owners(DEPLOYMENTS, before))

    assert parent_owners(DEPLOYMENTS, before, seen) == [MAKER, OTHER]


@pytest.mark.parametrize("broken", [[{}], "x"])
def test_what_cannot_be_read_owns_nothing(broken):
    assert scale_owners(DEPLOYMENTS, {"metadata": {"managedFields": broken}}) == []


def test_a_custom_resource_keeps_its_number_elsewhere():
    (row,) = rows_of(a_served_definition())
    row = replace(row, scale=ScalePaths(("spec", "inner", "size"), ("status", "size")))
    size = {"f:spec": {"f:inner": {"f:size": {}}}}
    maker = entry("maker", size, version=row.api_version)

    assert scale_owners(row, owned(maker)) == [entry("maker", REPLICAS, version="autoscaling/v1")]
    taken = owned(entry("hpa", REPLICAS, "Apply", "autoscaling/v1", "scale"))
    assert parent_owners(row, owned(maker), taken) == [entry("hpa", size, "Apply", row.api_version, "scale", time="")]
