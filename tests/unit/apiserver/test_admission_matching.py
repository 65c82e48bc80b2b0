import pytest

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.resources import CONFIGMAPS, DEPLOYMENTS, NAMESPACES, NODES, PODS
from minikube_py.api.table.admissionregistration_v1 import VALIDATING_WEBHOOKS
from minikube_py.apiserver.admission import Attributes
from minikube_py.apiserver.admission_matching import covered_row, is_exempt, matched_row, matches_selectors
from minikube_py.apiserver.users import LOOPBACK
from minikube_py.testing.custom_objects import a_served_definition, a_version

RULE = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "*"}


def asked(resource=PODS, operation="CREATE", subresource="", namespace="n", name="x"):
    return Attributes(operation, resource, subresource, namespace if resource.namespaced else "", name, LOOPBACK)


def alone(row):
    return (row,)


@pytest.mark.parametrize(
    ("change", "attributes", "matches"),
    [
        ({}, asked(), True),
        ({}, asked(operation="UPDATE"), False),
        ({"operations": ["*"]}, asked(operation="DELETE"), True),
        ({}, asked(CONFIGMAPS), False),
        ({"apiGroups": ["apps"]}, asked(), False),
        ({"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}, asked(DEPLOYMENTS), True),
        ({"resources": ["*"]}, asked(subresource="status"), False),
        ({"resources": ["*/*"]}, asked(subresource="status"), True),
        ({"resources": ["*/*"]}, asked(), True),
        ({"resources": ["pods/status"]}, asked(subresource="status"), True),
        ({"resources": ["pods/status"]}, asked(), False),
        ({"resources": ["pods/*"]}, asked(subresource="scale"), True),
        ({"resources": ["*/scale"]}, asked(subresource="scale"), True),
        ({"scope": "Namespaced"}, asked(), True),
        ({"scope": "Cluster"}, asked(), False),
        ({"scope": "Cluster", "resources": ["nodes"]}, asked(NODES), True),
        ({"resourceNames": ["y"]}, asked(), False),
        ({"resourceNames": ["x"]}, asked(), True),
    ],
)
def test_a_rule_matches_what_it_names(change, attributes, matches):
    assert (matched_row([RULE | change], "Exact", attributes, alone) is not None) is matches


def test_an_equivalent_version_matches_unless_it_must_be_exact():
    newer, older = rows_of(a_served_definition(versions=(a_version("v1"), a_version("v2", storage=False))))
    rules = [RULE | {"apiGroups": ["ex.io"], "apiVersions": ["v2"], "resources": ["widgets"]}]
    both = lambda row: (older, newer)  # noqa: E731
    assert matched_row(rules, "Equivalent", asked(older), both) is newer
    assert matched_row(rules, "Exact", asked(older), both) is None


def labelled(**labels):
    return {"metadata": {"labels": labels}}


def test_selectors_look_at_the_object_and_at_its_namespace():
    by_object = {"objectSelector": {"matchLabels": {"a": "1"}}}
    assert matches_selectors(by_object, asked(), labelled(), (labelled(a="1"), None))
    assert matches_selectors(by_object, asked(), labelled(), (labelled(), labelled(a="1")))
    assert not matches_selectors(by_object, asked(), labelled(a="1"), (labelled(), None))
    by_namespace = {"namespaceSelector": {"matchLabels": {"a": "1"}}, "objectSelector": {}}
    assert matches_selectors(by_namespace, asked(), labelled(a="1"), (labelled(), None))
    assert not matches_selectors(by_namespace, asked(), labelled(), (labelled(a="1"), None))
    assert matches_selectors(by_namespace, asked(NODES), None, (labelled(), None))
    assert matches_selectors(by_namespace, asked(NAMESPACES), None, (labelled(a="1"), None))
    assert not matches_selectors(by_namespace, asked(NAMESPACES), None, (labelled(), None))


def test_a_policy_covers_what_its_constraints_say():
    objects = (labelled(), None)
    assert covered_row(None, asked(), labelled(), objects, alone)
    assert covered_row({}, asked(), labelled(), objects, alone)
    assert covered_row({"resourceRules": [RULE]}, asked(), labelled(), objects, alone)
    assert not covered_row({"resourceRules": [RULE]}, asked(CONFIGMAPS), labelled(), objects, alone)
    excluding = {"resourceRules": [RULE], "excludeResourceRules": [RULE | {"resourceNames": ["x"]}]}
    assert not covered_row(excluding, asked(), labelled(), objects, alone)
    assert covered_row(excluding, asked(name="y"), labelled(), objects, alone)


def test_configuring_admission_is_exempt():
    assert is_exempt(asked(VALIDATING_WEBHOOKS))
    assert not is_exempt(asked())
