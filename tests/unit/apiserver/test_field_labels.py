"""Which fields each kind can be selected by, and how another one is refused: upstream's lists, kind by kind.

Upstream: AddFieldLabelConversionFunc in pkg/apis/*/conversion.go, apimachinery runtime/conversion.go for all other
kinds, apiextensions-apiserver's crConversion for custom resources.
"""

import pytest

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.errors import BadRequestError
from minikube_py.api.resource import Resource
from minikube_py.api.resources import RESOURCES
from minikube_py.apiserver.list_options import parse_filter
from minikube_py.apiserver.routes import Route
from minikube_py.testing.custom_objects import a_served_definition, a_version

OBJECT = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
NOT_SUPPORTED = "field label not supported: {}"
FIELDS: dict[tuple[str, str], set[str]] = {
    ("", "Pod"): {
        "spec.nodeName",
        "spec.host",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
        "metadata.namespace",
    },
    ("", "Node"): {"spec.unschedulable"},
    ("", "Namespace"): {"status.phase"},
    ("", "Secret"): {"type", "metadata.namespace"},
    ("", "Service"): {"spec.clusterIP", "spec.type", "metadata.namespace"},
    ("", "ReplicationController"): {"status.replicas", "metadata.namespace"},
    ("", "Event"): {
        *(f"involvedObject.{name}" for name in OBJECT),
        "reason",
        "reportingComponent",
        "source",
        "type",
        "metadata.namespace",
    },
    ("events.k8s.io", "Event"): {
        *(f"regarding.{name}" for name in OBJECT),
        "reason",
        "reportingController",
        "type",
        "metadata.namespace",
    },
    ("apps", "ReplicaSet"): {"status.replicas", "metadata.namespace"},
    ("batch", "Job"): {"status.successful", "metadata.namespace"},
    ("certificates.k8s.io", "CertificateSigningRequest"): {"spec.signerName"},
    ("resource.k8s.io", "ResourceSlice"): {"spec.nodeName", "spec.driver"},
}
"""Beside metadata.name, which every kind has. ReplicaSet's is in upstream's documentation, not in its code."""
REFUSALS = {
    ("batch", "Job"): 'field label "{}" not supported for batchv1.Job',
    ("resource.k8s.io", "ResourceSlice"): (
        "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {}"
    ),
}
ALL = {"spec.foo"}.union(*FIELDS.values())


def answer(resource: Resource, field: str) -> str:
    """Return how a selector by a field is refused, an empty text when it is not."""
    try:
        parse_filter(Route(resource, "list", "", ""), {"fieldSelector": f"{field}=x"})
    except BadRequestError as refused:
        return refused.message
    return ""


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: f"{resource.group or 'core'}-{resource.kind}")
def test_each_kind_can_be_selected_by_upstreams_fields_and_says_so_of_others(resource):
    name = (resource.group, resource.kind)
    fields = FIELDS.get(name, {"metadata.namespace"})
    general = '"{}" is not a known field selector: only "metadata.name", "metadata.namespace"'
    refusal = REFUSALS.get(name, NOT_SUPPORTED) if name in FIELDS else general

    assert answer(resource, "metadata.name") == ""
    assert {field: answer(resource, field) for field in ALL} == {
        field: "" if field in fields else refusal.format(field) for field in ALL
    }


@pytest.mark.parametrize(("scope", "metadata"), [("Namespaced", {"metadata.namespace"}), ("Cluster", set())])
@pytest.mark.parametrize("selectable", [set(), {"spec.color"}])
def test_a_custom_resource_can_be_selected_by_the_fields_of_its_definition(scope, metadata, selectable):
    version = a_version(selectableFields=[{"jsonPath": f".{field}"} for field in sorted(selectable)])
    (row,) = rows_of(a_served_definition(versions=(version,), scope=scope))

    assert answer(row, "metadata.name") == ""
    every = ALL | {"spec.color"}
    assert {field: answer(row, field) for field in every} == {
        field: "" if field in metadata | selectable else NOT_SUPPORTED.format(field) for field in every
    }
