import gc
from collections import deque

import orjson
import pytest

from minikube_py.kit.io.garbage import THRESHOLDS
from minikube_py.kit.kept_objects import YOUNG_BYTES_MAX, YOUNG_ROUNDS_MAX, KeptObjects, parse_kept

VALUE = orjson.dumps({"metadata": {"name": "a" * 2000}, "items": [[n] for n in range(50)]})


@pytest.fixture(autouse=True)
def _as_in_the_agent():
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_it_parses_is_what_the_json_says():
    assert parse_kept(VALUE) == orjson.loads(VALUE)


def test_what_is_no_json_is_said():
    with pytest.raises(orjson.JSONDecodeError):
        parse_kept(b"{")


def test_the_young_are_looked_at_after_so_many_bytes_and_their_elders_every_fourth_time():
    looked: list[int] = []
    kept = KeptObjects(looked.append)
    for _ in range(2 * YOUNG_ROUNDS_MAX * (YOUNG_BYTES_MAX // len(VALUE) + 1)):
        kept.parse(VALUE)

    assert looked == [0, 0, 0, 1] * 2


def test_no_more_bytes_are_parsed_between_two_looks():
    looked: list[int] = []
    kept = KeptObjects(looked.append)
    for _ in range(YOUNG_BYTES_MAX // len(VALUE) * 3):
        kept.parse(VALUE)

    assert len(looked) in (2, 3)


def test_objects_that_take_the_place_of_others_never_make_a_long_list_of_young_ones():
    a_look_s_objects = 52 * (YOUNG_BYTES_MAX // len(VALUE) + 1)
    kept: deque[object] = deque(maxlen=1000)
    young, elder = 0, 0
    for _ in range(60):
        for _ in range(100):
            kept.append(parse_kept(VALUE))
        young = max(young, len(gc.get_objects(generation=0)))
        elder = max(elder, len(gc.get_objects(generation=1)))

    assert 0 < young < 2 * a_look_s_objects
    assert 0 < elder < 2 * YOUNG_ROUNDS_MAX * a_look_s_objects
