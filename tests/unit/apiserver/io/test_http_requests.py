import gzip

import pytest
from aiohttp.test_utils import make_mocked_request

from minikube_py.api.errors import TooLargeError, TooManyRequestsError
from minikube_py.apiserver.io.http_requests import (
    TARGET_LENGTH_MAX,
    AskedBefore,
    BodyRoom,
    compress_parts,
    read_body,
)


class Content:
    """A body that comes in pieces (the part of aiohttp's request that is read)."""

    def __init__(self, *pieces):
        self._pieces = iter(pieces)
        self.content = self

    async def readany(self):
        return next(self._pieces, b"")


async def test_a_body_takes_room_for_what_has_come_of_it_until_its_request_is_answered():
    room = BodyRoom(10)
    with room.holding() as grow:
        assert await read_body(Content(b"abc", b"de"), 5, grow) == b"abcde"
        assert room.taken_bytes == 5
    assert room.taken_bytes == 0


async def test_a_body_for_which_there_is_no_room_is_to_be_sent_again_later():
    room = BodyRoom(10)
    with room.holding() as first:
        await read_body(Content(b"x" * 8), 10, first)
        with room.holding() as second, pytest.raises(TooManyRequestsError) as refused:
            await read_body(Content(b"x", b"x" * 2), 10, second)
        assert refused.value.retry_after_s == 1
        assert room.taken_bytes == 8


async def test_a_body_over_the_limit_is_refused():
    with BodyRoom(100).holding() as grow, pytest.raises(TooLargeError):
        await read_body(Content(b"abc", b"def"), 5, grow)


def test_parts_are_one_gzip_stream():
    assert gzip.decompress(b"".join(compress_parts([b"ab", b"", b"c"]))) == b"abc"


def asked(before, method, target):
    return before.of(make_mocked_request(method, target))


def test_what_is_asked_again_is_known():
    before = AskedBefore(9)
    first = asked(before, "GET", "/api/v1/namespaces/a%20b/pods/p?watch=1&x=1&x=2")
    assert (first.info.namespace, first.info.name, first.info.verb) == ("a b", "p", "watch")
    assert first.query == {"watch": "1", "x": "1"}
    assert asked(before, "GET", "/api/v1/namespaces/a%20b/pods/p?watch=1&x=1&x=2") is first
    assert asked(before, "DELETE", "/api/v1/namespaces/a%20b/pods/p?watch=1&x=1&x=2").info.verb == "delete"
    assert asked(before, "GET", "/api/v1/namespaces/a%20b/pods/p").info.verb == "get"


def test_what_has_not_been_asked_for_long_and_what_is_long_is_not_kept():
    before, long = AskedBefore(2), "/" + "x" * TARGET_LENGTH_MAX
    first, second = asked(before, "GET", "/first"), asked(before, "GET", "/second")
    assert asked(before, "GET", long) is not asked(before, "GET", long)
    asked(before, "GET", "/third")
    assert asked(before, "GET", "/second") is second
    assert asked(before, "GET", "/first") is not first
