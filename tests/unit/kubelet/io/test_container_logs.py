"""Logs from real files: rotation, tails over several files, following."""

import itertools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minikube_py.api.streams import LogOptions
from minikube_py.kubelet.io import container_logs
from minikube_py.kubelet.io.container_logs import log_files, read_container_log


def written(path, texts):
    lines = [json.dumps({"log": t, "stream": "stdout", "time": "2026-11-24T06:00:00Z"}) for t in texts]
    with path.open("a") as file:
        file.write("".join(each + "\n" for each in lines))


async def never(seconds):
    raise AssertionError("asked for the end without following")


async def read(path, *, wait_ended=never, **options):
    return b"".join([piece async for piece in read_container_log(str(path), LogOptions(**options), wait_ended)])


@pytest.fixture
def log(tmp_path):
    return tmp_path / "abc-json.log"


async def test_the_rotated_set_is_read_from_the_oldest_on(log):
    written(log.with_name(log.name + ".2"), ["1\n", "2\n"])
    written(log.with_name(log.name + ".1"), ["3\n"])
    written(log, ["4\n"])

    assert await read(log) == b"1\n2\n3\n4\n"
    assert [path.name for path in log_files(log)] == ["abc-json.log.2", "abc-json.log.1", "abc-json.log"]


async def test_a_tail_reaches_into_rotated_files(log):
    written(log.with_name(log.name + ".1"), ["1\n", "2\n", "3\n"])
    written(log, ["4\n"])

    assert await read(log, tail_lines=1) == b"4\n"
    assert await read(log, tail_lines=3) == b"2\n3\n4\n"
    assert await read(log, tail_lines=30) == b"1\n2\n3\n4\n"
    assert await read(log, tail_lines=0) == b""


async def test_a_log_that_does_not_exist_is_empty(log):
    assert await read(log) == b""


async def test_a_line_that_is_just_being_written_is_left_for_later(log):
    written(log, ["1\n"])
    with log.open("a") as file:
        file.write('{"log":"2')

    assert await read(log) == b"1\n"
    assert await read(log, tail_lines=1) == b"1\n"


async def test_the_limit_ends_the_reading(log):
    written(log, ["123456789\n"] * 10)

    assert await read(log, limit_bytes=15) == b"123456789\n12345"


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    sizes=st.lists(st.integers(0, 300), max_size=30),
    cuts=st.sets(st.integers(0, 30), max_size=3),
    tail=st.integers(0, 32),
    block=st.sampled_from([1, 7, 64, 4096]),
)
async def test_a_tail_is_the_end_of_the_whole_whatever_the_blocks(tmp_path, monkeypatch, sizes, cuts, tail, block):
    monkeypatch.setattr(container_logs, "BLOCK_BYTES", block)
    log = tmp_path / "x-json.log"
    for old in log_files(log):
        old.unlink()
    texts = [f"{number}:" + "x" * size + "\n" for number, size in enumerate(sizes)]
    bounds = [0, *sorted(cut for cut in cuts if cut < len(texts)), len(texts)]
    parts = [texts[a:b] for a, b in itertools.pairwise(bounds)]
    for age, part in enumerate(reversed(parts)):
        written(log.with_name(f"{log.name}.{age}") if age else log, part)

    assert (await read(log)).decode() == "".join(texts)
    assert (await read(log, tail_lines=tail)).decode() == "".join(texts[max(0, len(texts) - tail) :])


class Writer:
    """A container that writes while somebody follows: one step at each look, then it ends."""

    def __init__(self, *steps):
        self.steps = list(steps)

    async def wait_ended(self, seconds):
        if seconds and self.steps:
            self.steps.pop(0)()
        return not self.steps


async def test_a_follower_gets_everything_until_the_end(log):
    written(log, ["1\n"])
    writer = Writer(lambda: written(log, ["2\n"]), lambda: None, lambda: written(log, ["3\n", "end"]))

    assert await read(log, wait_ended=writer.wait_ended, follow=True) == b"1\n2\n3\nend"


async def test_a_follower_of_a_log_that_is_not_there_yet_gets_its_beginning(log):
    writer = Writer(lambda: None, lambda: written(log, ["1\n"]))

    assert await read(log, wait_ended=writer.wait_ended, follow=True) == b"1\n"


async def test_a_follower_survives_rotations(log):
    def rotate_twice():
        written(log, ["2\n"])
        log.rename(log.with_name(log.name + ".1"))
        written(log, ["3\n"])
        log.with_name(log.name + ".1").rename(log.with_name(log.name + ".2"))
        log.rename(log.with_name(log.name + ".1"))
        written(log, ["4\n"])

    written(log, ["1\n"])
    writer = Writer(rotate_twice, lambda: written(log, ["5\n"]))

    assert await read(log, wait_ended=writer.wait_ended, follow=True) == b"1\n2\n3\n4\n5\n"


async def test_a_follower_that_was_overtaken_goes_on_with_the_oldest_file(log):
    def lose_ours():
        written(log, ["3\n"])
        log.unlink()  # rotated out of the set
        written(log.with_name(log.name + ".1"), ["7\n"])
        written(log, ["8\n"])

    written(log, ["1\n"])
    writer = Writer(lose_ours)

    assert await read(log, wait_ended=writer.wait_ended, follow=True) == b"1\n3\n7\n8\n"


async def test_a_follower_of_a_tail_starts_there(log):
    written(log, ["1\n", "2\n"])
    writer = Writer(lambda: written(log, ["3\n"]))

    assert await read(log, wait_ended=writer.wait_ended, follow=True, tail_lines=1) == b"2\n3\n"
