import pytest

from minikube_py.api.errors import BadRequestError
from minikube_py.api.selectors import (
    FieldRequirement,
    LabelRequirement,
    matches_labels,
    parse_field_selector,
    parse_label_selector,
)


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("", ()),
        ("a=b", (LabelRequirement("a", "=", ("b",)),)),
        ("a==b", (LabelRequirement("a", "=", ("b",)),)),
        ("a!=b", (LabelRequirement("a", "!=", ("b",)),)),
        ("a=", (LabelRequirement("a", "=", ("",)),)),
        ("ex.io/a", (LabelRequirement("ex.io/a", "exists"),)),
        (" ! a ", (LabelRequirement("a", "!"),)),
        ("a in (y, x)", (LabelRequirement("a", "in", ("x", "y")),)),
        ("a notin (x)", (LabelRequirement("a", "notin", ("x",)),)),
        ("a>1,b<2", (LabelRequirement("a", ">", ("1",)), LabelRequirement("b", "<", ("2",)))),
        ("in in (in)", (LabelRequirement("in", "in", ("in",)),)),
    ],
)
def test_a_label_selector_reads_as_its_requirements(text, requirements):
    assert parse_label_selector(text) == requirements


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        ("a in x", "unable to parse requirement: found 'x' expected: '('"),
        ("=b", "unable to parse requirement: found '=', expected: identifier"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a,", "unable to parse requirement: found '', expected: identifier after ','"),
        ("a in (x", "unable to parse requirement: found '', expected: ',' or ')'"),
    ],
)
def test_a_wrong_label_selector_is_refused_in_upstreams_words(text, message):
    with pytest.raises(BadRequestError) as refused:
        parse_label_selector(text)
    assert refused.value.message == message


@pytest.mark.parametrize("text", ["-a=b", "a=b-", "a/b/c", "a>x", "a>1_0", "a>" + "9" * 30, "a=" + "x" * 64, "A_/x"])
def test_what_cannot_be_a_label_is_refused(text):
    with pytest.raises(BadRequestError, match="unable to parse requirement"):
        parse_label_selector(text)


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ("a=b", {"a": "b"}, True),
        ("a=b", {}, False),
        ("a!=b", {}, True),
        ("a!=b", {"a": "b"}, False),
        ("a", {"a": ""}, True),
        ("!a", {"a": ""}, False),
        ("a in (x,y)", {"a": "y"}, True),
        ("a notin (x,y)", {"a": "y"}, False),
        ("a notin (x,y)", {}, True),
        ("n>4", {"n": "5"}, True),
        ("n>4", {"n": "x"}, False),
        ("n>4", {"n": "1_0"}, False),
        ("n<4", {"n": "-5"}, True),
        ("n>4", {"n": "9" * 30}, False),
        ("n<4", {}, False),
        ("a=b,c=d", {"a": "b"}, False),
    ],
)
def test_a_selector_matches_labels_as_upstream_does(selector, labels, matches):
    assert matches_labels(parse_label_selector(selector), labels) is matches


def test_a_field_selector_reads_as_its_requirements():
    parsed = parse_field_selector(r"metadata.name=x,status.phase!=Running,a==b\,c\=d\\")
    assert parsed == (
        FieldRequirement("metadata.name", "x"),
        FieldRequirement("status.phase", "Running", equal=False),
        FieldRequirement("a", "b,c=d\\"),
    )
    assert parsed[1].matches("Pending")
    assert not parsed[1].matches("Running")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "invalid selector: 'a'; can't understand 'a'"),
        (r"a=\x", r"invalid field selector: invalid escape sequence: \x"),
        ("a=b=c", "invalid field selector: unescaped character in value: ="),
    ],
)
def test_a_wrong_field_selector_is_refused(text, message):
    with pytest.raises(BadRequestError) as refused:
        parse_field_selector(text)
    assert refused.value.message == message
