# ruff: noqa: E501  # an expression stands on one line
"""The CEL engine and Google's own (cel-cpp) give the same answers: random expressions, and those of rules people write.

Google's engine is a development dependency only: it needs glibc 2.27.
"""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minikube_py.api.cel.expressions import COST_MAX, compile_expression
from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.cel.values import Budget, CelError

cel = pytest.importorskip("cel_expr_python.cel", reason="cel-expr-python is not installed")
strings = pytest.importorskip("cel_expr_python.ext.ext_strings")

pytestmark = pytest.mark.slow

SELF = {
    "a": 1,
    "b": -7,
    "name": "web-1",
    "list": [3, 1, 2],
    "names": ["x", "y"],
    "map": {"k": 2},
    "on": True,
    "half": 0.5,
}
ENV = cel.NewEnv(variables={"self": cel.Type.DYN}, extensions=[strings.ExtStrings()])
FAILED = "failed"


def theirs(source):
    try:
        expression = ENV.compile(source)
    except Exception as error:  # whatever the binding raises
        return f"refused: {error}"[:7]
    value = expression.eval(data={"self": SELF})
    return FAILED if value.type() == cel.Type.ERROR else value.plain_value()


def ours(source):
    try:
        return compile_expression(source, ("self",)).evaluate({"self": SELF}, Budget(COST_MAX))
    except CelError:
        return FAILED
    except CelSyntaxError:
        return "refused"


def same(left, right):
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return type(left) is type(right) and left == right if isinstance(left, bool) else left == right


INTS = st.sampled_from(
    ["0", "1", "2", "-3", "7", "9223372036854775807", "self.a", "self.b", "self.list[1]", "size(self.name)"]
)
TEXTS = st.sampled_from(["''", "'a'", "'web-1'", "self.name", "self.names[0]", "string(self.a)"])
DOUBLES = st.sampled_from(["0.0", "1.5", "-2.0", "self.half", "double(self.a)"])


def number(inner):
    operators = st.sampled_from(["+", "-", "*", "/", "%"])
    return st.builds(lambda left, operator, right: f"({left} {operator} {right})", inner, operators, inner)


def real(inner):
    operators = st.sampled_from(["+", "-", "*", "/"])
    return st.builds(lambda left, operator, right: f"({left} {operator} {right})", inner, operators, inner)


NUMBERS = st.recursive(INTS, number, max_leaves=5)
REALS = st.recursive(DOUBLES, real, max_leaves=4)
COMPARE = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
BOOLS = st.recursive(
    st.one_of(
        st.builds(lambda a, c, b: f"({a} {c} {b})", NUMBERS, COMPARE, NUMBERS),
        st.builds(lambda a, c, b: f"({a} {c} {b})", REALS, COMPARE, REALS),
        st.builds(lambda a, c, b: f"({a} {c} {b})", TEXTS, COMPARE, TEXTS),
        st.builds(
            lambda a, f, b: f"{a}.{f}({b})", TEXTS, st.sampled_from(["contains", "startsWith", "endsWith"]), TEXTS
        ),
        st.builds(
            lambda m, c, n: f"self.list.{m}(x, x {c} {n})",
            st.sampled_from(["all", "exists", "exists_one"]),
            COMPARE,
            NUMBERS,
        ),
        st.sampled_from(
            ["self.on", "has(self.a)", "has(self.zzz)", "(self.zzz == 1)", "('k' in self.map)", "(1 in self.list)"]
        ),
    ),
    lambda inner: st.one_of(
        st.builds(lambda a, o, b: f"({a} {o} {b})", inner, st.sampled_from(["&&", "||"]), inner),
        st.builds(lambda a: f"!{a}", inner),
        st.builds(lambda a, b, c: f"({a} ? {b} : {c})", inner, inner, inner),
    ),
    max_leaves=6,
)


@given(st.one_of(NUMBERS, REALS, BOOLS))
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
def test_random_expressions_have_the_same_value_in_both_engines(source):
    assert same(ours(source), theirs(source)), (source, ours(source), theirs(source))


@pytest.mark.parametrize(
    "source",
    [
        "self.list.map(x, x * 2)",
        "self.list.filter(x, x > 1)",
        "self.names.map(n, n + '!')",
        "self.map.map(k, self.map[k])",
        "size(self.list) + size(self.map) + size('héé')",
        "self.name.matches('^web-[0-9]+$')",
        "self.name.split('-')",
        "self.name.substring(0, 3) + self.name.charAt(4)",
        "self.names.join(',')",
        "'ABC'.lowerAscii() + 'abc'.upperAscii()",
        "'a-b-c'.replace('-', '+', 1)",
        "'abcabc'.indexOf('c') + 'abcabc'.lastIndexOf('c')",
        "'%s is %d and %.1f'.format(['a', 1, 1.5])",
        "int('7') + int(2.9) + int(-2.9)",
        "string(1.5) + string(true) + string(7)",
        "double('2.5') * 2.0",
        "uint(3) + 2u",
        "[1, 2] + [3] == [1, 2, 3]",
        "dyn({'a': 1}) == dyn({'a': 1.0})",
        "dyn(1) == 1.0 && dyn(1u) == 1",
        "type(1) == int && type('a') == string",
        "timestamp('2020-02-03T04:05:06Z').getFullYear()",
        "timestamp('2020-02-03T04:05:06Z').getDayOfYear('Europe/Berlin')",
        "timestamp('2020-02-03T04:05:06Z') + duration('1h') == timestamp('2020-02-03T05:05:06Z')",
        "duration('90m').getHours()",
        "self.zzz",
        "self.list[9]",
        "1 / 0",
        "'a' < 'b' && b'a' < b'b' && false < true",
        "9223372036854775807 + 1",
        "-9223372036854775808 - 1",
        "5 % -3 + -5 % 3",
        "size([1, 'a', null, 1.5, true])",
        "[1, 2, 3].exists(x, x / 0 == 1 || x == 3)",
        "'\\u00e9' == 'é' && r'\\n' != '\\n'",
        "cel",
        "1 +",
        "nobody(1)",
    ],
)
def test_expressions_that_people_write_have_the_same_value_in_both_engines(source):
    assert same(ours(source), theirs(source)), (ours(source), theirs(source))
