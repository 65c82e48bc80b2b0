# ruff: noqa: E501  # an expression stands on one line
import pytest

from minikube_py.api.cel.expressions import COST_MAX, compile_expression
from minikube_py.api.cel.values import Budget, CelError


def value_of(source):
    return compile_expression(source, ()).evaluate({}, Budget(COST_MAX))


@pytest.mark.parametrize(
    "source",
    [
        "'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c') && 'abc'.matches('^a.c$') && matches('a', 'a')",
        "'abc123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]') == '' && 'a1b2'.findAll('[0-9]') == ['1', '2']",
        "'a1b2c3'.findAll('[0-9]', 2) == ['1', '2']",
        "'abc'.charAt(1) == 'b' && 'abc'.charAt(3) == '' && 'abcb'.indexOf('b') == 1 && 'abcb'.indexOf('b', 2) == 3",
        "'abcb'.lastIndexOf('b') == 3 && 'abcb'.lastIndexOf('b', 2) == 1 && 'abc'.indexOf('z') == -1",
        "['a', 'b'].join('-') == 'a-b' && ['a', 'b'].join() == 'ab'",
        "'AbÉ'.lowerAscii() == 'abÉ' && 'abé'.upperAscii() == 'ABé' && ' a '.trim() == 'a' && 'abc'.reverse() == 'cba'",
        "'aaa'.replace('a', 'b') == 'bbb' && 'aaa'.replace('a', 'b', 2) == 'bba'",
        "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'ab'.split('') == ['a', 'b']",
        "'abc'.split('', 2) == ['a', 'bc'] && 'a'.split(',', 0) == []",
        "'abc'.substring(1) == 'bc' && 'abc'.substring(0, 2) == 'ab'",
        "'%s %d %.2f %e %x %X %b %o %%'.format(['a', 1, 1.0, 1.0, 255, 'ab', 5, 8]) == 'a 1 1.00 1.000000e+00 ff 6162 101 10 %'",
        "'%s'.format([[1, 'a', {'k': true}, null]]) == '[1, \"a\", {\"k\":true}, null]'",
        "'%s %s %s'.format([1.5, 1e6, type(1)]) == '1.5 1e+06 int'",
        "'%s'.format([[1.5, b'a', duration('90s'), double('NaN')]]) == '[1.500000, b\"a\", duration(\"90s\"), \"NaN\"]'",
        "'%s'.format([{'t': timestamp('2020-01-01T00:00:00Z')}]) == '{\"t\":timestamp(\"2020-01-01T00:00:00Z\")}'",
        "'abc'.indexOf('a', 9) == -1 && 'abc'.indexOf('', 9) == 9 && ''.indexOf('a') == -1",
        "'abc'.lastIndexOf('c', 9) == -1 && 'abc'.lastIndexOf('', 9) == 9 && 'abc'.lastIndexOf('') == 3",
        "strings.quote('\\a\\n\\v') == r'\"\\a\\n\\v\"'",
        "strings.quote('a\"b') == '\"a\\\\\"b\"'",
    ],
)
def test_it_holds(source):
    assert value_of(source) is True


@pytest.mark.parametrize(
    "source",
    [
        "'a'.charAt(5)",
        "'abc'.substring(2, 1)",
        "'abc'.substring(9)",
        "'abc'.indexOf('a', -1)",
        "'abc'.lastIndexOf('a', -1)",
        "'abc'.substring(1, 9)",
        "'%.1001f'.format([1.0])",
        "'%.99999999999f'.format([1.0])",
        "'%s'.format([optional.none()])",
        "'a'.matches('(')",
        "'%d'.format(['a'])",
        "'%s'.format([])",
        "'%z'.format([1])",
        "[1].join()",
        "(1).trim()",
    ],
)
def test_it_fails(source):
    with pytest.raises(CelError):
        value_of(source)
