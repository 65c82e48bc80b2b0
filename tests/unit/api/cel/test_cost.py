"""What an expression can cost at the worst."""

import pytest

from minikube_py.api.cel.cost import COST_MAX, estimate_cost
from minikube_py.api.cel.expressions import compile_expression
from minikube_py.api.cel.parser import parse
from minikube_py.api.cel.values import Budget


def cost(text, elements=10):
    return estimate_cost(parse(text), elements)


def test_a_macro_costs_its_body_for_every_element_it_can_meet():
    assert cost("x.all(k, k > 1)", 100) > 10 * cost("x.all(k, k > 1)", 5)
    assert cost("[1, 2].all(k, k > 1)", 100) == cost("[1, 2].all(k, k > 1)", 5)
    assert cost("{'a': 1}.all(k, k == 'a')", 100) == cost("{'a': 1}.all(k, k == 'a')", 5)
    assert cost("[1, 2].map(k, k + 1).all(k, k > 1)", 100) == cost("[1, 2].map(k, k + 1).all(k, k > 1)", 5)


def test_macros_in_macros_multiply_and_the_estimate_has_an_end():
    inner = "x.all(a, x.all(b, x.all(c, a == b)))"

    assert cost(inner, 100) > 100**3
    deep = "true"
    for _ in range(10):
        deep = f"x.all(a, {deep})"
    assert cost(deep, 1000) == COST_MAX


@pytest.mark.parametrize(
    "text", ["x.all(k, k > 0)", "x.exists(k, x.exists(j, k == j + 1))", "x.map(k, k + 1).size() > 1"]
)
def test_an_evaluation_costs_no_more_than_was_told(text):
    budget = Budget(10**6)
    compile_expression(text, ("x",)).evaluate({"x": list(range(10))}, budget)

    assert 10**6 - budget.left <= cost(text, 10)
