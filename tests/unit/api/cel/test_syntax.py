from minikube_py.api.cel.syntax import CelSyntaxError


def test_an_error_shows_the_line_and_the_place():
    assert str(CelSyntaxError("a ==\nb.c", 6, "undefined field 'c'")) == (
        "ERROR: <input>:2:2: undefined field 'c'\n | b.c\n | .^"
    )
