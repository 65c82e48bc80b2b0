import pytest

from minikube_py.api.regular_expressions import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^[a-z]+$", "abc", True),
        ("^[a-z]+$", "abc\n", False),
        ("b", "abc", True),
        (r"^\d+\z", "12", True),
        ("^[[:alpha:]]+$", "aB", True),
        (r"^(?<word>\w+)$", "x", True),
        (r"a\$", "a$", True),
        (r"^\d$", "٣", False),
    ],
    ids=str,
)
def test_patterns_match_as_re2_does(pattern, text, found):
    assert bool(compile_pattern(pattern).search(text)) is found


def test_what_is_no_pattern_says_so():
    with pytest.raises(ValueError, match="error parsing regexp"):
        compile_pattern("(")
