# ruff: noqa: E501  # an expression stands on one line
import pytest

from minikube_py.api.cel.expressions import COST_MAX, compile_expression
from minikube_py.api.cel.values import Budget, CelError


def value_of(source):
    return compile_expression(source, ()).evaluate({}, Budget(COST_MAX))


@pytest.mark.parametrize(
    "source",
    [
        "!format.dns1123Label().validate('a-b').hasValue() && format.dns1123Label().validate('A_').hasValue()",
        "format.named('dns1035Label').value().validate('1a').value().size() == 1",
        "!format.named('nobody').hasValue() && !format.dns1123LabelPrefix().validate('a-').hasValue()",
        "!format.uuid().validate('123e4567-e89b-12d3-a456-426614174000').hasValue() && format.uri().validate('x y').hasValue()",
        "!format.datetime().validate('2020-01-01T00:00:00Z').hasValue() && format.datetime().validate('noon').hasValue()",
        "!format.qualifiedName().validate('example.com/a').hasValue() && !format.labelValue().validate('').hasValue()",
    ],
)
def test_it_holds(source):
    assert value_of(source) is True


@pytest.mark.parametrize(
    "source",
    [
        "format.named(1)",
        "format.date().validate(1)",
        "'a'.validate('b')",
    ],
)
def test_it_fails(source):
    with pytest.raises(CelError):
        value_of(source)
