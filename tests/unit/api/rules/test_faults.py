import pytest

from minikube_py.api.rules.faults import (
    all_invalid,
    check_choice,
    check_immutable,
    check_not_negative,
    check_number_or_percent,
    duplicate,
    forbidden,
    indexed,
    invalid,
    not_found,
    part,
    percent_of,
    required,
    too_long,
    unsupported,
)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (required("a"), "a: Required value"),
        (required("a", "why"), "a: Required value: why"),
        (invalid("a", "x", "why"), 'a: Invalid value: "x": why'),
        (invalid("a", {"b": 1}, "why"), 'a: Invalid value: {"b":1}: why'),
        (invalid("a", 5, "why"), "a: Invalid value: 5: why"),
        (forbidden("a", "why"), "a: Forbidden: why"),
        (duplicate("a", "x"), 'a: Duplicate value: "x"'),
        (not_found("a", "x"), 'a: Not found: "x"'),
        (unsupported("a", "x", ("b", "c")), 'a: Unsupported value: "x": supported values: "b", "c"'),
        (too_long("a", 3), "a: Too long: may not be more than 3 bytes"),
    ],
    ids=str,
)
def test_a_fault_reads_as_upstreams(fault, text):
    assert str(fault) == text


def test_checks_say_nothing_about_what_is_fine():
    assert not list(check_choice("a", "x", ("x",)))
    assert not list(check_not_negative("a", 0))
    assert not list(check_not_negative("a", None))
    assert not list(check_immutable("a", [1], [1]))
    assert not list(check_number_or_percent("a", "25%"))
    assert not list(all_invalid("a", "x", ()))


def test_checks_find_what_is_wrong():
    assert [f.reason for f in check_choice("a", "", ("x",))] == ["FieldValueRequired"]
    assert [f.reason for f in check_choice("a", "y", ("x",))] == ["FieldValueNotSupported"]
    assert [f.reason for f in check_not_negative("a", -1)] == ["FieldValueInvalid"]
    assert [str(f) for f in check_immutable("a", 1, 2)] == ["a: Invalid value: 1: field is immutable"]
    assert len(list(check_number_or_percent("a", "x"))) == 1
    assert len(list(check_number_or_percent("a", -1))) == 1


def test_percentages_have_a_number():
    assert (percent_of("25%"), percent_of("x%"), percent_of(25)) == (25, None, None)


def test_inner_parts_of_what_is_absent_are_empty():
    assert part({}, "a") == {}
    assert part({"a": None}, "a") == {}
    assert list(indexed({"a": ["x"]}, "a", "spec")) == [("spec.a[0]", "x")]
    assert list(indexed({"a": ["x"]}, "a", "")) == [("a[0]", "x")]
