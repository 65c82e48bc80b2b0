import pytest

from minikube_py.api.cel.values import (
    NONE,
    Budget,
    CelError,
    CostLimitError,
    Duration,
    Timestamp,
    Uint,
    checked_int,
    checked_uint,
    equals,
    is_number,
    some,
    type_name,
)


def test_numbers_are_equal_by_value_and_nothing_else_is():
    assert equals(1, 1.0)
    assert equals(Uint(1), 1)
    assert not equals(True, 1)
    assert not equals(1, "1")
    assert equals([1, {"a": 2.0}], [1.0, {"a": 2}])
    assert not equals([1], [1, 2])
    assert equals(some(1), some(1.0))
    assert not equals(some(1), NONE)


def test_arithmetic_never_wraps():
    assert checked_int(2**63 - 1) == 2**63 - 1
    with pytest.raises(CelError, match="integer overflow"):
        checked_int(2**63)
    with pytest.raises(CelError, match="unsigned integer overflow"):
        checked_uint(-1)


def test_types_have_names():
    assert [type_name(value) for value in (1, 1.0, "a", b"a", None)] == [
        "int",
        "double",
        "string",
        "bytes",
        "null_type",
    ]
    assert (type_name(True), type_name([]), type_name({}), type_name(Uint(1))) == ("bool", "list", "map", "uint")
    assert type_name(Duration(1)) == "google.protobuf.Duration"


def test_bools_are_no_numbers():
    assert is_number(1)
    assert not is_number(True)


def test_times_are_shown_as_go_shows_them():
    assert str(Duration(-1_500_000_000)) == "-1.5s"
    assert str(Duration(3_600_000_000_000)) == "3600s"
    assert str(Timestamp(1_500_000_000)) == "1970-01-01T00:00:01.5Z"


def test_a_budget_ends():
    budget = Budget(2)
    budget.spend(2)
    with pytest.raises(CostLimitError):
        budget.spend(1)
