import asyncio

import pytest
from aiohttp import HttpVersion10, HttpVersion11
from aiohttp.test_utils import make_mocked_request

from minikube_py.apiserver.io.whole_response import WRITER, WholeResponse, client_http


class Writer:
    """Takes what is written, at the reader's pace."""

    def __init__(self):
        self.written = b""
        self.may_go_on = asyncio.Event()

    async def write_eof(self, chunk=b""):
        self.written += chunk
        await self.may_go_on.wait()


def a_request(method="GET", version=HttpVersion11):
    request = make_mocked_request(method, "/", version=version)
    request[WRITER] = Writer()
    return request


async def test_the_whole_answer_is_one_write_and_waits_for_a_slow_reader():
    request = a_request()
    response = WholeResponse(request, 201, b"head and body")
    writer = request[WRITER]
    assert await response.prepare(request) is writer
    assert (response.status, writer.written) == (201, b"")
    async with asyncio.TaskGroup() as group:
        sent = group.create_task(response.write_eof())
        await asyncio.sleep(0)
        assert (writer.written, sent.done()) == (b"head and body", False)
        writer.may_go_on.set()


@pytest.mark.parametrize(("version", "kept"), [(HttpVersion11, True), (HttpVersion10, False)])
async def test_the_connection_is_kept_unless_the_client_wants_it_closed(version, kept):
    response = WholeResponse(a_request(version=version), 200, b"")
    assert response.keep_alive is kept


async def test_an_answer_can_be_the_last_one_of_its_connection():
    response = WholeResponse(a_request(), 200, b"")
    response.force_close()
    assert not response.keep_alive


async def test_a_head_request_and_an_old_client_are_told_from_the_usual_one():
    usual, head = client_http(a_request()), client_http(a_request("HEAD"))
    old = client_http(a_request(version=HttpVersion10))
    assert (usual.minor_version, usual.keep_alive, usual.wants_body) == (1, True, True)
    assert (head.minor_version, head.keep_alive, head.wants_body) == (1, True, False)
    assert (old.minor_version, old.keep_alive, old.wants_body) == (0, False, True)
