"""Costs of expansions; how they go with schemas, and upstream's figures: test_rule_costs."""

import pytest

from minikube_py.api.cel.check import Simple
from minikube_py.api.cel.estimate import estimate_cost_max
from minikube_py.api.cel.expressions import compile_expression
from minikube_py.api.cel.parser import parse
from minikube_py.api.cel.values import Budget

SCOPE = {"x": Simple("list", Simple("int")), "m": Simple("map", Simple("string")), "t": Simple("string")}
SIZES = {("x",): 10, ("m",): 10, ("m", "@values"): 50, ("m", "@keys"): 0, ("t",): 100}


def cost(text):
    return estimate_cost_max(parse(text), SCOPE, SIZES.get, text)


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("x.all(k, k > 1)", 2 + 10 * (3 + 2)),
        ("x.exists(k, k > 1)", 2 + 10 * (4 + 2)),
        ("x.exists_one(k, k > 1)", 3 + 10 * (2 + 2)),
        ("x.filter(k, k > 1).size() > 1", 1 + 10 + 1 + 10 * (13 + 2) + 2),
        ("x.map(k, k + 1).size() > 1", 1 + 10 + 1 + 10 * (12 + 2) + 2),
        ("x.map(k, k > 1, k + 1).size() > 1", 1 + 10 + 1 + 10 * (12 + 4) + 2),
        ("x.map(k, k + 1).all(k, k > 1)", 152 + 1 + 10 * (3 + 2)),
        ("[1, 2].all(k, k > 1)", 10 + 1 + 2 * (3 + 2)),
        ("{'a': 1}.all(k, k == 'a')", 30 + 1 + 1 * (3 + 2)),
        ("m.all(k, m[k] == 'abc')", 2 + 10 * (3 + 4)),
        ("m.all(k, v, v == 'abc')", 2 + 10 * (3 + 2)),
        ("t == 'a' ? t.contains('abc') : false", 2 + 11),
        ("t == 'a' && t == 'b' || t == 'c'", 6),
        ("cel.bind(y, t + t, y.contains('a') && y.contains('b'))", 10 + 22 + 2 * 21),
        ("dyn(x).size() == 10", 4),
        ("has(m.a)", 1),
        ("m.?a.orValue('') == 'a'", 4),
    ],
)
def test_an_expression_costs_what_it_expands_to(text, most):
    assert cost(text) == most


def test_the_estimate_has_an_end():
    deep = "true"
    for _ in range(30):
        deep = f"x.all(a, {deep})"
    assert cost(deep) == 2**64 - 1


@pytest.mark.parametrize(
    "text", ["x.all(k, k > 0)", "x.exists(k, x.exists(j, k == j + 1))", "x.map(k, k + 1).size() > 1"]
)
def test_an_evaluation_costs_no_more_than_was_told(text):
    budget = Budget(10**6)
    compile_expression(text, ("x",)).evaluate({"x": list(range(10))}, budget)

    assert 10**6 - budget.left <= cost(text)
