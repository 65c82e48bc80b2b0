# ruff: noqa: E501  # an expression stands on one line
import pytest

from minikube_py.api.cel.expressions import COST_MAX, compile_expression
from minikube_py.api.cel.values import Budget, CelError


def value_of(source):
    return compile_expression(source, ()).evaluate({}, Budget(COST_MAX))


@pytest.mark.parametrize(
    "source",
    [
        "isQuantity('1Gi') && !isQuantity('x') && quantity('1Gi').isGreaterThan(quantity('500Mi'))",
        "quantity('1').isLessThan(quantity('1500m')) && quantity('1').compareTo(quantity('1000m')) == 0 && quantity('1') == quantity('1000m')",
        "quantity('50k').asInteger() == 50000 && quantity('50k').isInteger() && !quantity('50m').isInteger()",
        "quantity('50m').asApproximateFloat() == 0.05 && quantity('-1').sign() == -1 && quantity('0').sign() == 0",
        "quantity('1').add(quantity('2')).asInteger() == 3 && quantity('1').add(2).asInteger() == 3 && quantity('3').sub(1).asInteger() == 2",
        "string(quantity('1024Mi')) == '1Gi'",
        "isSemver('1.2.3') && !isSemver('v1.2') && isSemver('v1.2', true) && semver('v1.02', true).minor() == 2",
        "semver('1.2.3').major() == 1 && semver('1.2.3').patch() == 3 && semver('1.2.3-alpha.1').isLessThan(semver('1.2.3'))",
        "semver('1.0.0-alpha.2').isLessThan(semver('1.0.0-alpha.10')) && semver('2.0.0').isGreaterThan(semver('1.9.9'))",
        "semver('1.0.0').compareTo(semver('1.0.0+build')) == 0",
    ],
)
def test_it_holds(source):
    assert value_of(source) is True


@pytest.mark.parametrize(
    "source",
    [
        "quantity('x')",
        "quantity(1)",
        "quantity('50m').asInteger()",
        "quantity('1').isLessThan('2')",
        "semver('1')",
        "semver(1)",
        "'a'.major()",
    ],
)
def test_it_fails(source):
    with pytest.raises(CelError):
        value_of(source)
