import inspect
from contextlib import suppress
from itertools import product
from math import inf, nan

import pytest

from minikube_py.api.cel.functions import FUNCTIONS, METHODS, pick
from minikube_py.api.cel.operators import BINARY
from minikube_py.api.cel.values import (
    NONE,
    TIMESTAMP_END,
    TIMESTAMP_MIN,
    CelError,
    Constructed,
    Duration,
    NoOverloadError,
    Timestamp,
    TypeValue,
    Uint,
    some,
)

VALUES = (
    *(None, True, 0, -1, 2**62, -(2**63), Uint(2**64 - 1), 1.5, inf, nan, -1e300),
    *("", "a", "%s %d", "%.5f", "%e", "/x?a=b", "10.0.0.0/8", "1.2.3", "Nowhere/Zone", "9999-12-31T23:59:59Z", "["),
    *(b"", b"\xff", [], [1, "a", None], ["a"], [[1]], [{}], [nan, 1.0], {}, {"a": 1}, {1: 2}),
    *(Duration(-(2**63)), Timestamp(TIMESTAMP_MIN), Timestamp(TIMESTAMP_END - 1)),
    *(NONE, some(1), TypeValue("int"), Constructed("X", {"a": 1})),
    *(FUNCTIONS[name][0](text) for name, text in (("url", "/x"), ("ip", "::1"), ("cidr", "10.0.0.0/8"))),
    *(FUNCTIONS[name][0](text) for name, text in (("quantity", "1k"), ("semver", "1.2.3-a.1"))),
)
EVERY = {
    **{f"{name} {at}": found for name, all_of in FUNCTIONS.items() for at, found in enumerate(all_of)},
    **{f".{name} {at}": found for name, all_of in METHODS.items() for at, found in enumerate(all_of)},
    **BINARY,
}


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


@pytest.mark.parametrize("name", sorted(EVERY))
def test_whatever_values_it_gets_a_function_has_an_answer_or_an_error_of_cel(name):
    """Two values are tried in all pairs, further ones in a few."""
    parameters = inspect.signature(EVERY[name]).parameters.values()
    least = sum(parameter.default is inspect.Parameter.empty for parameter in parameters)
    for count in range(least, len(parameters) + 1):
        for values in product(*(VALUES if place < 2 else VALUES[::12] for place in range(count))):
            with suppress(CelError):
                EVERY[name](*values)
