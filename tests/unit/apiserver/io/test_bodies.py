import pytest

from minikube_py.api.decode import Expected
from minikube_py.api.errors import BadRequestError, TooLargeError, UnsupportedMediaTypeError
from minikube_py.api.value_count import VALUES_MAX
from minikube_py.apiserver.io.bodies import decode_body, decode_options, parse_patch, repeated_keys

MAP = Expected("v1", "ConfigMap")
LIMIT = 1000


def test_a_body_is_read_by_its_media_type():
    text = b"metadata: {name: x}\ndata: {a: b}\ndata: {a: c}"
    decoded = decode_body(text, "application/yaml", MAP, "Warn")
    assert decoded.obj["data"] == {"a": "c"}
    assert decoded.warnings == ('key "data" already set in map',)
    assert (decode_body(b'{"metadata":{"name":"x"}}', "", MAP, "Warn")).obj["kind"] == "ConfigMap"
    with pytest.raises(BadRequestError, match="not a mapping"):
        decode_body(b"[1]", "application/yaml", MAP, "Warn")


def test_delete_options_may_be_missing():
    options = Expected("v1", "DeleteOptions")
    assert decode_options(b"", "", options) is None
    given = decode_options(b'{"gracePeriodSeconds":5}', "application/json", options)
    assert given is not None
    assert given["gracePeriodSeconds"] == 5


@pytest.mark.parametrize(
    ("media", "body", "patch"),
    [
        ("application/json-patch+json", b'[{"op":"remove","path":"/a"}]', [{"op": "remove", "path": "/a"}]),
        ("application/merge-patch+json", b'{"a":null}', {"a": None}),
        ("application/apply-patch+yaml", b"a: b", {"a": "b"}),
        ("application/apply-patch+yaml", b'{"a":"b"}', {"a": "b"}),
    ],
)
def test_a_patch_is_read_by_its_media_type(media, body, patch):
    assert parse_patch(body, media, LIMIT) == patch


@pytest.mark.parametrize(
    ("media", "body", "error"),
    [
        ("application/json", b"{}", UnsupportedMediaTypeError),
        ("", b"{}", UnsupportedMediaTypeError),
        ("application/merge-patch+json", b"{", BadRequestError),
        ("application/merge-patch+json", b"[1]", BadRequestError),
        ("application/apply-patch+yaml", b"a: [", BadRequestError),
    ],
)
def test_a_patch_that_is_none_is_refused(media, body, error):
    with pytest.raises(error):
        parse_patch(body, media, LIMIT)


MANY = b'{"data":{"a":[' + b"1," * VALUES_MAX + b"1]}}"


@pytest.mark.parametrize("media", ["application/merge-patch+json", "application/apply-patch+yaml"])
def test_a_patch_with_more_values_than_an_object_may_have_is_refused(media):
    with pytest.raises(TooLargeError):
        parse_patch(MANY, media, len(MANY))


def test_a_body_with_more_values_than_an_object_may_have_is_refused():
    with pytest.raises(TooLargeError):
        decode_body(MANY, "application/json", MAP, "Warn")


@pytest.mark.parametrize(
    ("configuration", "keys"),
    [
        (b'{"data":{"a":"1"},"metadata":{"a":"2"}}', ()),
        (b'{"data":{"a":"1","b":"2","a":"3"}}', ('key "a" already set in map',)),
        (b"data: {a: 1, a: 2}", ('key "a" already set in map',)),
        (b"data:\n  a: 1\n", ()),
    ],
)
def test_keys_that_stand_twice_in_an_applied_configuration_are_found(configuration, keys):
    assert repeated_keys(configuration) == keys


def test_a_configuration_that_is_too_deep_is_refused():
    with pytest.raises(BadRequestError, match="exceeded max depth"):
        repeated_keys(b'{"a":' * 50_000 + b"1" + b"}" * 50_000)
