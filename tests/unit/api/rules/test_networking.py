"""Ingresses and their classes."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import made, new_faults, update_faults

INGRESSES = find_resource("networking.k8s.io", "v1", "ingresses")
CLASSES = find_resource("networking.k8s.io", "v1", "ingressclasses")
BACKEND = {"service": {"name": "s", "port": {"number": 80}}}
P = "spec.rules[0].http.paths[0]"


def path(text, kind="Prefix", backend=BACKEND):
    return {"spec.rules": [{"http": {"paths": [{"path": text, "pathType": kind, "backend": backend}]}}]}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (path("/a"), []),
        (path("", "ImplementationSpecific"), []),
        (path("a", "ImplementationSpecific"), [(f"{P}.path", "Invalid")]),
        (path("/a//b"), [(f"{P}.path", "Invalid")]),
        (path("/a/.."), [(f"{P}.path", "Invalid")]),
        (path("/a", None), [(f"{P}.pathType", "Required")]),
        (path("/a", "X"), [(f"{P}.pathType", "NotSupported")]),
        (path("/a", backend={}), [(f"{P}.backend", "Required")]),
        (path("/a", backend={**BACKEND, "resource": {}}), [(f"{P}.backend", "Invalid")]),
        (
            path("/a", backend={"resource": {}}),
            [(f"{P}.backend.resource.kind", "Required"), (f"{P}.backend.resource.name", "Required")],
        ),
        (
            path("/a", backend={"service": {"name": "1s", "port": {"name": "a", "number": 1}}}),
            [(f"{P}.backend.service.name", "Invalid"), (f"{P}.backend", "Invalid")],
        ),
        (
            path("/a", backend={"service": {"name": "s", "port": {"number": 70000}}}),
            [(f"{P}.backend.service.port.number", "Invalid")],
        ),
        ({"spec.rules": [{"host": "10.0.0.1"}]}, [("spec.rules[0].host", "Invalid")]),
        ({"spec.rules": [{"host": "*.example.com"}]}, []),
        ({"spec.rules": [{"http": {}}]}, [("spec.rules[0].http.paths", "Required")]),
        (
            {"spec.tls": [{"hosts": ["A_"], "secretName": "B_"}]},
            [("spec.tls[0].hosts[0]", "Invalid"), ("spec.tls[0].secretName", "Invalid")],
        ),
        ({"spec.ingressClassName": "A_"}, [("spec.ingressClassName", "Invalid")]),
    ],
)
def test_faults_of_an_ingress(changes, faults):
    assert new_faults(INGRESSES, changes) == faults


def test_parameters_are_of_the_cluster_unless_they_say_otherwise():
    assert made(CLASSES, {"spec.parameters": {"kind": "K", "name": "n"}})["spec"]["parameters"]["scope"] == "Cluster"


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.controller": ""}, [("spec.controller", "Required")]),
        ({"spec.controller": "plain"}, [("spec.controller", "Invalid")]),
        ({"spec.controller": "a.b/" + "c" * 250}, [("spec.controller", "Invalid")]),
        ({"spec.parameters": {}}, [("spec.parameters.kind", "Required"), ("spec.parameters.name", "Required")]),
        (
            {"spec.parameters": {"kind": "K", "name": "n", "scope": "Namespace"}},
            [("spec.parameters.namespace", "Required")],
        ),
        (
            {"spec.parameters": {"kind": "K", "name": "n", "scope": "Cluster", "namespace": "d"}},
            [("spec.parameters.namespace", "Forbidden")],
        ),
        ({"spec.parameters": {"kind": "K", "name": "n", "scope": "X"}}, [("spec.parameters.scope", "NotSupported")]),
    ],
)
def test_faults_of_an_ingress_class(changes, faults):
    assert new_faults(CLASSES, changes) == faults


def test_a_class_stays_with_its_controller():
    assert update_faults(CLASSES, {"spec.controller": "example.com/other"}) == [("spec.controller", "Invalid")]
