import pytest

from minikube_py.apiserver.http_head import ClientHttp, render_answer

JSON = {"content-type": "application/json"}
EPOCH_S = 784111777.9  # the example of RFC 9110


def head_and_body(status=200, fields=JSON, body=b"{}", audit_id="a", client=ClientHttp()):  # noqa: B008
    head, _, rest = render_answer(status, fields, body, audit_id, EPOCH_S, client).partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), rest


def test_an_answer_is_a_head_and_a_body():
    head, body = head_and_body()
    assert head == [
        "HTTP/1.1 200 OK",
        "Cache-Control: no-cache, private",
        "Server: minikube-py",
        "Content-Type: application/json",
        "Audit-Id: a",
        "Content-Length: 2",
        "Date: Sun, 06 Nov 1994 08:49:37 GMT",
    ]
    assert body == b"{}"


def test_answers_after_another_differ_where_they_should():
    first, _ = head_and_body()
    second, body = head_and_body(409, {**JSON, "retry-after": "1"}, b"full", "b")
    assert second[0] == "HTTP/1.1 409 Conflict"
    assert set(second) - set(first) == {
        "HTTP/1.1 409 Conflict",
        "retry-after: 1",
        "Audit-Id: b",
        "Content-Length: 4",
    }
    assert body == b"full"


def test_an_answer_that_may_be_kept_says_nothing_else_of_keeping():
    head, _ = head_and_body(fields={**JSON, "cache-control": "public, immutable"})
    assert [line for line in head if line.lower().startswith("cache-control")] == ["Cache-Control: public, immutable"]
    assert "Cache-Control: no-cache, private" in head_and_body()[0]


def test_head_is_answered_with_the_length_alone():
    head, body = head_and_body(client=ClientHttp(wants_body=False))
    assert "Content-Length: 2" in head
    assert body == b""


def test_not_modified_has_no_body():
    assert head_and_body(304)[1] == b""


@pytest.mark.parametrize(
    ("client", "line", "connection"),
    [
        (ClientHttp(1, keep_alive=True), "HTTP/1.1 200 OK", []),
        (ClientHttp(1, keep_alive=False), "HTTP/1.1 200 OK", ["Connection: close"]),
        (ClientHttp(0, keep_alive=True), "HTTP/1.0 200 OK", ["Connection: keep-alive"]),
        (ClientHttp(0, keep_alive=False), "HTTP/1.0 200 OK", ["Connection: close"]),
    ],
)
def test_the_connection_is_kept_as_the_client_asked(client, line, connection):
    head, _ = head_and_body(client=client)
    assert head[0] == line
    assert [field for field in head if field.startswith("Connection")] == connection


@pytest.mark.parametrize("bad", ["a\r\nSet-Cookie: x=1", "a\nb", "a\0"])
def test_nothing_gets_out_of_its_header(bad):
    with pytest.raises(AssertionError, match="cannot hold"):
        head_and_body(fields={**JSON, "warning": bad})
    with pytest.raises(AssertionError, match="cannot hold"):
        head_and_body(audit_id=bad)
    with pytest.raises(AssertionError, match="cannot hold"):
        head_and_body(fields={"content-type": bad})


def test_what_is_no_utf_8_goes_back_as_it_came():
    answer = render_answer(200, JSON, b"", b"\xff".decode("utf-8", "surrogateescape"), EPOCH_S)
    assert b"Audit-Id: \xff\r\n" in answer
