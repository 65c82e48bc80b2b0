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
        (r"^(a|b$)", "b\n", False),
        (r"^(a$|b$)", "a", True),
        (r"(?m)^a$", "a\nb", True),
        (r"^(?i)abc$", "ABC", True),
        (r"^\Qa.b\E+$", "a.bb", True),
        (r"^\Qa.b", "axb", False),
        (r"[$]", "a$", True),
        (r"^[^]a]$", "b", True),
        (r"^[]a]$", "]", True),
        (r"^[[a]$", "[", True),
        (r"^[\]$]+$", "]$", True),
        (r"^[a[:digit:]-]+$", "a-1", True),
    ],
    ids=str,
)
def test_patterns_match_as_re2_does(pattern, text, found):
    assert bool(compile_pattern(pattern).search(text)) is found


@pytest.mark.parametrize(
    "pattern", ["(", "[a", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)b", r"(a)\1", r"a\Z", "a\\", "(?P<a>x)(?P=a)"]
)
def test_what_is_no_pattern_of_re2_says_so(pattern):
    with pytest.raises(ValueError, match="error parsing regexp"):
        compile_pattern(pattern)
