import pytest

from minikube_py.kubelet.grpc_health import (
    GrpcAnswer,
    decode_status,
    encode_request,
    judge_answer,
    not_connected,
    timed_out,
)
from minikube_py.kubelet.probes import ProbeResult

HEALTHY = b"\x00\x00\x00\x00\x02\x08\x01"


def test_a_request_for_the_whole_server_has_no_fields():
    assert encode_request("") == b"\x00\x00\x00\x00\x00"


def test_a_request_names_the_service():
    assert encode_request("web") == b"\x00\x00\x00\x00\x05\x0a\x03web"


def test_a_long_service_name_has_a_two_byte_length():
    assert encode_request("x" * 200)[5:8] == b"\x0a\xc8\x01"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (HEALTHY, 1),
        (b"\x00\x00\x00\x00\x00", 0),
        (b"\x00\x00\x00\x00\x03\x08\x80\x01", 128),
        (b"", None),
        (b"\x01\x00\x00\x00\x02\x08\x01", None),
        (b"\x00\x00\x00\x00\x03\x08\x01", None),
        (b"\x00\x00\x00\x00\x02\x12\x01", None),
        (b"\x00\x00\x00\x00\x02\x08\x81", None),
    ],
    ids=["serving", "zero", "two-bytes", "nothing", "compressed", "short", "other-field", "cut-off"],
)
def test_the_status_is_read_from_the_answer(body, status):
    assert decode_status(body) == status


@pytest.mark.parametrize(
    ("headers", "body", "result", "words"),
    [
        ({"grpc-status": "0"}, HEALTHY, ProbeResult.SUCCESS, "service healthy"),
        (
            {"grpc-status": "0"},
            b"\x00\x00\x00\x00\x02\x08\x02",
            ProbeResult.FAILURE,
            'service unhealthy (responded with "NOT_SERVING")',
        ),
        (
            {"grpc-status": "12", "grpc-message": "unknown service"},
            b"",
            ProbeResult.FAILURE,
            "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service",
        ),
        ({"grpc-status": "4"}, b"", ProbeResult.FAILURE, "timeout: health rpc did not complete within 1s"),
        (
            {"grpc-status": "5", "grpc-message": "no such service"},
            b"",
            ProbeResult.FAILURE,
            "error: health rpc probe failed: rpc error: code = NotFound desc = no such service",
        ),
        (
            {":status": "404"},
            b"",
            ProbeResult.FAILURE,
            "error: health rpc probe failed: rpc error: code = Unavailable desc = unexpected HTTP status code "
            "received from server: 404",
        ),
    ],
    ids=["healthy", "not-serving", "unimplemented", "deadline", "not-found", "no-grpc"],
)
def test_an_answer_reads_as_upstream_s_does(headers, body, result, words):
    outcome = judge_answer(GrpcAnswer(headers, body), 1.0)

    assert (outcome.result, outcome.output) == (result, words)


def test_what_never_answers_is_a_failure_with_the_time_it_had():
    assert timed_out(2.0).output == "timeout: health rpc did not complete within 2s"
    said = not_connected("10.0.0.1:50", 1.0, "context deadline exceeded")
    assert said.result is ProbeResult.FAILURE
    assert said.output == 'timeout: failed to connect service "10.0.0.1:50" within 1s: context deadline exceeded'
