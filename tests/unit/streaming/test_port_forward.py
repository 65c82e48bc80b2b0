import pytest

from minikube_py.api.errors import BadRequestError
from minikube_py.api.streams import PodRef
from minikube_py.streaming.port_forward import (
    StreamHead,
    channel_head,
    failure_text,
    parse_message,
    parse_ports,
    parse_stream_head,
    render_message,
)


def test_two_streams_with_the_same_request_id_belong_together():
    error = parse_stream_head(1, {"streamtype": "error", "port": "80", "requestid": "7"})
    data = parse_stream_head(3, {"streamtype": "Data", "port": "80", "requestid": "7"})

    assert error == StreamHead("7", "error", 80)
    assert data == StreamHead("7", "data", 80)


def test_streams_without_a_request_id_are_joined_by_their_numbers():
    error = parse_stream_head(5, {"streamtype": "error", "port": "80"})
    data = parse_stream_head(7, {"streamtype": "data", "port": "80"})

    assert error is not None
    assert data is not None
    assert error.request == data.request


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"streamtype": "error"},
        {"streamtype": "stdin", "port": "80"},
        *({"streamtype": "data", "port": port} for port in ("0", "65536", "-1", "x", "٣", "1" * 5000)),
    ],
)
def test_a_stream_without_a_port_or_type_is_none(headers):
    assert parse_stream_head(1, headers) is None


def test_ports_stand_in_several_parameters_or_with_commas():
    assert parse_ports(["80,443", "8080"]) == (80, 443, 8080)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([], 'query parameter "port" is required'),
        ([""], 'query parameter "port" is required'),
        (["80,http"], 'unable to parse "http" as a port'),
        (["0"], 'unable to parse "0" as a port'),
        (["80"] * 101, "at most 100 ports"),
    ],
)
def test_ports_that_are_none_are_refused(values, why):
    with pytest.raises(BadRequestError, match=why):
        parse_ports(values)


def test_each_channel_begins_with_its_port_low_byte_first():
    assert channel_head(8080) == b"\x90\x1f"


@pytest.mark.parametrize("protocol", ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"])
def test_messages_carry_a_channel_and_data(protocol):
    message = render_message(protocol, 3, b"\x00data")

    assert parse_message(protocol, message) == (3, b"\x00data")
    assert message[0] == (3 if "base64" not in protocol else ord("3"))


def test_messages_that_hold_nothing_are_none():
    assert parse_message("v4.channel.k8s.io", b"") is None
    assert parse_message("v4.base64.channel.k8s.io", b"0a") is None


def test_a_failure_names_the_port_and_the_pod():
    text = failure_text(PodRef("default", "web", "u-1"), 80, "connection refused")

    assert text == b"error forwarding port 80 to pod web, uid u-1: connection refused"
