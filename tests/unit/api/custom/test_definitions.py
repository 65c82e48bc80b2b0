import pytest

from minikube_py.api.custom.definitions import CUSTOM_RESOURCE_DEFINITION_RULES as RULES
from minikube_py.api.custom.definitions import check_default
from minikube_py.api.meta import copy_object
from minikube_py.api.rules.apiextensions import validate_status
from minikube_py.testing.custom_objects import a_served_definition, a_version


@pytest.mark.parametrize(
    ("default", "node", "expected"),
    [
        (1, {"type": "integer"}, []),
        ("x", {"type": "integer"}, ["p.default"]),
        (None, {"type": "string"}, ["p.default"]),
        (None, {"type": "string", "nullable": True}, []),
        ({"a": 1, "b": 2}, {"type": "object", "properties": {"a": {"type": "integer"}}}, ["p.default"]),
        ({}, {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "default": 1}}}, []),
    ],
    ids=str,
)
def test_a_default_must_be_what_could_be_stored(default, node, expected):
    assert [fault.field for fault in check_default(default, node, "p.default")] == expected


def test_a_good_definition_has_no_faults():
    crd = a_served_definition()
    assert RULES.validate(crd) == ()
    assert RULES.validate_update(copy_object(crd), crd) == ()


def test_a_default_that_does_not_fit_refuses_the_definition():
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"n": {"type": "integer", "default": "x"}}}},
    }
    crd = a_served_definition(versions=(a_version(schema=schema),))
    assert [fault.field for fault in RULES.validate(crd)] == [
        "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[n].default"
    ]


def test_stored_versions_stay_in_the_spec():
    crd = a_served_definition()
    changed = copy_object(crd)
    changed["status"]["storedVersions"] = ["v0"]
    assert [str(fault) for fault in validate_status(changed, crd)] == [
        'status.storedVersions[0]: Invalid value: "v0": must appear in spec.versions'
    ]
