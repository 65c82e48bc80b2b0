# ruff: noqa: E501  # an expression stands on one line
import pytest

from minikube_py.api.cel.expressions import COST_MAX, compile_expression
from minikube_py.api.cel.values import Budget, CelError


def value_of(source):
    return compile_expression(source, ()).evaluate({}, Budget(COST_MAX))


@pytest.mark.parametrize(
    "source",
    [
        "timestamp('2020-02-03T04:05:06.789Z').getFullYear() == 2020",
        "timestamp('2020-02-03T04:05:06.789Z').getMonth() == 1 && timestamp('2020-02-03T04:05:06Z').getDate() == 3",
        "timestamp('2020-02-03T04:05:06Z').getDayOfMonth() == 2 && timestamp('2020-02-03T04:05:06Z').getDayOfWeek() == 1",
        "timestamp('2020-02-03T04:05:06Z').getDayOfYear() == 33 && timestamp('2020-02-03T04:05:06Z').getHours() == 4",
        "timestamp('2020-02-03T04:05:06.789Z').getMilliseconds() == 789",
        "timestamp('2020-02-03T04:05:06Z').getHours('+02:00') == 6 && timestamp('2020-02-03T04:05:06Z').getHours('-02:00') == 2",
        "timestamp('2020-02-03T04:05:06Z').getHours('Europe/Berlin') == 5",
        "timestamp('2020-02-03T04:05:06+01:00') == timestamp('2020-02-03T03:05:06Z')",
        "duration('1h30m').getMinutes() == 90 && duration('-90s').getMinutes() == -1 && duration('1.5s').getMilliseconds() == 1500",
        "duration('1h') - duration('30m') == duration('1800s') && duration('0') == duration('0s')",
        "timestamp('2020-01-02T00:00:00Z') - timestamp('2020-01-01T00:00:00Z') == duration('24h')",
    ],
)
def test_it_holds(source):
    assert value_of(source) is True


@pytest.mark.parametrize(
    "source",
    [
        "timestamp('2020-01-01')",
        "timestamp('2020-13-01T00:00:00Z')",
        "duration('1')",
        "duration('1 h')",
        "duration('')",
        "timestamp('2020-01-01T00:00:00Z').getHours('Nowhere/Land')",
        "duration('1h').getFullYear()",
        "timestamp('9999-12-31T23:59:59Z') + duration('1s')",
        "timestamp('0001-01-01T00:00:00Z') - duration('1s')",
        "timestamp('9999-12-31T23:59:59Z').getHours('+02:00')",
        "timestamp('2020-01-01T00:00:00Z').getHours(1)",
        "timestamp(9999999999999)",
        "-duration('-9223372036854775808ns')",
    ],
)
def test_it_fails(source):
    with pytest.raises(CelError):
        value_of(source)
