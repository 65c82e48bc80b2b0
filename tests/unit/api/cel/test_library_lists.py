# ruff: noqa: E501  # an expression stands on one line
import pytest

from minikube_py.api.cel.expressions import COST_MAX, compile_expression
from minikube_py.api.cel.values import Budget, CelError


def value_of(source):
    return compile_expression(source, ()).evaluate({}, Budget(COST_MAX))


@pytest.mark.parametrize(
    "source",
    [
        "[1, 2, 2].isSorted() && ![2, 1].isSorted() && [].isSorted() && ['a', 'b'].isSorted()",
        "[1, 2].sum() == 3 && [].sum() == 0 && [1.5, 1.5].sum() == 3.0 && [duration('1s'), duration('2s')].sum() == duration('3s')",
        "[3, 1, 2].min() == 1 && ['b', 'a'].max() == 'b'",
        "[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(5) == -1",
        "[1, 2, 3].slice(1, 3) == [2, 3] && [[1], [2, [3]]].flatten() == [1, 2, [3]] && [[1, [2]]].flatten(2) == [1, 2]",
        "[1, 1.0, 2].distinct() == [1, 2] && [2, 1].reverse() == [1, 2] && [2, 1].sort() == [1, 2]",
        "lists.range(3) == [0, 1, 2] && [1, 2].first().value() == 1 && ![].last().hasValue()",
        "sets.contains([1, 2], [2]) && sets.equivalent([1, 2, 2], [2, 1]) && sets.intersects([1], [1, 5])",
        "!sets.contains([1], [2]) && !sets.equivalent([1], [1, 2]) && !sets.intersects([1], [2])",
    ],
)
def test_it_holds(source):
    assert value_of(source) is True


@pytest.mark.parametrize(
    "source",
    [
        "[].min()",
        "[1, 'a'].isSorted()",
        "[1].slice(1, 5)",
        "[1].flatten(-1)",
        "[1].flatten('a')",
        "[1].slice('a', 1)",
        "['a'].sum()",
        "[[1]].sum()",
        "lists.range(9999999)",
        "lists.range('a')",
        "sets.contains(1, [1])",
        "[1, 'a'].sort()",
    ],
)
def test_it_fails(source):
    with pytest.raises(CelError):
        value_of(source)
