import gzip

import pytest

from minikube_py.api.errors import TooLargeError, TooManyRequestsError
from minikube_py.apiserver.io.http_requests import BodyRoom, compress_parts, read_body


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
