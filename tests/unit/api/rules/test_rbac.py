"""Roles and bindings."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import made, new_faults, update_faults

G = "rbac.authorization.k8s.io"
ROLES = find_resource(G, "v1", "roles")
CLUSTER_ROLES = find_resource(G, "v1", "clusterroles")
BINDINGS = find_resource(G, "v1", "rolebindings")
CLUSTER_BINDINGS = find_resource(G, "v1", "clusterrolebindings")


def subject(**fields):
    return {"subjects": [fields]}


def test_names_may_be_anything_that_fits_into_a_path():
    assert new_faults(ROLES, {"metadata.name": "system:Reader"}) == []
    assert new_faults(ROLES, {"metadata.name": "a/b"}) == [("metadata.name", "Invalid")]


def test_users_and_groups_are_of_the_group_unless_they_say_otherwise():
    given = [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "d"}]
    binding = made(BINDINGS, {"subjects": given, "roleRef": {"kind": "Role", "name": "r"}})

    assert binding["roleRef"]["apiGroup"] == G
    assert [s.get("apiGroup") for s in binding["subjects"]] == [G, None]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"aggregationRule": {}}, [("aggregationRule.clusterRoleSelectors", "Required")]),
        (
            {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a b": ""}}]}},
            [("aggregationRule.clusterRoleSelectors[0].matchLabels", "Invalid")],
        ),
        ({"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]}, []),
        (
            {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["pods"]}]},
            [("rules[0].nonResourceURLs", "Invalid")],
        ),
    ],
)
def test_faults_of_a_cluster_role(changes, faults):
    assert new_faults(CLUSTER_ROLES, changes) == faults


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (subject(kind="ServiceAccount", name="s"), [("subjects[0].namespace", "Required")]),
        (
            subject(kind="ServiceAccount", name="A_", namespace="d", apiGroup="x"),
            [("subjects[0].name", "Invalid"), ("subjects[0].apiGroup", "NotSupported")],
        ),
        (subject(kind="Group", name="g", apiGroup="x"), [("subjects[0].apiGroup", "NotSupported")]),
        ({"roleRef.name": "a/b"}, [("roleRef.name", "Invalid")]),
    ],
)
def test_faults_of_a_binding(changes, faults):
    assert new_faults(BINDINGS, changes) == faults


def test_a_cluster_binding_binds_cluster_roles_only():
    assert new_faults(CLUSTER_BINDINGS, {"roleRef.kind": "Role"}) == [("roleRef.kind", "NotSupported")]
    assert update_faults(CLUSTER_BINDINGS, {"roleRef.name": "other"}) == [("roleRef", "Invalid")]
    assert update_faults(CLUSTER_BINDINGS, subject(kind="User", name="u")) == []
