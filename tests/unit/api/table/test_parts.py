"""Readers of fields, and rules that are loaded late."""

import pytest

from minikube_py.api.resources import RESOURCES
from minikube_py.api.rules import rbac
from minikube_py.api.table.parts import rules_in, select, select_flag, select_number
from minikube_py.testing.least_objects import MINIMAL, least_object


def test_a_field_that_is_absent_reads_as_empty_zero_or_false():
    texts, numbers, flags = select("a.b"), select_number("a.b"), select_flag("a.b")

    assert [s["a.b"]({}) for s in (texts, numbers, flags)] == ["", "0", "false"]
    assert [s["a.b"]({"a": {"b": 1}}) for s in (texts, numbers)] == ["1", "1"]
    assert flags["a.b"]({"a": {"b": True}}) == "true"
    assert texts["a.b"]({"a": "no object"}) == ""


def test_rules_that_are_loaded_late_are_those_of_their_module():
    role = {"metadata": {"name": "r"}, "rules": [{"verbs": []}]}

    assert rules_in("rbac", "ROLE_RULES").validate(role) == rbac.ROLE_RULES.validate(role) != ()


@pytest.mark.parametrize(
    "resource", [r for r in RESOURCES if not r.computed], ids=lambda r: f"{r.qualified}-{r.version}"
)
def test_the_rules_of_every_row_accept_its_least_object_and_its_update(resource):
    obj = least_object(resource)
    obj["metadata"]["uid"] = "u"
    resource.rules.set_defaults(obj)
    resource.rules.prepare_create(obj)

    assert resource.rules.validate(obj) == ()
    again = least_object(resource) | {"metadata": dict(obj["metadata"])} | {k: obj[k] for k in obj if k != "metadata"}
    resource.rules.set_defaults(again)
    resource.rules.prepare_update(again, obj)
    assert again == obj
    assert resource.rules.validate_update(again, obj) == ()


def test_every_row_has_a_least_object_and_no_other():
    assert set(MINIMAL) == {r.qualified for r in RESOURCES} - {
        "componentstatuses",
        "nodes.metrics.k8s.io",
        "pods.metrics.k8s.io",
    }
