import pytest

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.decode import decode_object, expected_of
from minikube_py.api.errors import BadRequestError, UnsupportedMediaTypeError
from minikube_py.testing.custom_objects import a_served_definition

(WIDGETS,) = rows_of(a_served_definition())
EXPECTED = expected_of(WIDGETS)
HEAD = b'"apiVersion":"ex.io/v1","kind":"Widget"'


def test_what_nobody_knows_is_warned_of_and_goes():
    body = b'{%s,"metadata":{"name":"a","bogus":1},"spec":{"size":1,"size":2,"wrong":true}}' % HEAD
    decoded = decode_object(body, "application/json", EXPECTED)
    assert decoded.obj["spec"] == {"size": 2}
    assert decoded.obj["metadata"] == {"name": "a"}
    assert decoded.warnings == (
        'duplicate field "spec.size"',
        'unknown field "metadata.bogus"',
        'unknown field "spec.wrong"',
    )


def test_strict_validation_refuses_it():
    with pytest.raises(BadRequestError) as refused:
        decode_object(b'{%s,"spec":{"wrong":1}}' % HEAD, "application/json", EXPECTED, "Strict")
    assert refused.value.message == (
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.wrong"'
    )


def test_metadata_must_be_as_metadata_is():
    with pytest.raises(BadRequestError, match="cannot unmarshal"):
        decode_object(b'{%s,"metadata":{"labels":{"a":1}}}' % HEAD, "application/json", EXPECTED)
    with pytest.raises(BadRequestError, match="cannot unmarshal"):
        decode_object(b'{%s,"metadata":[]}' % HEAD, "application/json", EXPECTED)


def test_values_are_left_to_validation():
    decoded = decode_object(b'{%s,"spec":{"size":"x","color":null}}' % HEAD, "application/json", EXPECTED)
    assert decoded.obj["spec"] == {"size": "x", "color": None}


def test_there_is_no_protobuf_of_custom_resources():
    with pytest.raises(UnsupportedMediaTypeError):
        decode_object(b"k8s\0", "application/vnd.kubernetes.protobuf", EXPECTED)
