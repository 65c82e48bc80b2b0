import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.streaming.spdy import (
    DICTIONARY,
    FRAME_BYTES_MAX,
    Ignored,
    Ping,
    SpdyCodec,
    SpdyError,
    StreamData,
    StreamOpened,
)
from minikube_py.testing.spdy_client import SpdyClientCodec


def test_the_dictionary_is_the_draft_s():
    # The checksum that zlib streams of every SPDY/3 speaker name.
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


def test_streams_opened_by_a_client_are_read_with_their_headers():
    client, server = SpdyClientCodec(), SpdyCodec()

    frames = server.feed(
        client.syn_stream(1, {"streamtype": "error"}) + client.syn_stream(3, {"streamtype": "stdin"})
    )

    assert frames == [
        StreamOpened(1, {"streamtype": "error"}, False),
        StreamOpened(3, {"streamtype": "stdin"}, False),
    ]


def test_answers_keep_the_compression_in_step():
    client, server = SpdyClientCodec(), SpdyCodec()
    client.feed(server.syn_reply(1))

    assert client.feed(server.syn_reply(3)) == [Ignored(2)]


@given(st.lists(st.tuples(st.integers(1, 2**31 - 1), st.binary(max_size=200), st.booleans()), max_size=8), st.data())
def test_data_survives_any_cutting_of_the_bytes(items, draw):
    sender, receiver = SpdyCodec(), SpdyCodec()
    wire = b"".join(sender.data(stream_id, data, fin=fin) for stream_id, data, fin in items)
    frames, rest = [], wire
    while rest:
        size = draw.draw(st.integers(1, len(rest)))
        frames += receiver.feed(rest[:size])
        rest = rest[size:]

    assert frames == [StreamData(*item) for item in items]


def test_a_ping_comes_back_as_it_went():
    codec = SpdyCodec()

    assert SpdyCodec().feed(codec.ping(7)) == [Ping(7)]


@pytest.mark.parametrize(
    "wire",
    [
        b"\x80\x02\x00\x01\x00\x00\x00\x00",
        b"\x80\x03\x00\x01\x00\x00\x00\x02ab",
        b"\x80\x03\x00\x01\x00\x00\x00\x0e" + b"\x00" * 10 + b"junk",
        b"\x00\x00\x00\x01\x00" + (FRAME_BYTES_MAX + 1).to_bytes(3),
    ],
    ids=["version", "short", "zlib", "long"],
)
def test_faults_of_the_peer_are_told(wire):
    with pytest.raises(SpdyError):
        SpdyCodec().feed(wire)


def test_a_header_block_may_not_explode():
    client, server = SpdyClientCodec(), SpdyCodec()

    with pytest.raises(SpdyError, match="inflates to more"):
        server.feed(client.syn_stream(1, {"streamtype": "x" * (1 << 20)}))


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(junk):
    codec = SpdyCodec()
    try:
        codec.feed(junk)
        codec.feed(b"\x80\x03\x00\x01" + junk)
    except SpdyError:
        pass
