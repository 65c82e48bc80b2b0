# ruff: noqa: E501  # an expression stands on one line
import pytest

from minikube_py.api.cel.expressions import COST_MAX, compile_expression
from minikube_py.api.cel.values import Budget, CelError


def value_of(source):
    return compile_expression(source, ()).evaluate({}, Budget(COST_MAX))


@pytest.mark.parametrize(
    "source",
    [
        "isURL('https://a.b/c') && !isURL('no url') && url('https://a.b:80/p?x=1&x=2').getScheme() == 'https'",
        "url('https://u@a.b:80/p').getHost() == 'a.b:80' && url('https://a.b:80/').getHostname() == 'a.b'",
        "url('https://a.b:80/').getPort() == '80' && url('https://a.b/').getPort() == '' && url('https://[::1]:80/').getHostname() == '::1'",
        "url('/p q').getEscapedPath() == '/p%20q' && url('https://a/?x=1&x=2&y=').getQuery() == {'x': ['1', '2'], 'y': ['']}",
        "isIP('10.0.0.1') && isIP('::1') && !isIP('10.0.0') && ip('10.0.0.1').family() == 4 && ip('::1').family() == 6",
        "ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified() && ip('224.0.0.1').isLinkLocalMulticast()",
        "ip('169.254.1.1').isLinkLocalUnicast() && ip('8.8.8.8').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()",
        "ip.isCanonical('::1') && !ip.isCanonical('0:0:0:0:0:0:0:1') && string(ip('::1')) == '::1' && ip('10.0.0.1') == ip('10.0.0.1')",
        "isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0') && cidr('10.0.0.0/8').containsIP('10.1.2.3')",
        "cidr('10.0.0.0/8').containsIP(ip('10.1.2.3')) && !cidr('10.0.0.0/8').containsIP('::1')",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
        "cidr('10.1.2.3/8').prefixLength() == 8 && string(cidr('10.1.2.3/8').masked()) == '10.0.0.0/8' && cidr('10.1.2.3/8').ip() == ip('10.1.2.3')",
        "type(ip('::1')) == type(ip('10.0.0.1'))",
    ],
)
def test_it_holds(source):
    assert value_of(source) is True


@pytest.mark.parametrize(
    "source",
    [
        "url('no url')",
        "url('https://a:bad/')",
        "ip('x')",
        "ip('::ffff:1.2.3.4')",
        "cidr('10.0.0.0/33')",
        "cidr('10.0.0.0/a')",
        "isIP(1)",
        "(1).family()",
    ],
)
def test_it_fails(source):
    with pytest.raises(CelError):
        value_of(source)
