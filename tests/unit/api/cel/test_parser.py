import pytest

from minikube_py.api.cel.parser import DEPTH_MAX, parse
from minikube_py.api.cel.syntax import Call, CelSyntaxError, Comprehension, Ident, Literal, Select


def test_operators_bind_as_they_should():
    tree = parse("a || b && c == 1 + 2 * -d")
    assert isinstance(tree, Call)
    assert tree.function == "_||_"
    conjunction = tree.arguments[1]
    assert isinstance(conjunction, Call)
    assert conjunction.function == "_&&_"
    equality = conjunction.arguments[1]
    assert isinstance(equality, Call)
    assert [equality.function, equality.arguments[1].function] == ["_==_", "_+_"]


def test_a_minus_belongs_to_its_number():
    assert parse("-9223372036854775808") == Literal(0, -(2**63))
    assert parse("-1.5") == Literal(0, -1.5)


def test_macros_are_taken_apart():
    tree = parse("l.filter(x, x > 1)")
    assert isinstance(tree, Comprehension)
    assert (tree.kind, tree.target, tree.variables) == ("filter", Ident(0, "l"), ("x",))
    tested = parse("has(a.b)")
    assert isinstance(tested, Select)
    assert tested.tests


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "mismatched input '<EOF>'"),
        ("a +", "mismatched input '<EOF>'"),
        ("a b", "mismatched input 'b'"),
        ("(a", "expecting ')'"),
        ("[1, 2", "expecting ']'"),
        ("has(a)", "invalid argument to has() macro"),
        ("l.all(1, true)", "argument must be a simple name"),
        ("for", "reserved identifier: for"),
        ("9223372036854775808", "invalid int literal"),
        ("a ? b", "expecting ':'"),
        ("a.1", "mismatched input"),
        ("#", "token recognition error"),
    ],
)
def test_what_is_no_expression_is_refused_with_a_caret(source, why):
    with pytest.raises(CelSyntaxError) as refused:
        parse(source)
    assert why in str(refused.value)
    assert str(refused.value).splitlines()[-1].endswith("^")


def test_nesting_has_an_end():
    for deep in ("(" * 300 + "1" + ")" * 300, "!" * 300 + "a", "[" * 300):
        with pytest.raises(CelSyntaxError, match=f"recursion limit exceeded: {DEPTH_MAX}"):
            parse(deep)


def _depth(node):
    return 1 + max(map(_depth, node.arguments)) if isinstance(node, Call) else 0


@pytest.mark.parametrize(("symbol", "count"), [("||", 2), ("||", 3), ("&&", 8), ("&&", 1000)])
def test_chains_of_logic_are_flat_and_keep_their_order(symbol, count):
    tree = parse(f" {symbol} ".join(f"x{number}" for number in range(count)))

    def names(node):
        return [name for part in node.arguments for name in names(part)] if isinstance(node, Call) else [node.name]

    assert names(tree) == [f"x{number}" for number in range(count)]
    assert _depth(tree) == (count - 1).bit_length()
