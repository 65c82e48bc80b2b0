import pytest

from minikube_py.api.decode import Expected
from minikube_py.api.errors import BadRequestError, UnsupportedMediaTypeError
from minikube_py.apiserver.io.bodies import decode_body, decode_options, dump_yaml, parse_patch, parse_yaml

MAP = Expected("v1", "ConfigMap")
LIMIT = 1000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"a: 1\nb: [x, 2.5, true, null]", {"a": 1, "b": ["x", 2.5, True, None]}),
        (b"when: 2026-01-01", {"when": "2026-01-01"}),
        (b"1: x\ntrue: y\nnull: z", {"1": "x", "true": "y", "null": "z"}),
        (b"a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        (b"a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        (b"", None),
    ],
)
def test_yaml_reads_as_json_values(text, value):
    assert parse_yaml(text).value == value


def test_a_key_that_stands_twice_is_told():
    parsed = parse_yaml(b"a: 1\nb: {c: 1, c: 2}\na: 3")
    assert parsed.value == {"a": 3, "b": {"c": 2}}
    assert sorted(parsed.repeated) == ['key "a" already set in map', 'key "c" already set in map']


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"a: [b", "yaml: line"),
        (b"kind: x\n\ty: z", "tab character"),
        (b"a: !!python/object:os.system {}", "could not determine a constructor"),
        (b"a: !!binary eA==", "has no meaning in JSON"),
    ],
)
def test_what_is_not_yaml_or_not_json_is_refused(text, why):
    with pytest.raises(ValueError, match=why):
        parse_yaml(text)


def test_a_document_that_grows_through_aliases_is_refused():
    levels = [b"a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    for level in range(1, 8):
        row = b",".join([b"*a%d" % (level - 1)] * 10)
        levels.append(b"a%d: &a%d [%s]" % (level, level, row))
    with pytest.raises(ValueError, match="excessive aliasing"):
        parse_yaml(b"\n".join(levels), nodes_max=10_000)


async def test_a_body_is_read_by_its_media_type():
    text = b"metadata: {name: x}\ndata: {a: b}\ndata: {a: c}"
    decoded = await decode_body(text, "application/yaml", MAP, "Warn")
    assert decoded.obj["data"] == {"a": "c"}
    assert decoded.warnings == ('key "data" already set in map',)
    assert (await decode_body(b'{"metadata":{"name":"x"}}', "", MAP, "Warn")).obj["kind"] == "ConfigMap"
    with pytest.raises(BadRequestError, match="not a mapping"):
        await decode_body(b"[1]", "application/yaml", MAP, "Warn")


async def test_delete_options_may_be_missing():
    options = Expected("v1", "DeleteOptions")
    assert await decode_options(b"", "", options) is None
    given = await decode_options(b'{"gracePeriodSeconds":5}', "application/json", options)
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
async def test_a_patch_is_read_by_its_media_type(media, body, patch):
    assert await parse_patch(body, media, LIMIT) == patch


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
async def test_a_patch_that_is_none_is_refused(media, body, error):
    with pytest.raises(error):
        await parse_patch(body, media, LIMIT)


def test_answers_can_be_yaml():
    obj = {"b": 1, "a": ["x", "yes"]}
    assert parse_yaml(dump_yaml(obj)).value == obj


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b"- " * 100_000, b"{a: " * 100_000, b"? " * 100_000, b"a: &a [*a]"],
    ids=["flow", "sequences", "maps", "keys", "an alias that holds itself"],
)
def test_what_goes_too_deep_is_refused_before_it_is_built(body):
    with pytest.raises(ValueError, match="yaml: "):
        parse_yaml(body)


def test_a_flat_document_may_be_long():
    body = b"\n".join(b"- a: [x, {y: z}]" for _ in range(2000))

    assert len(parse_yaml(body).value) == 2000
