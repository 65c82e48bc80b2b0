import pytest

from minikube_py.api.value_count import VALUES_MAX
from minikube_py.apiserver.io import yaml_values
from minikube_py.apiserver.io.yaml_values import ALIASED_BYTES_MAX, NESTING_MAX, REPEATED_MAX, dump_yaml, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"a: 1\nb: [x, 2.5, true, null]", {"a": 1, "b": ["x", 2.5, True, None]}),
        (b"when: 2026-01-01", {"when": "2026-01-01"}),
        (b"1: x\ntrue: y\nnull: z", {"1": "x", "true": "y", "null": "z"}),
        (b"a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        (b"a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        (b"a: &x {b: 1}\nc: {<<: [*x, {e: 3, b: 4}], d: 2}", {"a": {"b": 1}, "c": {"d": 2, "b": 1, "e": 3}}),
        (b"a: 0x1F\nb: '1'\nc: !!str 2\nd: !!int '3'\n=: =", {"a": 31, "b": "1", "c": "2", "d": 3, "=": "="}),
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
        (b"a: *x", "undefined alias"),
        (b"{[a]: b}", "unhashable key"),
        (b"a: 1\n---\nb: 2", "single document"),
        (b"a: {<<: 1}", "map merge requires"),
        (b"a: !!int x", "cannot decode"),
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
    with pytest.raises(ValueError, match=f"more than {VALUES_MAX} values"):
        parse_yaml(b"\n".join(levels))


def test_the_values_that_aliases_add_count_however_short_they_are():
    ones = b",".join([b"1"] * 1000)
    aliases = b",".join([b"*x"] * (VALUES_MAX // 1000))

    with pytest.raises(ValueError, match=f"more than {VALUES_MAX} values"):
        parse_yaml(b"a: &x [" + ones + b"]\nb: [" + aliases + b"]")


@pytest.mark.parametrize("line", [b"- x\n", b"- []\n", b"- {}\n", b"- [{}]\n", b"- {a: b}\n"])
def test_a_document_has_so_many_values_and_no_more(line, monkeypatch):
    """Without aliases the bound is too far away for a quick test: two hundred values stand for it."""
    monkeypatch.setattr(yaml_values, "VALUES_MAX", 200)
    assert len(parse_yaml(line * 50).value) == 50

    with pytest.raises(ValueError, match="more than 200 values"):
        parse_yaml(line * 210)


def test_answers_can_be_yaml():
    obj = {"b": 1, "a": ["x", "yes"]}
    assert parse_yaml(dump_yaml(obj)).value == obj


@pytest.mark.parametrize(
    ("opening", "why"),
    [(b"[", "max depth"), (b"- ", "max depth"), (b"{a: ", "max depth"), (b"? ", "unhashable key")],
    ids=["flow", "sequences", "maps", "keys"],
)
@pytest.mark.parametrize("levels", [NESTING_MAX + 1, 100_000])
def test_what_goes_too_deep_is_refused_before_it_is_built(opening, why, levels):
    with pytest.raises(ValueError, match=why):
        parse_yaml(opening * levels)


def test_an_alias_that_holds_itself_is_refused():
    with pytest.raises(ValueError, match="anchor 'a' holds itself"):
        parse_yaml(b"a: &a [*a]")


def test_a_flat_document_may_be_long():
    body = b"\n".join(b"- a: [x, {y: z}]" for _ in range(2000))

    assert len(parse_yaml(body).value) == 2000


def test_an_alias_is_a_copy_since_objects_are_changed_in_place():
    value = parse_yaml(b"a: &x {b: [1]}\nc: *x").value

    value["a"]["b"].append(2)

    assert value["c"] == {"b": [1]}


def test_aliases_of_a_long_text_are_counted_by_its_length():
    aliases = b", ".join([b"*x"] * 4)
    text = b"a: &x '" + b"y" * (ALIASED_BYTES_MAX // 4) + b"'\nb: [" + aliases + b"]"

    with pytest.raises(ValueError, match="excessive aliasing"):
        parse_yaml(text)


def test_of_repeated_keys_so_many_are_told_and_no_more():
    assert len(parse_yaml(b"a: 1\n" * (REPEATED_MAX + 10)).repeated) == REPEATED_MAX
