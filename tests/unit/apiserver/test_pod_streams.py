import pytest

from minikube_py.api.errors import BadRequestError, InvalidError
from minikube_py.api.streams import ContainerRef, ExecOptions, LogOptions
from minikube_py.apiserver.pod_streams import (
    check_exec_options,
    choose_container,
    container_names,
    parse_exec_options,
    parse_log_options,
)

NOW_S = 1767225600.0


def a_pod(containers=("c",), init=(), ephemeral=()):
    spec = {
        "containers": [{"name": name} for name in containers],
        "initContainers": [{"name": name} for name in init],
        "ephemeralContainers": [{"name": name} for name in ephemeral],
    }
    return {"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": spec}


def test_the_only_container_needs_no_name():
    assert choose_container(a_pod(init=("i",)), "") == ContainerRef("n", "p", "u", "c")


def test_a_container_of_any_kind_can_be_named():
    pod = a_pod(("c", "c2"), ("i",), ("e",))
    assert container_names(pod) == ["i", "c", "c2", "e"]
    assert [choose_container(pod, name).container for name in ("i", "c2", "e")] == ["i", "c2", "e"]


@pytest.mark.parametrize(
    ("pod", "asked", "message"),
    [
        (
            a_pod(("c", "c2"), ("i",)),
            "",
            "a container name must be specified for pod p, choose one of: [i c c2]",
        ),
        (a_pod(), "zzz", "container zzz is not valid for pod p"),
    ],
)
def test_a_container_that_is_not_clear_or_not_there_is_refused(pod, asked, message):
    with pytest.raises(BadRequestError) as refused:
        choose_container(pod, asked)
    assert refused.value.message == message


def test_log_options_read_as_they_are_meant():
    query = {"follow": "true", "timestamps": "1", "tailLines": "0", "limitBytes": "9", "sinceSeconds": "60"}
    assert parse_log_options("p", query, NOW_S) == LogOptions(
        follow=True, timestamps=True, tail_lines=0, limit_bytes=9, since_s=NOW_S - 60
    )
    since = parse_log_options("p", {"sinceTime": "2026-01-01T00:00:00Z", "stream": "Stderr"}, NOW_S)
    assert (since.since_s, since.stream) == (NOW_S, "Stderr")


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        (
            {"tailLines": "-1", "limitBytes": "0", "sinceSeconds": "0"},
            "[tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must "
            "be greater than 0, sinceSeconds: Invalid value: 0: must be greater than 0]",
        ),
        (
            {"sinceSeconds": "1", "sinceTime": "2026-01-01T00:00:00Z"},
            "[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
        ({"stream": "X"}, 'stream: Unsupported value: "X": supported values: "All", "Stderr", "Stdout"'),
        (
            {"stream": "Stdout", "tailLines": "1"},
            "tailLines: Forbidden: `tailLines` and specific `stream` are mutually exclusive for now",
        ),
    ],
)
def test_log_options_that_make_no_sense_are_refused(query, faults):
    with pytest.raises(InvalidError) as refused:
        parse_log_options("p", query, NOW_S)
    assert refused.value.message == f'PodLogOptions "p" is invalid: {faults}'


def test_a_time_that_is_none_is_refused():
    with pytest.raises(BadRequestError, match='parsing time "yesterday"'):
        parse_log_options("p", {"sinceTime": "yesterday"}, NOW_S)


def test_exec_options_read_as_they_are_meant():
    query = {"stdin": "true", "stdout": "1", "tty": "true"}
    assert parse_exec_options(query, ["sh", "-c"], attach=False) == ExecOptions(("sh", "-c"), True, True, False, True)
    assert parse_exec_options(query, ["ignored"], attach=True).command == ()


@pytest.mark.parametrize(
    ("options", "attach", "message"),
    [
        (ExecOptions(("sh",), False, True, True, True), False, "tty and stderr cannot both be true"),
        (
            ExecOptions(("sh",), False, False, False, False),
            False,
            "you must specify at least 1 of stdin, stdout, stderr",
        ),
        (ExecOptions((), False, True, False, False), False, "you must specify at least one command"),
    ],
)
def test_an_exec_that_makes_no_sense_is_refused(options, attach, message):
    with pytest.raises(BadRequestError, match=message):
        check_exec_options(options, attach=attach)
    check_exec_options(ExecOptions((), False, True, False, False), attach=True)
