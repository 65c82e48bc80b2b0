import pytest

from minikube_py.api.cel.functions import FUNCTIONS, METHODS, pick
from minikube_py.api.cel.values import NoOverloadError


def test_libraries_stand_side_by_side():
    assert "quantity" in FUNCTIONS
    assert "sets.contains" in FUNCTIONS
    assert len(METHODS["indexOf"]) == 2


def test_a_name_that_several_have_goes_to_whoever_takes_the_values():
    index_of = pick(METHODS["indexOf"], 2)
    assert index_of is not None
    assert index_of("abc", "c") == 2
    assert index_of(["a", "c"], "c") == 1
    with pytest.raises(NoOverloadError):
        index_of(1, 2)


def test_the_number_of_values_decides_first():
    assert pick(FUNCTIONS["size"], 2) is None
    assert pick(METHODS["reverse"], 1) is not None
