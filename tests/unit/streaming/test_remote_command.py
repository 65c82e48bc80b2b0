import orjson
import pytest

from minikube_py.api.errors import BadRequestError
from minikube_py.api.streams import TerminalSize
from minikube_py.streaming.remote_command import (
    SPDY_PROTOCOLS,
    STDOUT,
    WEBSOCKET_PROTOCOLS,
    Input,
    InputEnd,
    Resized,
    choose_protocol,
    parse_websocket_message,
    render_end,
    render_websocket_message,
)


def test_the_best_common_protocol_is_chosen():
    assert choose_protocol(["v4.channel.k8s.io", "v5.channel.k8s.io"], WEBSOCKET_PROTOCOLS) == "v5.channel.k8s.io"
    assert choose_protocol(["v5.channel.k8s.io", "v4.channel.k8s.io"], SPDY_PROTOCOLS) == "v4.channel.k8s.io"
    assert choose_protocol(["graphql-ws"], WEBSOCKET_PROTOCOLS) is None


@pytest.mark.parametrize(
    ("protocol", "wire", "message"),
    [
        ("v4.channel.k8s.io", b"\x00ls\n", Input(b"ls\n")),
        ("v4.channel.k8s.io", b'\x04{"Width":80,"Height":24}', Resized(TerminalSize(80, 24))),
        ("v5.channel.k8s.io", b"\xff\x00", InputEnd()),
        ("v4.channel.k8s.io", b"\xff\x00", None),
        ("v5.channel.k8s.io", b"\x00", None),
        ("v4.channel.k8s.io", b"\x04junk", None),
        ("v4.channel.k8s.io", b"", None),
        ("base64.channel.k8s.io", b"0bHMK", Input(b"ls\n")),
        ("base64.channel.k8s.io", b"0!", None),
    ],
)
def test_client_messages_mean_what_they_say(protocol, wire, message):
    assert parse_websocket_message(protocol, wire) == message


def test_output_names_its_channel():
    assert render_websocket_message("v5.channel.k8s.io", STDOUT, b"hi") == b"\x01hi"
    assert render_websocket_message("base64.channel.k8s.io", STDOUT, b"hi") == b"1aGk="


def test_the_exit_code_is_a_cause_of_the_status():
    status = orjson.loads(render_end("v4.channel.k8s.io", 3))

    assert (status["reason"], status["details"]["causes"]) == (
        "NonZeroExitCode",
        [{"reason": "ExitCode", "message": "3"}],
    )
    assert orjson.loads(render_end("v4.channel.k8s.io", 0))["status"] == "Success"


def test_old_protocols_get_text_and_nothing_on_success():
    assert render_end("v2.channel.k8s.io", 0) == b""
    assert b"exit status 3" in render_end("v2.channel.k8s.io", 3)
    assert render_end("channel.k8s.io", BadRequestError("no such container")) == b"no such container"
