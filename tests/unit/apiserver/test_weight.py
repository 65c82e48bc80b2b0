import pytest

from minikube_py.api.decode import BODY_BYTES_MAX
from minikube_py.api.errors import TooLargeError
from minikube_py.api.value_count import OBJECT_VALUES_MAX, VALUES_MAX
from minikube_py.apiserver.weight import OBJECT_BYTES_MAX, check_object, heavy_bytes, is_heavy

YAML, PROTOBUF = "application/yaml", "application/vnd.kubernetes.protobuf"
APPLY, JSON_PATCH = "application/apply-patch+yaml", "application/json-patch+json"
COPIES = b"[" + b'{"op":"copy","from":"/a","path":"/b"},' * 13 + b'{"op":"copy","from":"/a","path":"/b"}]'
POD = b'{"a":[{"b":"c","d":"e"}]}' * 100


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", ""),
        (POD, "application/json"),
        (b"x" * 100_000, "application/json"),
        (b"a: b", YAML),
        (b'{"a":"' + b"b" * 1000 + b'"}', APPLY),
        (POD, PROTOBUF),
        (b'[{"op":"add","path":"/a","value":1}]' * 10, JSON_PATCH),
    ],
)
def test_small_bodies_are_light(body, content_type):
    assert not is_heavy(body, content_type)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[" + b"{}," * 1000 + b"{}]", ""),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, ""),
        (b"[" * 1000 + b"]" * 1000, ""),
        (b"x" * 1_000_000, "application/json"),
        (b"a: b\n" * 100, YAML + "; charset=utf-8"),
        (b"a: &a [x]\nb: [*a,*a]", YAML),
        (b"a: b\n" * 100, APPLY),
        (b"{a: b, c: " + b"d" * 300 + b"}", APPLY),
        (b"\x12\x00" * 5000, PROTOBUF),
        (b'[{"op":"copy","from":"/a","path":"/b"}]' * 10, JSON_PATCH),
    ],
    ids=["values", "depth", "lists", "bytes", "YAML", "aliases", "apply", "flow", "protobuf", "copies"],
)
def test_what_has_many_values_is_heavy_however_short_it_is(body, content_type):
    assert is_heavy(body, content_type)


@pytest.mark.parametrize(
    "value", [b'"' + b"x" * OBJECT_BYTES_MAX + b'"', b"[" * (OBJECT_VALUES_MAX + 1)], ids=["bytes", "values"]
)
def test_an_object_that_has_grown_too_large_is_not_stored(value):
    with pytest.raises(TooLargeError, match="the object has more than"):
        check_object(value)


def test_an_object_that_may_be_stored_is_returned():
    assert check_object(POD) is POD


@pytest.mark.parametrize(
    ("body", "content_type", "counted"),
    [
        (POD, "", 0),
        (b"x" * 1_000_000, "", 1_000_000),
        (b"," * VALUES_MAX, "", BODY_BYTES_MAX),
        (COPIES, JSON_PATCH, BODY_BYTES_MAX + 56 * BODY_BYTES_MAX // VALUES_MAX),
    ],
    ids=["light", "bytes", "values", "copies"],
)
def test_a_heavy_body_counts_for_its_bytes_or_its_values_and_for_what_it_may_grow_to(body, content_type, counted):
    assert heavy_bytes(body, content_type) == counted
