import pytest

from minikube_py.api.cel.expressions import COST_MAX, compile_expression, uses
from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.cel.values import Budget, CelError, CostLimitError


def value_of(source, budget=COST_MAX, **variables):
    return compile_expression(source, tuple(sorted(variables))).evaluate(variables, Budget(budget))


def test_an_expression_is_compiled_once():
    assert compile_expression("a + 1", ("a",)) is compile_expression("a + 1", ("a",))


def test_it_sees_its_variables():
    assert value_of("self.size * 2 <= limit", self={"size": 3}, limit=6) is True


def test_an_unknown_name_is_no_expression():
    with pytest.raises(CelSyntaxError, match=r"undeclared reference to 'other' \(in container ''\)"):
        compile_expression("self == other", ("self",))


def test_it_may_cost_only_so_much():
    squared = "l.all(x, l.all(y, x >= y || x < y))"
    assert value_of(squared, l=list(range(30))) is True
    with pytest.raises(CostLimitError, match="operation cancelled: actual cost limit exceeded"):
        value_of(squared, l=list(range(2000)))


def test_no_operator_absorbs_the_end_of_the_budget():
    with pytest.raises(CostLimitError):
        value_of("l.all(x, x > 0) || true", budget=50, l=[1] * 1000)


def test_nesting_ends_in_an_error():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(CelError, match="max recursion depth exceeded"):
        value_of("a == b", a=deep, b=[*deep])


def test_who_is_used_is_known():
    tree = compile_expression("has(self.a) && self.l.all(x, x == oldSelf)", ("oldSelf", "self")).tree
    assert uses(tree, "oldSelf")
    assert not uses(tree, "params")
