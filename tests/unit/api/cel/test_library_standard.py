# ruff: noqa: E501  # an expression stands on one line
import pytest

from minikube_py.api.cel.expressions import COST_MAX, compile_expression
from minikube_py.api.cel.values import Budget, CelError


def value_of(source):
    return compile_expression(source, ()).evaluate({}, Budget(COST_MAX))


@pytest.mark.parametrize(
    "source",
    [
        "size('héé') == 3 && size([1, 2]) == 2 && size({'a': 1}) == 1 && size(b'é') == 2",
        "int('5') == 5 && int(5.9) == 5 && int(-5.9) == -5 && int(3u) == 3 && int(timestamp('1970-01-01T00:00:05Z')) == 5",
        "uint(5) == 5u && uint('5') == 5u && uint(5.5) == 5u",
        "double('1.5') == 1.5 && double(1) == 1.0",
        "string(1) == '1' && string(1.5) == '1.5' && string(2.0) == '2' && string(true) == 'true' && string(b'a') == 'a'",
        "string(100000.0) == '100000' && string(1e6) == '1e+06' && string(123456789.0) == '1.23456789e+08'",
        "string(0.0001) == '0.0001' && string(-0.00001) == '-1e-05' && string(1e100) == '1e+100' && string(0.0) == '0'",
        "int(duration('1s')) == 1000000000 && string(-2.5e10) == '-2.5e+10'",
        "string(duration('90s')) == '90s' && string(timestamp('2020-01-01T00:00:00Z')) == '2020-01-01T00:00:00Z'",
        "bytes('a') == b'a' && bool('true') && !bool('f')",
        "timestamp(5) == timestamp('1970-01-01T00:00:05Z') && duration('1m') == duration('60s')",
        "type(dyn(1)) == int && type(null) == null_type && type([]) == list && type({}) == map && type(1u) == uint",
        "optional.ofNonZeroValue('').hasValue() == false && optional.of(1).or(optional.of(2)).value() == 1",
        "optional.none().orValue(3) == 3 && optional.none().or(optional.of(2)).value() == 2",
    ],
)
def test_it_holds(source):
    assert value_of(source) is True


@pytest.mark.parametrize(
    "source",
    [
        "int('x')",
        "int('1_0')",
        "int('\\u0663')",
        "int(1e30)",
        "int(true)",
        "uint(-1)",
        "double('x')",
        "string([1])",
        "string(b'\\xff')",
        "bool('maybe')",
        "bool(1)",
        "bytes(1)",
        "timestamp(true)",
        "duration(1.5)",
        "(1).hasValue()",
    ],
)
def test_it_fails(source):
    with pytest.raises(CelError):
        value_of(source)
