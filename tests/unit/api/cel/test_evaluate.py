import pytest

from minikube_py.api.cel.evaluate import compile_node
from minikube_py.api.cel.parser import parse
from minikube_py.api.cel.steps import Env
from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.cel.values import NONE, Budget, CelError, Constructed, NoOverloadError, some

OBJ = {"a": {"b": 4}, "l": [1, 2, 3], "namespace": "n", "a-b": 1, "nothing": None, "m": {"x": 1, "y": 2}}


def value_of(source, **variables):
    variables = {"self": OBJ, **variables}
    return compile_node(parse(source), frozenset(variables), source)(Env(variables, Budget(100_000)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("self.a.b", 4),
        ("self['a'].b", 4),
        ("self.l[1]", 2),
        ("self.l[1.0]", 2),
        ("has(self.a)", True),
        ("has(self.zzz)", False),
        ("has(self.a.b)", True),
        ("has(self.nothing)", True),
        ("self.__namespace__", "n"),
        ("self.a__dash__b", 1),
        ("self.?a.?b", some(4)),
        ("self.?zzz.?b", NONE),
        ("self.?zzz.b.orValue(7)", 7),
        ("self[?'a']", some({"b": 4})),
        ("self.l[?9]", NONE),
        ("self.a.b > 3 ? 'large' : 'small'", "large"),
        ("true || 1 / 0 == 1", True),
        ("1 / 0 == 1 || true", True),
        ("false && 1 / 0 == 1", False),
        ("1 / 0 == 1 && false", False),
        ("!(self.a.b == 4)", False),
        ("self.l.all(x, x > 0)", True),
        ("self.l.exists(x, x == 2)", True),
        ("self.l.exists(x, x / 0 == 1 || x == 2)", True),
        ("self.l.exists_one(x, x > 2)", True),
        ("self.l.map(x, x * x)", [1, 4, 9]),
        ("self.l.map(x, x > 1, x * x)", [4, 9]),
        ("self.l.filter(x, x > 1)", [2, 3]),
        ("self.m.all(k, self.m[k] > 0)", True),
        ("self.m.all(k, v, v > 0)", True),
        ("self.l.exists(i, x, i == 0 && x == 1)", True),
        ("self.l.transformList(i, x, i * x)", [0, 2, 6]),
        ("self.m.transformMap(k, v, v + 1)", {"x": 2, "y": 3}),
        ("self.l.transformMapEntry(i, x, {string(x): i})", {"1": 0, "2": 1, "3": 2}),
        ("self.l.sortBy(x, -x)", [3, 2, 1]),
        ("cel.bind(y, self.a.b, y * y)", 16),
        ("optional.of(3).optMap(x, x + 1)", some(4)),
        ("optional.none().optMap(x, x + 1)", NONE),
        ("optional.of(3).optFlatMap(x, optional.none())", NONE),
        ("[1, ?optional.none(), ?optional.of(2)]", [1, 2]),
        ("{'a': 1, ?'b': optional.none()}", {"a": 1}),
        ("type(1) == int && type('a') != int", True),
        ("type(timestamp('2020-01-01T00:00:00Z')) == google.protobuf.Timestamp", True),
        ("Object{spec: Object.spec{n: 1}}", Constructed("Object", {"spec": Constructed("Object.spec", {"n": 1})})),
        ("sets.contains([1, 2], [1])", True),
    ],
)
def test_an_expression_has_a_value(source, expected):
    assert value_of(source) == expected


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("self.zzz", "no such key: zzz"),
        ("self['zzz']", "no such key: zzz"),
        ("self.l[3]", "index out of bounds: 3"),
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("9223372036854775807 + 1", "integer overflow"),
        ("self.l.all(x, 1 / 0 == x)", "division by zero"),
        ("{'a': 1, 'a': 2}", "insert failed: key a already exists"),
        ("optional.none().value()", "optional.none() dereference"),
    ],
)
def test_an_evaluation_may_fail(source, why):
    with pytest.raises(CelError) as failed:
        value_of(source)
    assert str(failed.value) == why


@pytest.mark.parametrize(
    "source",
    [
        "'a' + 1",
        "1 < 'a'",
        "self.a && true",
        "self.l.all(x, x)",
        "(1).all(x, true)",
        "self.a.b.c",
        "size(1)",
        "[1, ?2]",
    ],
)
def test_values_that_do_not_go_together_have_no_overload(source):
    with pytest.raises(NoOverloadError, match="^no such overload"):
        value_of(source)


@pytest.mark.parametrize("source", ["nobody(1)", "'a'.nobody()", "sets.nobody([])", "size()", "size(1, 2, 3)"])
def test_a_function_that_nobody_knows_is_refused(source):
    with pytest.raises(CelSyntaxError):
        value_of(source)


def test_a_variable_that_failed_fails_who_reads_it():
    with pytest.raises(CelError, match="it was not to be"):
        value_of("lazy == 1", lazy=CelError("it was not to be"))
    assert value_of("true || lazy == 1", lazy=CelError("it was not to be")) is True
