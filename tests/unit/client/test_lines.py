from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.client.lines import LINE_BYTES_MAX, LineSplitter, LineTooLongError


@given(
    st.binary(max_size=60).map(lambda data: data.replace(b"\x00", b"\n")), st.lists(st.integers(0, 60), max_size=8)
)
def test_lines_do_not_depend_on_how_the_stream_is_cut(data, cuts):
    splitter, got = LineSplitter(), []
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    for start, end in pairwise(edges):
        got += splitter.feed(data[start:end])

    *whole, rest = data.split(b"\n")
    assert got == [line for line in whole if line.strip()]
    assert splitter.rest() == rest


def test_a_line_far_beyond_any_buffer_is_one_line():
    splitter = LineSplitter()
    for _ in range(100):
        assert splitter.feed(b"x" * 10_000) == []

    assert splitter.feed(b"\n") == [b"x" * 1_000_000]


def test_a_line_that_never_ends_is_given_up():
    splitter = LineSplitter()

    with pytest.raises(LineTooLongError):
        for _ in range(LINE_BYTES_MAX // (1 << 20) + 1):
            splitter.feed(b"x" * (1 << 20))
