"""The numbers are those of cel-go's interpreter/runtimecost_test.go and of apiserver's cel/library/cost_test.go.

Where their lists are literals, a variable stands here (`l`, at 1 instead of 10): a list of constants costs nothing in
an API server, which lets cel-go optimize (the tests of both do not).
"""

import pytest

from minikube_py.api.cel.expressions import compile_expression
from minikube_py.api.cel.values import Budget, CelError, CostLimitError, Uint, some

LEFT = 1_000_000
VARIABLES = {
    "a": False,
    "b": False,
    "c": False,
    "d": False,
    "t": True,
    "x": 1,
    "u": Uint(3),
    "s": "s" * 500,
    "raw": b"s" * 500,
    "short": "idc",
    "str1": "val1",
    "str2": "val2222222",
    "empty": [],
    "none": {},
    "l": [1, 2, 3, 4, 5],
    "words": ["012345678901"] * 5,
    "nested": {"testAttr": {"nestedAttr": "0"}},
    "one": {"val": {"single_int32": 0}},
    "fifty": "0123456789" * 5,
    "opt": some({"f": 1}),
}
CEL_GO = {
    "nested": 1,
    "nested.testAttr": 2,
    "nested.testAttr.nestedAttr": 3,
    "nested['testAttr']['nestedAttr']": 3,
    "[1, 2, 3].map(i, x)[x]": 1 + 3 * (12 + 1) + 1 + 1,
    "empty.all(i, true)": 2,
    "none.all(k, none[k].all(i, true))": 2,
    "none.all(k, k.contains(k))": 2,
    "l.all(i, true)": 1 + 5 * 3 + 1,
    "s.matches('[0-9]')": 103,
    r"s.matches('\\d+a\\d+b')": 103,
    "'123'.matches('[0-9]')": 2,
    "false || false": 0,
    "true || false": 0,
    "a || b || c || d": 4,
    "t && t && t && t": 4,
    "true && false": 0,
    "1 < 2": 1,
    "1 <= 2": 1,
    "1 == 2": 1,
    "2 > 1": 1,
    "2 >= 1": 1,
    "2 in l": 1 + 5,
    "1 + 1": 1,
    "1 - 1": 1,
    "1 / 1": 1,
    "1 * 1": 1,
    "1 % 1": 1,
    "true ? 1 : 2": 0,
    'size("123")': 1,
    "'12345678901234567890' == '123456789012345678901234567890'": 2,
    "string(raw)": 51,
    "bytes(s)": 51,
    "string(x)": 2,
    "s.contains(s)": 2502,
    "short.startsWith(s)": 3,
    "short.endsWith(s)": 3,
    "short.size()": 2,
    "size(short)": 2,
    "(x > 2 ? empty : [x]).all(y, true)": 2 + 10 + 1 + 3 + 1,
    "(x > 2 ? l : empty).all(y, true)": 3,
    "true ? false : 1 > 3": 0,
    "false ? false : 1 > 3": 1,
    "one.all(k, one[k].single_int32 > 3)": 9,
    "(empty + empty).all(i, true)": 4,
    '"abcdefg".contains(str1 + str2)': 6,
    "(1 > 2 ? 5 : 3) > 1": 2,
    "(1 > 2 || 2 > 1) == true": 3,
    "[x]": 11,
    "{'k': x}": 31,
    "[{'k1': x}, {'k2': x}].all(i, true)": 79,
}
KUBERNETES = {
    "l.sum()": 1 + 5,
    "l.isSorted()": 1 + 5,
    "l.max()": 1 + 5,
    "words.min()": 1 + 5,
    "l.indexOf(3)": 1 + 5,
    "words.lastIndexOf('x')": 1 + 5,
    "fifty.indexOf('123')": 1 + 5,
    "url('https:://kubernetes.io/').getScheme()": 4,
    "url('https:://kubernetes.io/') == url('http://x.b')": 3 + 1 + 1,
    "ip('192.168.0.1')": 2,
    "ip('192.168.0.1').family()": 3,
    "ip('192.168.0.1') == ip('192.168.0.1')": 5,
    "ip('2001:db8:3333:4444:5555:6666:7777:8888')": 4,
    "ip.isCanonical('192.168.0.1')": 3,
    "ip.isCanonical('2001:db8:3333:4444:5555:6666:7777:8888')": 8,
    "cidr('192.168.0.0/16')": 2,
    "cidr('192.168.0.0/16').ip()": 3,
    "cidr('192.168.0.0/16').masked()": 3,
    "cidr('192.168.0.0/16') == cidr('2001:db8::/32')": 5,
    "cidr('192.168.0.0/16').containsCIDR('192.0.0.0/30')": 2 + 5,
    "cidr('192.168.0.0/16').containsIP('192.169.0.1')": 2 + 3,
    "fifty.lowerAscii()": 1 + 5,
    "fifty.replace('0', 'x')": 1 + 10,
    "fifty.split('0')": 1 + 10,
    "words.join()": 1 + 12,
    "words.join('-')": 1 + 13,
    "fifty.find('[0-9]+')": 1 + 6 * 2,
    "quantity('12Mi').isGreaterThan(quantity('1'))": 1 + 1 + 1,
    "sets.contains(l, l)": 1 + 1 + 1 + 25,
    "sets.equivalent(l, l)": 1 + 1 + 1 + 50,
}
OWN = {
    # what cel-go's optimizer computes beforehand
    "[1, 2, 3]": 0,
    "{'a': [1], 'b': [uint(2)]}": 0,
    "2 in [1, 2, 3]": 0,
    "x in [1, 2, 3]": 1,
    "[1, 2, 3].all(i, true)": 10,
    # macros
    "has(nested.testAttr)": 0,
    "has(nested.testAttr.nestedAttr)": 1,
    "l.exists(i, false)": 1 + 5 * 4 + 1,
    "l.exists(i, i == 1)": 1 + (4 + 2) + 3 + 1,
    "l.all(i, i > 4)": 1 + (3 + 2) + 2 + 1,
    "l.exists_one(i, i == 2)": 1 + 5 * 2 + 2 + 2,
    "l.filter(i, i == 2)": 1 + 5 * 2 + 13 + 1,
    "l.map(i, i)": 1 + 5 * 13 + 1,
    "l.map(i, i == 2, i)": 1 + 5 * 2 + 13 + 1,
    "none.transformMap(k, v, v)": 2,
    "one.transformMap(k, v, v)": 1 + 4 + 1,
    "cel.bind(v, x, v + v)": 1 + 3,
    "opt.optMap(v, v.f)": 2 + 3 + 2,
    "opt.?f": 2,
    "-x": 2,
    "!a": 2,
    "a ? nested.testAttr : nested.testAttr.nestedAttr": 1 + 2,
    # elements for which upstream counts nothing
    "l.filter(i, false)": 1 + 5 + 1,
}


def cost_of(source):
    budget = Budget(LEFT)
    compile_expression(source, tuple(VARIABLES)).evaluate(VARIABLES, budget)
    return LEFT - budget.left


@pytest.mark.parametrize(("source", "cost"), [*CEL_GO.items(), *KUBERNETES.items(), *OWN.items()])
def test_an_expression_costs_what_it_costs_upstream(source, cost):
    assert cost_of(source) == cost


def test_the_limit_may_be_reached_but_not_passed():
    expression = compile_expression('"abcdefg".contains(str1 + str2)', tuple(VARIABLES))
    assert expression.evaluate(VARIABLES, Budget(6)) is False
    with pytest.raises(CostLimitError):
        expression.evaluate(VARIABLES, Budget(5))


def test_a_call_that_fails_is_not_free():
    budget = Budget(LEFT)
    with pytest.raises(CelError):
        compile_expression("x / 0", ("x",)).evaluate(VARIABLES, budget)
    assert LEFT - budget.left == 2
