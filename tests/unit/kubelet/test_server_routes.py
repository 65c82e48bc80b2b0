import pytest

from minikube_py.api.errors import BadRequestError, InvalidError, MethodNotSupportedError, NotFoundError
from minikube_py.api.streams import ExecOptions, LogOptions
from minikube_py.kubelet.server_routes import KubeletRoute, parse_command_query, parse_log_query, parse_route


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/exec/ns/p/c", KubeletRoute("exec", "ns", "p", "", "c")),
        ("POST", "/attach/ns/p/uid/c", KubeletRoute("attach", "ns", "p", "uid", "c")),
        ("POST", "/run/ns/p/c", KubeletRoute("run", "ns", "p", "", "c")),
        ("GET", "/portForward/ns/p", KubeletRoute("portForward", "ns", "p")),
        ("GET", "/portForward/ns/p/uid", KubeletRoute("portForward", "ns", "p", "uid")),
        ("GET", "/containerLogs/ns/p/c", KubeletRoute("containerLogs", "ns", "p", "", "c")),
        ("GET", "/runningpods/", KubeletRoute("runningpods")),
        ("GET", "/metrics/cadvisor", KubeletRoute("metrics", rest="cadvisor")),
        ("GET", "/logs/a/b", KubeletRoute("logs", rest="a/b")),
    ],
)
def test_paths(method, path, route):
    assert parse_route(method, path) == route


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", "/", NotFoundError),
        ("GET", "/exec/ns/p", NotFoundError),
        ("GET", "/exec/ns//c", NotFoundError),
        ("GET", "/containerLogs/ns/p/uid/c", NotFoundError),
        ("GET", "/pods/x", NotFoundError),
        ("POST", "/pods", MethodNotSupportedError),
        ("GET", "/run/ns/p/c", MethodNotSupportedError),
        ("GET", "/checkpoint/ns/p/c", MethodNotSupportedError),
    ],
)
def test_what_is_no_path_of_a_kubelet(method, path, error):
    with pytest.raises(error):
        parse_route(method, path)


def test_a_query_of_logs():
    asked = {"follow": "true", "tail": "all", "sinceSeconds": "10", "limitBytes": "5", "timestamps": "1"}

    assert parse_log_query(asked, 100.0) == LogOptions(follow=True, timestamps=True, since_s=90.0, limit_bytes=5)
    assert parse_log_query({"tailLines": "0", "stream": "Stderr"}, 0) == LogOptions(tail_lines=0, stream="Stderr")
    assert parse_log_query({"sinceTime": "1970-01-01T00:00:05Z"}, 100.0).since_s == 5.0


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"tailLines": "x"}, BadRequestError),
        ({"sinceTime": "yesterday"}, BadRequestError),
        ({"tailLines": "-1"}, InvalidError),
        ({"sinceSeconds": "0"}, InvalidError),
        ({"sinceSeconds": "1", "sinceTime": "1970-01-01T00:00:05Z"}, InvalidError),
        ({"stream": "Both"}, InvalidError),
    ],
)
def test_a_query_of_logs_that_makes_no_sense(asked, error):
    with pytest.raises(error):
        parse_log_query(asked, 0.0)


def test_a_query_of_a_command():
    asked = {"input": "1", "output": "1", "error": "1", "tty": "1"}

    assert parse_command_query(asked, ["a", "b"], attach=False) == ExecOptions(("a", "b"), True, True, False, True)
    assert parse_command_query({"error": "1"}, ["a"], attach=True) == ExecOptions((), False, False, True, False)
    with pytest.raises(BadRequestError, match="at least 1 of stdin"):
        parse_command_query({"output": "true"}, ["a"], attach=False)
    with pytest.raises(BadRequestError, match="at least one command"):
        parse_command_query({"output": "1"}, [], attach=False)
