import pytest

from minikube_py.kubelet.cri import ContainerRuntimeError
from minikube_py.kubelet.io import line_stream
from minikube_py.kubelet.io.line_stream import split_lines


async def chunked(*chunks):
    for chunk in chunks:
        yield chunk


async def test_lines_are_found_whatever_the_chunks():
    lines = [line async for line in split_lines(chunked(b"on", b"e\ntwo\r\n\r\nthr", b"ee\n"))]

    assert [line.strip() for line in lines] == [b"one", b"two", b"three"]


async def test_a_line_that_was_cut_off_is_dropped():
    assert [line async for line in split_lines(chunked(b'{"a":1}\n{"b"'))] == [b'{"a":1}']


async def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(line_stream, "LINE_BYTES_MAX", 10)
    with pytest.raises(ContainerRuntimeError, match="over 10 bytes"):
        async for _ in split_lines(chunked(b"x" * 8, b"y" * 8, b"z" * 8)):
            pass
