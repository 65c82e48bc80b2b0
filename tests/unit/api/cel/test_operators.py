import math

import pytest

from minikube_py.api.cel.operators import BINARY, add, contains, divide, has_key, modulo, multiply, negate, subtract
from minikube_py.api.cel.values import CelError, Duration, NoOverloadError, Timestamp, Uint


def test_integers_divide_towards_zero():
    assert [divide(7, 2), divide(-7, 2), divide(7, -2), divide(-7, -2)] == [3, -3, -3, 3]
    assert [modulo(7, 2), modulo(-7, 2), modulo(7, -2)] == [1, -1, 1]
    assert divide(2**62 + 1, 1) == 2**62 + 1


def test_doubles_divide_by_zero():
    assert divide(1.0, 0.0) == math.inf
    assert divide(-1.0, 0.0) == -math.inf
    assert math.isnan(divide(0.0, 0.0))


def test_unsigned_numbers_stay_so():
    assert subtract(Uint(3), Uint(1)) == Uint(2)
    with pytest.raises(CelError):
        subtract(Uint(1), Uint(3))
    with pytest.raises(NoOverloadError):
        add(Uint(1), 1)


def test_times_add_up():
    second = Duration(1_000_000_000)
    assert add(Timestamp(0), second) == Timestamp(1_000_000_000)
    assert add(second, Timestamp(0)) == Timestamp(1_000_000_000)
    assert subtract(Timestamp(5), Timestamp(3)) == Duration(2)
    assert subtract(Timestamp(5), Duration(3)) == Timestamp(2)
    assert add(second, second) == Duration(2_000_000_000)
    assert subtract(second, second) == negate(Duration(0))


def test_texts_and_lists_join():
    assert add("a", "b") == "ab"
    assert add([1], [2]) == [1, 2]
    with pytest.raises(NoOverloadError):
        multiply("a", 2)


def test_negation_overflows_once():
    assert negate(5) == -5
    assert negate(1.5) == -1.5
    with pytest.raises(CelError):
        negate(-(2**63))
    with pytest.raises(NoOverloadError):
        negate("a")


def test_membership_is_by_equality():
    assert contains(1.0, [1])
    assert not contains(True, [1])
    assert contains("a", {"a": 1})
    assert not has_key({1: "x"}, True)
    assert not has_key({}, [])
    with pytest.raises(NoOverloadError):
        contains("a", "abc")


def test_order_is_within_a_type_but_across_numbers():
    assert BINARY["_<_"](1, 1.5)
    assert BINARY["_>=_"]("b", "a")
    assert BINARY["_<_"](False, True)
    with pytest.raises(NoOverloadError):
        BINARY["_<_"]([1], [2])
