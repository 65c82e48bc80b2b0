import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.api.streams import LogOptions
from minikube_py.kubelet.log_lines import (
    LogEntry,
    LogFilter,
    TailFinder,
    fixed_width_time,
    parse_log_line,
    since_text,
)


def line(text, stream="stdout", time="2026-11-24T06:00:00.5Z"):
    return json.dumps({"log": text, "stream": stream, "time": time}).encode()


def rendered(lines, **options):
    chosen = LogFilter(LogOptions(**options))
    return b"".join(chosen.render(each) for each in lines)


def tail(lines, count, stream="All"):
    finder = TailFinder(count, stream)
    start = len(lines)
    while start and finder.covers(lines[start - 1]):
        start -= 1
    return lines[start:]


def test_a_line_says_stream_time_and_text():
    assert parse_log_line(line("grüß\n", "stderr")) == LogEntry("stderr", "2026-11-24T06:00:00.5Z", "grüß\n".encode())


@pytest.mark.parametrize("torn", [b"", b'{"log":"half', b'{"log":"x\\n"}', b"null", b"\x00\x00\x00", b'{"log":1}'])
def test_a_torn_line_is_none(torn):
    assert parse_log_line(torn) is None


def test_all_streams_are_shown_in_their_order():
    assert rendered([line("a\n"), line("b\n", "stderr"), b"torn", line("c\n")]) == b"a\nb\nc\n"


@pytest.mark.parametrize(("stream", "shown"), [("Stdout", b"a\nc\n"), ("Stderr", b"b\n")])
def test_one_stream_is_shown_alone(stream, shown):
    assert rendered([line("a\n"), line("b\n", "stderr"), line("c\n")], stream=stream) == shown


def test_timestamps_have_nine_digits_and_stand_before_whole_lines_only():
    lines = [
        line("long ", time="2026-11-24T06:00:00.12Z"),
        line("other\n", "stderr", "2026-11-24T06:00:01Z"),
        line("line\n", time="2026-11-24T06:00:02Z"),
    ]

    assert rendered(lines, timestamps=True) == (
        b"2026-11-24T06:00:00.120000000Z long 2026-11-24T06:00:01.000000000Z other\nline\n"
    )


def test_lines_before_since_are_left_out_and_those_at_it_shown():
    lines = [line("old\n", time="2026-11-24T05:59:59.999999Z"), line("at\n", time="2026-11-24T06:00:00Z")]

    assert rendered(lines, since_s=1795500000.0) == b"at\n"


def test_the_limit_cuts_within_a_line_and_ends_the_log():
    chosen = LogFilter(LogOptions(limit_bytes=5))

    assert chosen.render(line("abc\n")) == b"abc\n"
    assert not chosen.full
    assert chosen.render(line("def\n")) == b"d"
    assert chosen.full


def test_times_compare_as_text():
    assert fixed_width_time("2026-11-24T06:00:00Z") == "2026-11-24T06:00:00.000000000Z"
    assert fixed_width_time("2026-11-24T06:00:00.000000001Z") > since_text(1795500000.0)
    assert since_text(1795500000.25) == "2026-11-24T06:00:00.250000000Z"


def test_the_tail_counts_whole_lines():
    pieces = [line("1\n"), line("2a"), line("2b"), line("2c\n"), line("3\n")]

    assert tail(pieces, 2) == pieces[1:]
    assert tail(pieces, 1) == pieces[4:]
    assert tail(pieces, 0) == []
    assert tail(pieces, 9) == pieces


def test_the_tail_of_one_stream_does_not_count_the_other():
    lines = [line("1\n"), line("e\n", "stderr"), line("2\n"), line("e\n", "stderr")]

    assert rendered(tail(lines, 1, "Stdout"), stream="Stdout") == b"2\n"


def test_an_unfinished_line_counts_as_one():
    lines = [line("1\n"), line("2\n"), line("prompt> ")]

    assert rendered(tail(lines, 2)) == b"2\nprompt> "


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=8)), st.integers(0, 12))
def test_the_tail_is_the_end_of_the_log(texts, count):
    whole = [text + "\n" for text in texts]
    lines = [line(each) for each in whole]

    assert rendered(tail(lines, count)).decode() == "".join(whole[max(0, len(whole) - count) :])
