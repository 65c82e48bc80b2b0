import random
from itertools import accumulate

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.store.interface import Delete, Put
from minikube_py.store.records import (
    ALIGN_BYTES,
    HEADER_BYTES,
    RecordType,
    Segment,
    decode_segment,
    decode_transaction,
    encode_batch,
    encode_segment,
    encode_transaction,
    scan_segment,
)
from minikube_py.testing.old_log import encode_batch_of_format_2

T = RecordType.TRANSACTION
SECTOR_BYTES = 512


def a_log(sizes: list[list[int]]) -> tuple[bytes, list[int], list[bytes]]:
    """Return a segment with one batch of payloads for each inner list, where each batch ends, and all payloads."""
    batches, payloads, seq = [], [], 1
    for batch in sizes:
        made = [bytes([65 + (seq + at) % 26]) * size for at, size in enumerate(batch)]
        batches.append(encode_batch(seq, [(T, payload) for payload in made]))
        payloads += made
        seq += len(batch)
    return b"".join(batches), list(accumulate(map(len, batches))), payloads


BATCHES = st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=4), min_size=1, max_size=5)


@given(BATCHES, st.integers(0, 64))
def test_what_was_written_is_read_back_and_zeros_end_it(sizes, zeros):
    log, _, payloads = a_log(sizes)
    scan = scan_segment(log + bytes(zeros), 1)

    assert [record.payload for record in scan.records] == payloads
    assert [record.seq for record in scan.records] == list(range(1, len(payloads) + 1))
    assert (scan.end, scan.next_seq, scan.torn, scan.corrupt_at) == (len(log), len(payloads) + 1, False, None)
    assert len(log) % ALIGN_BYTES == 0


@pytest.mark.parametrize("rest", ["nothing", "zeros"])
def test_power_cut_after_any_byte_leaves_every_acknowledged_batch_and_whole_batches_only(rest):
    sizes = [[10], [3, 0, 20], [50, 1], [7, 7, 7, 7], [33]]
    log, ends, payloads = a_log(sizes)
    counts = [0, *accumulate(map(len, sizes))]
    for cut in range(len(log) + 1):
        scan = scan_segment(log[:cut] + (bytes(len(log) - cut + 64) if rest == "zeros" else b""), 1)

        acknowledged = sum(end <= cut for end in ends)
        kept = scan.end
        assert scan.corrupt_at is None
        assert kept in (0, *ends)
        # Zeros after the cut may happen to be the padding that was to be written: then one more batch is whole.
        whole = sum(end <= kept for end in ends)
        assert acknowledged <= whole <= acknowledged + 1
        assert [record.payload for record in scan.records] == payloads[: counts[whole]]
        assert scan.torn == bool(log[kept:cut].strip(b"\0"))


@given(st.lists(st.integers(0, 900), min_size=1, max_size=8), st.integers(0, 2**32))
def test_a_flush_that_never_ended_may_leave_any_sectors_of_its_batch_and_is_no_corruption(last, seed):
    log, ends, payloads = a_log([[100, 30], [700], last])
    flushed = ends[1]
    rng = random.Random(seed)
    disk = bytearray(log[:flushed] + bytes(len(log) - flushed))
    for start in range(flushed // SECTOR_BYTES * SECTOR_BYTES, len(log), SECTOR_BYTES):
        if rng.random() < 0.5:
            end = min(start + SECTOR_BYTES, len(log))
            disk[max(start, flushed) : end] = log[max(start, flushed) : end]
    scan = scan_segment(bytes(disk), 1)

    assert scan.corrupt_at is None
    assert [record.payload for record in scan.records][:3] == payloads[:3]
    assert len(scan.records) in (3, len(payloads))


@given(st.integers(0, 700), st.integers(0, 2**32))
def test_a_flushed_record_that_is_damaged_is_not_taken_for_torn_though_a_torn_batch_follows(place, seed):
    log, ends, _ = a_log([[10], [700], [1500]])
    rng = random.Random(seed)
    disk = bytearray(log)
    for start in range(ends[1] // SECTOR_BYTES * SECTOR_BYTES, len(log), SECTOR_BYTES):
        if rng.random() < 0.6:
            at = max(start, ends[1])
            disk[at : start + SECTOR_BYTES] = bytes(len(disk[at : start + SECTOR_BYTES]))
    disk[ends[0] + place] ^= 1 << seed % 8

    assert scan_segment(bytes(disk), 1).corrupt_at == ends[0]


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_before_the_last_batch_is_corruption_and_nothing_behind_it_is_read(place, bit):
    log, ends, payloads = a_log([[10, 20], [30], [40, 50], [5]])
    place %= ends[-2]
    damaged = bytearray(log)
    damaged[place] ^= 1 << bit
    scan = scan_segment(bytes(damaged), 1)

    whole = [record.payload for record in scan.records]
    assert whole == payloads[: len(whole)]
    if len(whole) != len(payloads):
        assert scan.corrupt_at is not None
        assert scan.end <= scan.corrupt_at <= place
    else:
        # The only bits that nothing checks are the padding.
        assert damaged[place] in (1 << b for b in range(8))


def test_a_length_of_garbage_is_checked_before_it_is_used():
    log, _, _ = a_log([[10]])
    damaged = bytearray(log)
    damaged[4:8] = b"\xff\xff\xff\x7f"

    assert scan_segment(bytes(damaged), 1).corrupt_at == 0


def test_records_of_an_older_life_are_no_continuation():
    log, _, payloads = a_log([[10], [20]])
    stale = encode_batch(1, [(T, b"old")])
    scan = scan_segment(log + stale, 1)

    assert [record.payload for record in scan.records] == payloads
    assert scan.corrupt_at == len(log)


@pytest.mark.parametrize("place", range(24 + 40 + 1 + 24 + 300 + 1))
def test_a_flipped_bit_in_the_last_batch_is_corruption_since_nothing_of_it_is_missing(place):
    log, ends, payloads = a_log([[10], [40, 300]])
    damaged = bytearray(log)
    at = ends[0] + place
    padding = range(ends[0] + 24 + 40 + 1, (ends[0] + 24 + 40 + 1 + 7) // 8 * 8)
    damaged[at] ^= 1 << (place % 8)
    scan = scan_segment(bytes(damaged) + bytes(1000), 1)

    if at in padding:
        assert len(scan.records) == 3
    else:
        assert scan.corrupt_at is not None, place
        assert [record.payload for record in scan.records] == payloads[:1]


def test_a_segment_that_begins_elsewhere_is_corrupt():
    log = encode_batch(7, [(T, b"x")])

    assert scan_segment(log, 1).corrupt_at == 0
    assert scan_segment(log, 7).next_seq == 8


@given(
    st.integers(1, 2**63),
    st.lists(st.tuples(st.text(max_size=9), st.none() | st.binary(max_size=9)), min_size=1, max_size=4),
)
def test_a_transaction_is_read_back_without_its_expectations(revision, pairs):
    operations = [Delete(key, 3) if value is None else Put(key, value, 5) for key, value in pairs]
    read = decode_transaction(encode_transaction(revision, operations, 12.5))

    assert (read.revision, read.wall_s) == (revision, 12.5)
    assert [(op.key, getattr(op, "value", None), op.expect) for op in read.operations] == [
        (k, v, None) for k, v in pairs
    ]


def test_a_segment_record_says_its_format_epoch_and_revision():
    assert decode_segment(encode_segment(3, 77)) == Segment(3, 3, 77)
    assert decode_segment(b"\x92\x01\x05") == Segment(1, 0, 0)
    assert HEADER_BYTES == 24


def test_a_record_carries_the_crc_32c_of_its_fields_and_payload():
    record = encode_batch(7, [(T, b"payload")])
    fields = record[:18]

    assert int.from_bytes(record[18:20], "little") == google_crc32c.value(fields) & 0xFFFF
    assert int.from_bytes(record[20:24], "little") == google_crc32c.value(fields + b"payload")
    assert google_crc32c.value(b"123456789") == 0xE3069283, "CRC-32C's check value"
    assert google_crc32c.implementation == "c"


OLD = encode_batch_of_format_2(1, [(T, b"a" * 600), (T, b"b")]) + encode_batch_of_format_2(3, [(T, b"c" * 900)])
OLD_FIRST_BATCH = len(encode_batch_of_format_2(1, [(T, b"a" * 600), (T, b"b")]))


def test_format_2_is_still_read():
    scan = scan_segment(OLD + bytes(64), 1)

    assert [record.payload for record in scan.records] == [b"a" * 600, b"b", b"c" * 900]
    assert (scan.end, scan.next_seq, scan.torn, scan.corrupt_at) == (len(OLD), 4, False, None)


def test_in_format_2_a_torn_tail_and_corruption_are_told_apart_as_ever():
    torn = scan_segment(OLD[: OLD_FIRST_BATCH + 300] + bytes(900), 1)
    flipped = bytearray(OLD)
    flipped[100] ^= 4
    corrupt = scan_segment(bytes(flipped), 1)

    assert (len(torn.records), torn.torn, torn.corrupt_at) == (2, True, None)
    assert (len(corrupt.records), corrupt.corrupt_at) == (0, 0)


def test_records_of_two_formats_in_one_segment_are_corruption():
    mixed = scan_segment(OLD + encode_batch(4, [(T, b"new")]), 1)

    assert (len(mixed.records), mixed.corrupt_at) == (3, len(OLD))
