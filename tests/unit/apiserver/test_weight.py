import pytest

from minikube_py.apiserver.weight import is_heavy

YAML, PROTOBUF = "application/yaml", "application/vnd.kubernetes.protobuf"
APPLY, JSON_PATCH = "application/apply-patch+yaml", "application/json-patch+json"
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
