import pytest

from minikube_py.api.errors import BadRequestError
from minikube_py.kubelet.node_log_query import NodeLogQuery, journal_command, parse_node_log_query, select_lines


def test_a_query_becomes_a_command_line_of_the_journal():
    asked = parse_node_log_query(
        ["docker", "ssh@1"],
        {"sinceTime": "1970-01-01T00:01:00Z", "tailLines": "5", "pattern": "a.*b"},
    )

    assert journal_command(asked)[4:] == [
        "--unit=docker",
        "--unit=ssh@1",
        "--since=@60",
        "--lines=5",
        "--grep=a.*b",
    ]
    assert journal_command(parse_node_log_query(["x"], {"boot": "-1"}))[-1] == "--boot=-1"


@pytest.mark.parametrize(
    ("services", "query"),
    [
        (["--all"][:1], {"tailLines": "x"}),
        (["a b"], {}),
        (["../etc/passwd"], {}),
        (["a"] * 5, {}),
        (["a"], {"tailLines": "-1"}),
        (["a"], {"boot": "1"}),
        (["a"], {"boot": "0", "sinceTime": "1970-01-01T00:01:00Z"}),
        (["a"], {"sinceTime": "noon"}),
        (["a"], {"pattern": "("}),
    ],
)
def test_what_cannot_be_asked_is_refused(services, query):
    with pytest.raises(BadRequestError):
        parse_node_log_query(services, query)


def test_lines_of_a_file_are_chosen_by_pattern_and_end():
    text = "a1\nb\na2\na3\n"

    assert select_lines(text, NodeLogQuery(("x",), pattern="^a", tail_lines=2)) == "a2\na3\n"
    assert select_lines(text, NodeLogQuery(("x",))) == text
    assert select_lines(text, NodeLogQuery(("x",), tail_lines=0)) == ""
