import pytest

from minikube_py.api.jsonpath import JsonPathError, find_all, parse_path, render_value, simple_path, value_at

OBJ = {
    "nothing": [None],
    "a": {"b": [{"n": 1, "t": "x"}, {"n": 2, "t": "y"}], "dotted.key": 3, "c": {"n": 4}},
    "list": [1, 2, 3],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b[0].n", [1]),
        ("{.a.b[1].n}", [2]),
        ("$.a.b[-1].t", ["y"]),
        (".a.b[*].n", [1, 2]),
        (".a['dotted.key']", [3]),
        (r".a.dotted\.key", [3]),
        ('.a.b[?(@.t=="y")].n', [2]),
        (".a.b[?(@.n>1)].t", ["y"]),
        (".a.b[?(@.missing)].t", []),
        (".a.b[?(@.t!='x')].t", ["y"]),
        (".a.b[?(@.t>1)].n", []),
        (".a.b[?(@.t>='x')].n", [1, 2]),
        (".nothing[?(@.t<null)]", []),
        (".list[0:2]", [1, 2]),
        ("..n", [1, 2, 4]),
        (".a.c.*", [4]),
        (".none.at.all", []),
        (".list[9]", []),
    ],
)
def test_a_path_finds_values(path, found):
    assert sorted(map(str, find_all(OBJ, parse_path(path)))) == sorted(map(str, found))


@pytest.mark.parametrize("path", [".a[", ".a[x]", "[?(bad)]"])
def test_a_path_that_cannot_be_read_says_so(path):
    with pytest.raises(JsonPathError):
        parse_path(path)


def test_simple_paths_have_fields_only():
    assert simple_path(".spec.replicas") == ("spec", "replicas")
    for path in ("spec.replicas", ".spec.list[0]", "."):
        with pytest.raises(JsonPathError):
            simple_path(path)


def test_a_value_is_read_along_a_path():
    assert value_at(OBJ, ("a", "c", "n")) == 4
    assert value_at(OBJ, ("a", "x", "n")) is None
    assert value_at(OBJ, ("list", "0")) is None


def test_values_are_rendered_as_kubectl_does():
    assert [render_value(value) for value in ("x", True, 1, {"a": 1}, [1])] == ["x", "true", "1", '{"a":1}', "[1]"]
