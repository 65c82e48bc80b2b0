import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.store import snapshot as snapshot_module
from minikube_py.store.interface import Entry
from minikube_py.store.records import plain
from minikube_py.store.snapshot import (
    SnapshotDamagedError,
    SnapshotEncoder,
    SnapshotHeader,
    blocks,
    read_header,
    read_snapshot,
    verify_snapshot,
)


def facts(entries):
    return [(e.key, e.value, e.create_revision, e.mod_revision) for e in entries]


def pieces_of(encoder, entries):
    yield encoder.begin()
    for block in blocks(entries):
        yield b"".join(encoder.frame(encoder.pack(block)))
    yield encoder.end()


def encoded(entries, seal=plain, **fields):
    header = SnapshotHeader(3, 77, 1000.5, len(entries), ("key-1",), **fields)
    return header, b"".join(pieces_of(SnapshotEncoder(header, seal), entries))


def read(data, unseal=plain):
    found = []
    header = read_snapshot(io.BytesIO(data).read, unseal, found.extend)
    return header, found


ENTRIES = [Entry(f"/k/{at}", b"v" * at, at + 1, at + 2) for at in range(20)]


@given(st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=9)), max_size=20), st.integers(1, 7))
def test_what_was_written_is_read_back(pairs, block):
    kept = snapshot_module.BLOCK_ENTRIES_MAX
    snapshot_module.BLOCK_ENTRIES_MAX = block
    try:
        entries = [Entry(key, value, 5, 6) for key, value in pairs]
        header, data = encoded(entries)
        assert read(data)[0] == header == read_header(io.BytesIO(data).read)
        assert facts(read(data)[1]) == facts(entries)
    finally:
        snapshot_module.BLOCK_ENTRIES_MAX = kept


def test_values_are_sealed_on_the_way_out_and_unsealed_on_the_way_in():
    _, data = encoded([Entry("/s", b"secret", 1, 1)], lambda key, value: value[::-1] + key.encode())

    assert b"terces/s" in data
    assert read(data, lambda key, value: value[: -len(key)][::-1])[1][0].value == b"secret"


def test_a_cut_after_any_byte_is_seen():
    _, data = encoded(ENTRIES)
    for cut in range(len(data)):
        with pytest.raises(SnapshotDamagedError):
            read(data[:cut])
        with pytest.raises(SnapshotDamagedError):
            verify_snapshot(io.BytesIO(data[:cut]).read)


def test_any_flipped_bit_is_seen():
    _, data = encoded(ENTRIES)
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << (place % 8)
        with pytest.raises(SnapshotDamagedError):
            read(bytes(damaged))
        with pytest.raises(SnapshotDamagedError):
            verify_snapshot(io.BytesIO(damaged).read)


def test_blocks_of_another_file_missing_blocks_and_a_longer_file_are_seen(monkeypatch):
    monkeypatch.setattr(snapshot_module, "BLOCK_ENTRIES_MAX", 10)
    header = SnapshotHeader(1, 77, 0.0, 20)
    pieces = list(pieces_of(SnapshotEncoder(header, plain), ENTRIES))
    assert len(pieces) == 4
    for order in ([0, 1, 3], [0, 2, 1, 3], [0, 1, 1, 3], [0, 1, 2], [0, 0, 1, 2, 3]):
        with pytest.raises(SnapshotDamagedError):
            read(b"".join(pieces[at] for at in order))
    with pytest.raises(SnapshotDamagedError, match="something follows"):
        read(b"".join(pieces) + b"x")


def test_a_block_ends_with_its_bytes_too(monkeypatch):
    monkeypatch.setattr(snapshot_module, "BLOCK_BYTES_MAX", 10)
    header = SnapshotHeader(1, 77, 0.0, 4)
    pieces = list(pieces_of(SnapshotEncoder(header, plain), [Entry(f"/{at}", b"12345", 1, 1) for at in range(4)]))

    assert len(pieces) == 4


def test_another_format_is_told(monkeypatch):
    monkeypatch.setattr(snapshot_module, "SNAPSHOT_VERSION", 9)
    _, data = encoded([])
    monkeypatch.setattr(snapshot_module, "SNAPSHOT_VERSION", 1)

    with pytest.raises(SnapshotDamagedError, match="format 9; this program reads 1"):
        read(data)
