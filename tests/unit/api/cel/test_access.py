"""What is read of a value: by a field's name, by an index, or only when it is there."""

from math import inf, nan

import pytest

from minikube_py.api.cel.access import at, at_optional, has, select, select_optional
from minikube_py.api.cel.values import NONE, CelError, Constructed, NoOverloadError, some

VALUE = {"a": 1, "a-b": 2, "nothing": None, "failed": CelError("it was not to be")}


def test_a_field_is_found_by_its_name_and_by_its_escaped_name():
    assert (select(VALUE, "a"), select(VALUE, "a__dash__b")) == (1, 2)
    assert select(Constructed("Object", {"a": 3}), "a") == 3


def test_a_field_that_is_not_there_or_has_failed_is_an_error():
    with pytest.raises(CelError, match="no such key: zzz"):
        select(VALUE, "zzz")
    with pytest.raises(CelError, match="it was not to be"):
        select(VALUE, "failed")


@pytest.mark.parametrize("read", [select, has], ids=["select", "has"])
def test_a_value_without_fields_has_no_overload(read):
    with pytest.raises(NoOverloadError):
        read(7, "a")


def test_has_tells_what_is_there_be_it_null():
    assert [has(VALUE, name) for name in ("a", "a__dash__b", "nothing", "zzz")] == [True, True, True, False]
    assert [has(value, "a") for value in (some(VALUE), NONE)] == [True, False]


def test_an_optional_field_is_nothing_where_it_or_its_owner_is_not_there():
    assert select_optional(VALUE, "a") == some(1)
    assert [select_optional(value, name) for value, name in ((VALUE, "zzz"), (NONE, "a"))] == [NONE, NONE]
    assert select(some(VALUE), "a") == some(1)


def test_elements_are_found_by_keys_and_by_whole_numbers():
    assert (at(VALUE, "a"), at([5, 6], 1), at([5, 6], 1.0)) == (1, 6, 6)
    assert at(some([5, 6]), 0) == some(5)


@pytest.mark.parametrize(
    ("value", "index", "why"),
    [(VALUE, "zzz", "no such key: zzz"), ([5], 1, "index out of bounds: 1"), ([5], -1, "index out of bounds: -1")],
)
def test_an_element_that_is_not_there_is_an_error_or_nothing(value, index, why):
    with pytest.raises(CelError) as failed:
        at(value, index)
    assert str(failed.value) == why
    assert at_optional(value, index) == NONE


@pytest.mark.parametrize(("value", "index"), [([5], "a"), ([5], 0.5), ([5], inf), ([5], nan), (7, 0)])
def test_an_index_of_another_type_has_no_overload_even_when_optional(value, index):
    for read in (at, at_optional):
        with pytest.raises(NoOverloadError):
            read(value, index)
