import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minikube_py.api.decode_check import checker
from minikube_py.api.decode_walk import Pairs, TypeFaultError, plain, walk
from minikube_py.api.schema import schema_of

POD = schema_of("v1", "Pod")


def test_pairs_keep_what_a_dict_would_lose():
    pairs = json.loads('{"metadata":{"name":"a","name":"b"}}', object_pairs_hook=Pairs)
    clean, findings = walk(POD, pairs)

    assert clean == {"metadata": {"name": "b"}}
    assert findings == ('duplicate field "metadata.name"',)


def test_plain_turns_pairs_into_dicts_at_every_depth():
    pairs = json.loads('{"a":[{"b":1,"b":2}]}', object_pairs_hook=Pairs)

    assert plain(pairs) == {"a": [{"b": 2}]}


def test_what_is_not_looked_into_is_kept_whole():
    fields = {"f:spec": {".": {}, "f:x": None}}
    clean, findings = walk(POD, {"metadata": {"managedFields": [{"fieldsV1": fields}]}, "bogus": 1})

    assert clean["metadata"]["managedFields"][0]["fieldsV1"] == fields
    assert findings == ('unknown field "bogus"',)


def test_a_null_element_becomes_the_zero_value():
    clean, _ = walk(POD, {"spec": {"containers": [None], "tolerations": None}})

    assert clean == {"spec": {"containers": [{}]}}


def test_a_wrong_type_names_the_field_without_indices():
    with pytest.raises(TypeFaultError, match=r"field Container\.spec\.containers\.image of type string"):
        walk(POD, {"spec": {"containers": [{"image": 5}]}})


KEYS = st.sampled_from(
    ["metadata", "spec", "status", "name", "labels", "creationTimestamp", "managedFields", "fieldsV1", "containers"]
    + [
        "image",
        "env",
        "value",
        "resources",
        "limits",
        "cpu",
        "ports",
        "containerPort",
        "volumes",
        "secret",
        "optional",
    ]
    + ["conditions", "httpGet", "port", "livenessProbe", "hostNetwork", "priority", "bogus"]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "x", "1", "100m", "1024Mi", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5+02:00", "YQ=="]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)


@settings(max_examples=40)
@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_what_comes_out_needs_no_more_mending(obj):
    try:
        clean, _ = walk(POD, obj)
    except TypeFaultError:
        return

    assert checker(POD)(clean)
    assert walk(POD, clean) == (clean, ())
