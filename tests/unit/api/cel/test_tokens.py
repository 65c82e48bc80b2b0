import pytest

from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.cel.tokens import TEXT_LENGTH_MAX, tokenize
from minikube_py.api.cel.values import Uint


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1", 1),
        ("0x1F", 31),
        ("5u", Uint(5)),
        ("0xFu", Uint(15)),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("'a\\n\\t\\''", "a\n\t'"),
        ('"\\u0041\\x42\\103"', "ABC"),
        ("r'\\d'", "\\d"),
        ("'''a\n'b'''", "a\n'b"),
        ("b'\\xff\\101é'", b"\xff" + b"A\xc3\xa9"),
        ("rb'\\x'", b"\\x"),
    ],
)
def test_constants_are_read(source, value):
    token = tokenize(source)[0]
    assert (token.kind, token.value, type(token.value)) == ("literal", value, type(value))


def test_names_symbols_and_comments():
    tokens = tokenize("a_1.`b-c` // nothing\n [?0]")
    assert [(token.kind, token.value) for token in tokens] == [
        ("ident", "a_1"),
        ("symbol", "."),
        ("quoted", "b-c"),
        ("symbol", "[?"),
        ("literal", 0),
        ("symbol", "]"),
        ("end", "<EOF>"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        *("'a", "'\\q'", "18446744073709551616u", "'\\U00110000'", "'\\ud800'", "b'\\udfff'"),
        "x" * (TEXT_LENGTH_MAX + 1),
    ],
)
def test_what_is_no_token_is_refused(source):
    with pytest.raises(CelSyntaxError):
        tokenize(source)
