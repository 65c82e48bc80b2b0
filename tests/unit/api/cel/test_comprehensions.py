import pytest

from minikube_py.api.cel.comprehensions import FOLDS, iterate, sort_pairs
from minikube_py.api.cel.parser import _COMPREHENSIONS
from minikube_py.api.cel.values import NoOverloadError


def test_every_macro_has_a_fold():
    assert set(_COMPREHENSIONS.values()) == set(FOLDS)


def test_variables_stand_for_elements_keys_or_pairs():
    assert list(iterate([5, 6], 1)) == [(5,), (6,)]
    assert list(iterate([5, 6], 2)) == [(0, 5), (1, 6)]
    assert list(iterate({"a": 1}, 1)) == [("a",)]
    assert list(iterate({"a": 1}, 2)) == [("a", 1)]
    with pytest.raises(NoOverloadError):
        list(iterate(3, 1))


def test_pairs_are_sorted_by_what_can_be_compared():
    assert sort_pairs([(2, "b"), (1, "a")]) == [(1, "a"), (2, "b")]
    with pytest.raises(NoOverloadError):
        sort_pairs([(1, "a"), ("x", "b")])
