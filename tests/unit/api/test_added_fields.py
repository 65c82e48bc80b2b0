"""The fields of a new object, against a comparison of it with nothing."""

from random import Random

import pytest

from minikube_py.api.added_fields import added_fields
from minikube_py.api.field_paths import encode_fields
from minikube_py.api.resources import RESOURCES
from minikube_py.api.schema import schema_of
from minikube_py.api.typed_walk import WalkError, compare

SCALARS = ["a", "b", 0, 1, "", False]
SCHEMAS = {resource.api_version + " " + resource.kind: resource.schema for resource in RESOURCES}


def some_value(schema, rng, depth):
    """Return a value that may or may not be filled, in which list elements may be there twice."""
    if schema is None or schema.type == "any":
        return rng.choice([{"free": {"k": "v", "e": {}}}, [1, {"a": 1}], "text", {}])
    if schema.type == "object":
        names = [name for name in sorted(schema.fields) if depth and rng.random() < 0.6]
        return {name: some_value(schema.fields[name].schema, rng, depth - 1) for name in names}
    if schema.type == "map":
        return {key: some_value(schema.item, rng, depth - 1) for key in ("k", "l") if depth and rng.random() < 0.6}
    if schema.type == "list":
        return some_list(schema, rng, depth)
    return rng.choice(SCALARS)


def some_list(schema, rng, depth):
    items = [some_value(schema.item, rng, depth - 1) for _ in range(rng.randint(0, 2))] if depth else []
    for item in items:
        for key in (*schema.list_map_keys, schema.merge_key):
            if key and isinstance(item, dict):
                item[key] = rng.choice("abc")
    return items


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_they_are_what_a_comparison_with_nothing_finds(kind):
    rng = Random(kind)
    for _ in range(5):
        obj = some_value(SCHEMAS[kind], rng, 5) | {"kind": kind}

        assert added_fields(obj, SCHEMAS[kind]) == encode_fields(compare({}, obj, SCHEMAS[kind]).taken)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"containers": []},
        {"containers": None},
        {"containers": "x"},
        {"volumes": {}},
        {"nodeSelector": []},
        [],
        "x",
    ],
    ids=str,
)
def test_values_that_do_not_fit_are_fields_as_a_whole(spec):
    pod = schema_of("v1", "Pod")
    obj = {"spec": spec, "unknown": {"a": 1}}

    assert added_fields(obj, pod) == encode_fields(compare({}, obj, pod).taken)


def test_an_element_without_its_key_is_a_fault():
    with pytest.raises(WalkError):
        added_fields({"spec": {"containers": [{"image": "i"}]}}, schema_of("v1", "Pod"))
