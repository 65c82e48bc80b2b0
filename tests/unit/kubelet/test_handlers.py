import pytest

from minikube_py.kubelet.handlers import (
    ExecAction,
    GrpcAction,
    HttpGetAction,
    SleepAction,
    TcpSocketAction,
    parse_handler,
    parse_probe,
)


@pytest.mark.parametrize(
    ("raw", "handler"),
    [
        ({"exec": {"command": ["a", "b"]}}, ExecAction(("a", "b"))),
        ({"httpGet": {"port": "http"}}, HttpGetAction("/", "http", "", "http", ())),
        (
            {"httpGet": {"port": 1, "scheme": "HTTPS", "httpHeaders": [{"name": "X", "value": "1"}]}},
            HttpGetAction("/", 1, "", "https", (("X", "1"),)),
        ),
        ({"tcpSocket": {"port": 8080}}, TcpSocketAction(8080, "")),
        ({"grpc": {"port": 1}}, GrpcAction(1, "")),
        ({"sleep": {"seconds": 5}}, SleepAction(5.0)),
        ({}, None),
        (None, None),
    ],
)
def test_a_handler_is_parsed(raw, handler):
    assert parse_handler(raw) == handler


def test_a_probe_gets_upstreams_defaults():
    probe = parse_probe({"exec": {"command": ["true"]}})

    assert probe is not None
    assert (probe.initial_delay_s, probe.period_s, probe.timeout_s) == (0.0, 10.0, 1.0)
    assert (probe.success_threshold, probe.failure_threshold) == (1, 3)


def test_no_probe_is_none():
    assert parse_probe(None) is None
