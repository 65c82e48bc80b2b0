import pytest

from minikube_py.api.cel.values import Budget, CelError, Timestamp
from minikube_py.api.custom.rows import rows_of
from minikube_py.api.resources import DEPLOYMENTS, SECRETS
from minikube_py.apiserver.admission_values import VARIABLES, LazyVariables, object_value
from minikube_py.testing.custom_objects import a_served_definition, a_widget


def test_objects_have_the_types_of_their_schema():
    secret = {"metadata": {"name": "s", "creationTimestamp": "1970-01-01T00:00:01Z"}, "data": {"a": "Yg=="}}
    seen = object_value(secret, SECRETS)
    assert seen["metadata"]["creationTimestamp"] == Timestamp(10**9)
    assert seen["data"]["a"] == b"Yg=="
    deployment = {"spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "c"}]}}}}
    assert object_value(deployment, DEPLOYMENTS) == deployment
    assert object_value(None, DEPLOYMENTS) is None


def test_of_custom_objects_all_metadata_is_seen():
    (row,) = rows_of(a_served_definition())
    widget = a_widget(size=1)
    widget["metadata"] |= {"labels": {"a": "b"}, "creationTimestamp": "1970-01-01T00:00:01Z"}
    seen = object_value(widget, row)
    assert seen["metadata"]["labels"] == {"a": "b"}
    assert seen["metadata"]["creationTimestamp"] == Timestamp(10**9)


def variables(*declared):
    scope = dict.fromkeys(VARIABLES) | {"object": {"n": 2}}
    rows = [{"name": name, "expression": expression} for name, expression in declared]
    return LazyVariables(rows, scope, Budget(1000))


def test_variables_are_evaluated_when_they_are_asked_for_and_see_one_another():
    made = variables(("a", "object.n + 1"), ("b", "variables.a * 2"), ("broken", "1 / 0"))
    assert made["b"] == 6
    assert "broken" in made
    assert list(made) == ["a", "b", "broken"]
    assert len(made) == 3


@pytest.mark.parametrize("expression", ["1 / 0", "1 +", "variables.self"])
def test_a_variable_without_a_value_fails_who_asks(expression):
    made = variables(("self", expression))
    with pytest.raises(CelError, match="composited variable 'self' fails to|cyclic reference"):
        made["self"]
