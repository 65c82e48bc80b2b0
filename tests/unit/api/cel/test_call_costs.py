import pytest

from minikube_py.api.cel.call_costs import Operand, call_cost
from minikube_py.api.cel.sizes import LARGEST, Size


def text(most, least=0):
    return Operand("string", Size(least, most))


def a_list(most, element=0, kind="string"):
    return Operand("list", Size(0, most), kind, Size(0, element))


@pytest.mark.parametrize(
    ("function", "target", "arguments", "cost", "size"),
    [
        ("getHours", text(9), (), 1, None),
        ("check", Operand("dyn", Size(0, 1)), (), 350000, None),
        ("sum", a_list(10, kind="int"), (), 10, None),
        ("isSorted", a_list(10, 40), (), 50, None),
        ("indexOf", text(100), (text(1),), 10, None),
        ("max", None, (text(1), text(1)), 1, None),
        ("url", None, (text(30),), 3, None),
        ("trim", text(25), (), 3, Size(0, 25)),
        ("replace", text(16), (text(1, 1), text(1, 1)), 4, Size(0, 16)),
        ("replace", text(16), (text(2, 2), text(3, 3)), 4, Size(0, 24)),
        ("split", text(10), (text(1), Operand("int", Size(1, 1), literal=3)), 2, Size(0, 3)),
        ("join", a_list(10, 40), (text(1),), 41, Size(0, 409)),
        ("findAll", text(9), (text(8),), 2, Size(0, 9)),
        ("matches", text(99), (text(8),), 20, None),
        ("contains", text(100), (text(20),), 20, None),
        ("endsWith", text(100), (text(20),), 2, None),
        ("containsIP", Operand("net.CIDR", Size(0, 1)), (text(50),), 9, None),
        ("containsCIDR", Operand("net.CIDR", Size(0, 1)), (Operand("net.CIDR", Size(0, 1)),), 7, None),
        ("sets.contains", None, (a_list(3), a_list(4)), 13, None),
        ("bytes", None, (text(10),), 1, Size(0, 40)),
        ("string", None, (Operand("bytes", Size(8, 40)),), 4, Size(2, 40)),
        ("string", None, (Operand("int", Size(1, 1)),), 1, None),
        ("format", text(20), (a_list(3),), 2, None),
        ("_==_", None, (text(LARGEST), text(30)), 3, None),
        ("_<_", None, (text(50), text(30)), 3, None),
        ("_<_", None, (Operand("int", Size(0, 0)), Operand("int", Size(1, 1))), 1, None),
        ("_+_", None, (text(50), text(30)), 8, Size(0, 80)),
        ("_+_", None, (a_list(5), a_list(6)), 1, Size(0, 11)),
        ("_+_", None, (Operand("int", Size(1, 1)), Operand("int", Size(1, 1))), 1, None),
        ("@in", None, (text(5), a_list(70)), 70, None),
        ("@in", None, (text(5), Operand("map", Size(0, 70))), 1, None),
    ],
    ids=str,
)
def test_a_call_costs_what_it_looks_through(function, target, arguments, cost, size):
    found = call_cost(function, target, arguments)
    assert found.cost == cost
    if size is not None or (found.size is not None and function != "_+_"):
        assert found.size == size


def test_what_our_types_do_not_know_is_cheap():
    unknown = Operand("dyn", Size(0, LARGEST), is_known=False)
    assert call_cost("_+_", None, (unknown, unknown)).cost == 1
    assert call_cost("@in", None, (unknown, unknown)).cost == 1
