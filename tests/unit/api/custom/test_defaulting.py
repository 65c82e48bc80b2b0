import pytest

from minikube_py.api.custom.defaulting import has_defaults, set_defaults

SPEC = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "default": 3},
                "maybe": {"type": "string", "nullable": True, "default": "x"},
                "plain": {"type": "string"},
                "inner": {
                    "type": "object",
                    "default": {},
                    "properties": {"deep": {"type": "string", "default": "d"}},
                },
                "rows": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"port": {"type": "integer", "default": 80}}},
                },
                "named": {
                    "type": "object",
                    "additionalProperties": {"type": "object", "properties": {"on": {"default": True}}},
                },
            },
        }
    },
}
FILLED = {"size": 3, "maybe": "x", "inner": {"deep": "d"}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"spec": {}}, {"spec": FILLED}),
        ({"spec": {"size": None, "maybe": None, "plain": None}}, {"spec": FILLED | {"maybe": None}}),
        ({"spec": {"rows": [{}, {"port": 1}]}}, {"spec": FILLED | {"rows": [{"port": 80}, {"port": 1}]}}),
        ({"spec": {"named": {"a": {}}}}, {"spec": FILLED | {"named": {"a": {"on": True}}}}),
        ({"spec": {"size": 0}}, {"spec": FILLED | {"size": 0}}),
    ],
    ids=["absent parent", "empty parent", "nulls", "lists", "maps", "zero is given"],
)
def test_defaults_are_set_in_what_is_there(given, expected):
    set_defaults(given, SPEC)
    assert given == expected


def test_defaults_are_not_shared_between_objects():
    first, second = {"spec": {}}, {"spec": {}}
    set_defaults(first, SPEC)
    first["spec"]["inner"]["deep"] = "changed"
    set_defaults(second, SPEC)
    assert second["spec"]["inner"] == {"deep": "d"}


def test_a_schema_knows_whether_it_has_defaults():
    assert has_defaults(SPEC)
    assert not has_defaults({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}})
